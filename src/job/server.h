/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* qemu-nbd or nbdkit processes that make a disk image readable (or writable) over a unix socket. Each is
 * given its listening socket (sd_listen_fds(3)), so that nobody has to wait for a socket to appear, and dies
 * with us. */

#include <jansson.h>

#include "job/child.h"

#define SERVERS_MAX 4

/* How many read-only servers to start for one image: one qemu-nbd is one thread. 2 to SERVERS_MAX, by the
 * CPUs that are free for us. */
unsigned servers_for_reading(void);

typedef struct ServerGroup ServerGroup;

/* Starts @n servers for the image that @options (as for -blockdev) describe and @files hold, with sockets in
 * the directory
 * @directory, and waits until each has opened it. Writable ones discard and make zeroes holes. -ECANCELED;
 * -ENOENT: no qemu-nbd; -ESRCH: one ended, *ret_error says why in its own words; -ETIMEDOUT. The caller
 * frees *ret_error. */
int server_group_start(json_t *options, const ParserFiles *files, unsigned n, bool writable,
                const char *directory, int cancel_fd, ServerGroup **ret, char **ret_error);

/* The same with another program: @argv, which listens on the socket that it gets. */
int server_group_start_program(const char *const argv[], const ChildLimits *limits, unsigned n,
                const char *directory, int cancel_fd, ServerGroup **ret, char **ret_error);
/* "qemu-nbd" or another argv[0] */
const char *server_group_program(const ServerGroup *g) _pure_;

/* Kills them; a writable one must have been flushed. */
ServerGroup *server_group_free(ServerGroup *g);
DEFINE_CLEANUP_FUNC(ServerGroup *, server_group_free);
#define _cleanup_servers_ _cleanup_(server_group_freep)

/* Lets a writable server end by itself, so that the image is closed properly: SIGTERM and wait. 0, -ESRCH
 * with *ret_error if it did not end well. */
int server_group_stop(ServerGroup *g, char **ret_error);

/* Paths of the sockets, ending with NULL; belongs to the group. */
char *const *server_group_sockets(const ServerGroup *g);

/* If one of them has died: how, and what it said (caller frees). NULL if all are alive. With @wait a server
 * that hung up is given a moment to end. */
char *server_group_obituary(ServerGroup *g, bool wait);

/* What they complained about so far (complaint_text()). NULL if nothing. The caller frees it. */
char *server_group_complaint(ServerGroup *g);

/* What they wrote to standard error since the last call, NULL if nothing. The caller frees it. */
char *server_group_errors(ServerGroup *g);
