/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files on this machine, below the directories of files.roots: lists and downloads. The manager opens them,
 * since hyper-apid has no access to them. */

#include "api/http/router.h"

/* Handlers of GET /browse/files and GET /download, and what belongs to them in the route table. */
int v1_browse_files(Request *r);
int v1_download(Request *r);
extern const QueryField v1_browse_query[], v1_download_query[];
extern const Reply v1_browse_replies[], v1_download_replies[];
