/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file as a response, or a part of it: Range, If-Range, If-Match, If-None-Match, If-Modified-Since,
 * If-Unmodified-Since, ETag, Last-Modified (RFC 9110). */

#include "api/http/request.h"

/* Takes over @fd, of a regular file, also on failure. @name is offered to the user as the name of the
 * download. If the file changes before all of it was sent, the connection is closed. 0 or negative errno. */
int request_reply_download(Request *r, int fd, const char *name);
