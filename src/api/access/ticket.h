/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tickets: each stands for the token or key of a client, once, within a minute, for browsers, which cannot
 * send a header with a WebSocket or a download. They are in memory only. */

#include "basic/time-util.h"

#define TICKET_LIFETIME (60 * USEC_PER_SEC)
#define TICKETS_MAX 10000u /* then, the oldest one is dropped */

typedef struct Tickets Tickets;

int tickets_new(Tickets **ret);
Tickets *tickets_free(Tickets *t);
DEFINE_CLEANUP_FUNC(Tickets *, tickets_free);

/* A new ticket for @token: 64 hexadecimal digits. @now is monotonic, here and below. 0 or negative errno; the
 * caller frees it. */
int tickets_make(Tickets *t, const char *token, usec_t now, char **ret);
/* The token of a ticket, which is of no use any more. -ENOENT: there is none; the caller frees it. */
int tickets_take(Tickets *t, const char *ticket, usec_t now, char **ret_token);
/* When there are none any more; until then, the daemon keeps running. */
usec_t tickets_gone_at(const Tickets *t) _pure_;
