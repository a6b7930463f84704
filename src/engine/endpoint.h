/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An endpoint is a disk that the engine reads from or writes to: behind NBD, a raw file, a qcow2 file, or
 * nothing at all. All of them work through one table of functions, asynchronously and without an event loop:
 * a request is started, its completion is called later from endpoint_dispatch(), and endpoint_wait() says
 * which file descriptors to poll meanwhile. Everything here is for one thread; an endpoint that has workers
 * of its own hides them.
 *
 * Offsets and lengths are bytes of the disk as a guest sees it. A request that fails completes with a
 * negative errno and leaves a text in endpoint_error() that says what was tried, for people:
 *
 *   "reading 262144 bytes at 1073741824 from source: Connection reset by peer"
 *
 * What the errno says about trying again:
 *
 *   -ECONNRESET -EPIPE -ESHUTDOWN -ENOTCONN -ETIMEDOUT -ECONNREFUSED   the connection: may help
 *   -ENOSPC -EDQUOT                                                    the destination is full: may help
 *   -EIO                                                               the other side failed to read or
 *                                                                      write: may help
 *   -ENOMEM                                                            may help
 *   -EPROTO -EFBIG -EOPNOTSUPP -EINVAL                                 does not help
 */

#include <poll.h>
#include <stdarg.h>
#include <sys/types.h>

#include "basic/macro.h"
#include "basic/time-util.h"
#include "engine/file-range.h"

typedef struct Endpoint Endpoint;

/* A run of bytes of one kind. */
typedef struct Extent {
        uint64_t length; /* never 0 */
        bool zero; /* reads as zeroes */
} Extent;

/* Called once for each request that was started, from endpoint_dispatch() or before the starting call
 * returns. @error is 0 or negative errno. It must not start requests itself. */
typedef void (*EndpointDone)(void *userdata, int error);

/* The same for extents: @n of them, at least one, beginning at the offset that was asked for; they end at or
 * before the end of the disk, and cover the range asked for or a first part of it. Valid only during the
 * call. */
typedef void (*EndpointExtentsDone)(void *userdata, const Extent *extents, size_t n, int error);

typedef struct EndpointOps {
        const char *name; /* "nbd", "raw", … */

        /* Ends everything and frees, stopped or not. */
        void (*free)(Endpoint *e);

        /* Drops all requests: their completions are not called any more, and their buffers not touched.
         * After that the endpoint can only be freed. NULL: requests are complete when their start
         * returns. */
        void (*stop)(Endpoint *e);

        /* Asks what lies at [offset, offset + length). NULL: unknown, all is data. */
        int (*extents)(Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done,
                        void *userdata);

        /* Reads into @buf, which stays the caller's and untouched until completion. NULL: cannot be read. */
        int (*read)(Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done,
                        void *userdata);

        /* Writes @buf, the same way. Zeroes inside may be made holes. Ranges come in ascending order,
         * without overlap and each once, which is what lets a destination lay its file out as the data
         * comes; what is never written reads as zeroes in the end, provided that zero() is called for it.
         * NULL: cannot be written. */
        int (*write)(Endpoint *e, const void *buf, size_t length, uint64_t offset, EndpointDone done,
                        void *userdata);

        /* Where bytes of the disk are in a file: from @offset on, at most @length, as far as they are in one
         * piece there. NULL: in no file that the caller could read. */
        FileRange (*place)(Endpoint *e, uint64_t offset, uint64_t length);

        /* Writes what is in a file, as if it had been read from there: in the same order as other writes.
         * -EREMOTEIO: the file cannot be read, errno of the cause in *@ret_source_error, which is the
         * caller's until completion. NULL: it must be read first. */
        int (*write_file)(Endpoint *e, const FileRange *from, uint64_t offset, int *ret_source_error,
                        EndpointDone done, void *userdata);

        /* Makes a range read as zeroes, in the same order as writes. */
        int (*zero)(Endpoint *e, uint64_t offset, uint64_t length, EndpointDone done, void *userdata);

        /* Makes everything last that was completed before the call, including what the endpoint needs to go
         * on from there. */
        int (*flush)(Endpoint *e, EndpointDone done, void *userdata);

        /* After the last write: completes the image and makes it last. Called once, nothing in flight. NULL:
         * the same as flush. */
        int (*finish)(Endpoint *e, EndpointDone done, void *userdata);

        /* How to go on from where all that has been completed so far ends (and only that, up to the first
         * range still in flight): two numbers that only the endpoint understands; they are in the
         * checkpoint, and given back when the endpoint is made again. NULL: none needed. */
        void (*state)(Endpoint *e, uint64_t ret_state[static 2]);

        /* File descriptors to poll, at most @max into @fds; the number of them. NULL: none. */
        size_t (*wait)(Endpoint *e, struct pollfd *fds, size_t max);

        /* Handles what poll() found in those same @fds, without blocking. Errors of requests go to their
         * completions; a negative errno means that the endpoint as a whole is broken. */
        int (*dispatch)(Endpoint *e, const struct pollfd *fds, size_t n);
} EndpointOps;

