/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Connections that are closed before the whole request was read. If bytes arrive at a socket that is closed,
 * the kernel resets the connection, and the client may lose the reply that it has not read yet. Therefore
 * what arrives is read and dropped for a while (RFC 9112, section 9.6). */

#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "basic/time-util.h"

typedef struct Linger Linger;

typedef struct Lingers {
        LIST_HEAD(, Linger) list;
        unsigned n;
} Lingers;

/* Reads from a duplicate of @fd, whose sending side is shut down by now, until the client closes it, but at
 * most LINGER_TIME and LINGER_BYTES. The caller closes @fd. Without memory or descriptors, and if there are
 * LINGER_MAX already, nothing is done. */
void linger_start(Lingers *l, sd_event *event, int fd);
void linger_stop_all(Lingers *l);

#define LINGER_MAX 64u /* per listener */
#define LINGER_TIME (5 * USEC_PER_SEC)
#define LINGER_BYTES ((size_t) 64 * 1024 * 1024)
