/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Uploads to another machine, over the v1 API. */

#include "ctl/upload-target.h"

/* Says what is wrong: EXIT_OK with *ret, or another ExitStatus. */
int upload_http_new(Ctl *ctl, UploadTarget **ret);