/* What all kinds begin with. */
struct Endpoint {
        const EndpointOps *ops;
        uint64_t size; /* of the disk, fixed once the endpoint is made */
        char *label; /* how it is called in messages: "source", "/srv/a.qcow2" */
        char *error; /* the first error's text, or NULL */
        uint64_t bytes_read, bytes_written; /* content moved through it; for a compressing destination what
                                               went in */
        uint64_t *tally; /* bytes_read is added to it by endpoint_free(); NULL: nothing is */
        size_t preferred; /* a good length of a request */
        size_t alignment; /* where requests must begin and end, besides at the disk's end; 0 and 1:
                           * anywhere */
        unsigned in_flight_max; /* requests at a time beyond which nothing is gained */
        bool once; /* can be read only once, in ascending order, all that is no zeroes */
        usec_t active; /* when something came that completed no request yet; 0: it does not say */
        usec_t stall_timeout; /* how long nothing may come; 0: as long as others may take */
};

Endpoint *endpoint_free(Endpoint *e);
DEFINE_CLEANUP_FUNC(Endpoint *, endpoint_free);
#define _cleanup_endpoint_ _cleanup_(endpoint_freep)

/* The text of the first error, or "" if there was none. */
const char *endpoint_error(const Endpoint *e);

#define ENDPOINT_FDS_MAX 64
#define ENDPOINTS_MAX 8 /* to wait for at a time */

/* --- for the engine, over any endpoint (endpoint.c) ------------------------------------------------ */

/* Starts requests: as the slots above, with what is missing in @e stood in for. Lengths of 0 complete at
 * once. A range that reaches behind the disk is -EINVAL. */
int endpoint_extents(
                Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done, void *userdata);
int endpoint_read(Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done, void *userdata);
int endpoint_write(Endpoint *e, const void *buf, size_t length, uint64_t offset, EndpointDone done,
                void *userdata);
/* Only if ops->write_file is there. */
int endpoint_write_file(Endpoint *e, const FileRange *from, uint64_t offset, int *ret_source_error,
                EndpointDone done, void *userdata);
int endpoint_zero(Endpoint *e, uint64_t offset, uint64_t length, EndpointDone done, void *userdata);
int endpoint_flush(Endpoint *e, EndpointDone done, void *userdata);
int endpoint_finish(Endpoint *e, EndpointDone done, void *userdata);
void endpoint_state(Endpoint *e, uint64_t ret_state[static 2]);
void endpoint_stop(Endpoint *e);

/* Waits until something can be dispatched in one of the @n endpoints (at most ENDPOINTS_MAX; NULL ones are
 * left out) or @cancel_fd (negative: none) is readable, at most @timeout, and dispatches in all of them.
 * @errors has a place for each: 0, or what dispatch gave. 0; -ECANCELED; or negative errno of the waiting
 * itself. */
int endpoints_wait(Endpoint *const *endpoints, size_t n, int cancel_fd, usec_t timeout, int *errors);
/* The same for two; the first error of one. */
int endpoints_run(Endpoint *a, Endpoint *b, int cancel_fd, usec_t timeout);

/* Remembers the first error's text: what was tried with ": " and strerror(@error) behind it. Returns
 * -abs(@error). */
int endpoint_fail(Endpoint *e, int error, const char *format, ...) _printf_(3, 4);
