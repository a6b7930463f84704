/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bodies of the type multipart/form-data (RFC 7578), read as they come, with the parser of libmicrohttpd. */

#include "api/http/request.h"

typedef struct Multipart Multipart;

/* A piece of the value of the field @name. A field comes in one or more pieces; @offset is that of the piece
 * in the value. False: enough. */
typedef bool (*multipart_func)(
                void *userdata, const char *name, const char *data, uint64_t offset, size_t size);

/* -EINVAL if the body of the request is of another type. */
int multipart_new(Request *r, multipart_func func, void *userdata, Multipart **ret);
Multipart *multipart_free(Multipart *m);

/* The next piece of the body. -EBADMSG: it is malformed; -ECANCELED: @func has had enough. */
int multipart_feed(Multipart *m, const char *data, size_t size);
/* The body is at its end, and so is *m. -EBADMSG: it is not complete. */
int multipart_end(Multipart **m);
