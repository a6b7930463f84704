/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Uploads in chunks, except the chunks themselves (v1-chunk.h). An upload belongs to whoever has begun it;
 * administrators see all. */

#include "api/bus-client.h"

int v1_init_upload(Request *r);
int v1_get_upload(Request *r);
int v1_complete_upload(Request *r);
int v1_delete_upload(Request *r);

extern const Schema v1_init_upload_body, v1_complete_upload_body, v1_upload_schema;
extern const Reply v1_init_upload_replies[], v1_upload_replies[], v1_complete_upload_replies[],
                v1_delete_upload_replies[];

/* In whose name the manager is called for a client of this request: "" for an administrator. */
const char *v1_upload_owner(Request *r, char buf[static REQUEST_OWNER_SIZE]);
