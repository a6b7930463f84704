/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

typedef struct Request Request;

/* One more header for the answer; call it before request_reply_…(). Cache-Control is "no-store" if nobody
 * says otherwise. Strings are copied. 0 or -ENOMEM. */
int request_add_header(Request *r, const char *name, const char *value);
