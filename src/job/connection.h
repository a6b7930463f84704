/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Connections to disks, through servers of our own or to somebody else's. All functions note failures in the
 * attempt. */

#include "engine/endpoint-nbd.h"
#include "image/image.h"
#include "job/attempt.h"
#include "job/server.h"

/* A disk that can be read. */
typedef struct Connection {
        ServerGroup *servers; /* NULL: somebody else's */
        Endpoint *endpoint;
} Connection;
void connection_done(Connection *c);
#define _cleanup_connection_ _cleanup_(connection_done)

/* Connects to what is behind @spec, an NBD endpoint of the plan; @role is "source" or "destination", which
 * names its credential too. @flags: NbdFlags. */
int connect_nbd(Attempt *a, const JobEndpoint *spec, const char *role, unsigned flags, Endpoint **ret);

/* Starts a server that offers the disk in @image for reading, to other programs. */
int serve_image(Attempt *a, const Image *image, ServerGroup **ret);

/* Starts @n servers for @image and connects. */
int connect_image(Attempt *attempt, const Image *image, bool writable, unsigned flags, const char *label,
                Connection *ret);

/* Notes a failure of copying or comparing: who is to blame if a local server has died, else what the engine
 * says. @error and @text are the engine's. */
int connection_fail(Attempt *attempt, Connection *a, Connection *b, int error, const char *what,
                const char *text);
