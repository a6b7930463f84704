/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is told of an upload in JSON. */

#include "store/uploads.h"
#include "json/json-table.h"

/* {"upload_id", "filename", "size", …, "received_chunks"}. With more than @chunks_max chunks in all, the
 * numbers of those that are there are left out. 0 with a new reference, or negative errno. */
int store_upload_json(Store *s, const UploadRow *row, uint64_t chunks_max, json_t **ret);
