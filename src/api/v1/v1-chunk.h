/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST /upload/chunk: the bytes are written as they come, to a descriptor from the manager. */

#include "api/http/router.h"

/* A chunk with multipart/form-data has 64 KiB of headers and other fields at most. */
#define V1_CHUNK_BODY_MAX (((size_t) 256 << 20) + ((size_t) 64 << 10))

int v1_read_chunk(Request *r, const char *data, size_t size);
int v1_end_chunk(Request *r);

extern const QueryField v1_chunk_query[];
extern const Reply v1_chunk_replies[];
