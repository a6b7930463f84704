/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Follows the uploads in the database: each second, if it has changed. */

#include "api/api.h"
#include "store/uploads.h"
#include "json/json-table.h"

typedef struct V1UploadWatch V1UploadWatch;

/* An upload has begun or changed. @upload, to be taken over, is that of GET /upload/status, without
 * received_chunks if there are very many; NULL when out of memory. */
typedef void (*v1_upload_func)(const UploadRow *row, json_t *upload, void *userdata);

/* What has changed before is not told. 0 or negative errno. */
int v1_upload_watch_new(Api *a, v1_upload_func func, void *userdata, V1UploadWatch **ret);
V1UploadWatch *v1_upload_watch_free(V1UploadWatch *w);
DEFINE_CLEANUP_FUNC(V1UploadWatch *, v1_upload_watch_free);
