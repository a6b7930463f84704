/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The copy: reads a source from its beginning to its end with many requests in flight, skips what is zero,
 * and writes the rest in ascending order, so that one number, the watermark, says what is complete. */

#include "engine/endpoint.h"

typedef struct Part Part;

typedef struct CopyProgress {
        uint64_t position; /* the watermark: everything before it is done. bytes_done for the event */
        uint64_t total; /* size of the disk. bytes_total for the event */
        uint64_t resumed_from; /* the watermark this run began at */
        uint64_t bytes_read; /* read from the source by this run */
        uint64_t bytes_zero; /* known to be zero without reading, in this run */
        uint64_t rate; /* bytes of position per second, over the last few seconds */
        usec_t elapsed; /* since this run began */
        bool flushing; /* all is written, and the destination is being flushed */
        uint64_t unflushed; /* bytes written by this run since the last flush that has ended */
} CopyProgress;

typedef struct CopyOptions {
        /* Called from within copy_run() whenever @progress_interval has passed and the position changed or
         * not, at the beginning and at the end. A negative errno ends the copy with it. NULL: none. */
        int (*progress)(const CopyProgress *p, void *userdata);
        void *userdata;
        usec_t progress_interval; /* 0: half a second */
        usec_t checkpoint_interval; /* 0: 5 s. USEC_INFINITY: no checkpoints */
        usec_t stall_timeout; /* nothing moves for so long: -ETIMEDOUT. 0: 5 min */
        int cancel_fd; /* readable: give up with -ECANCELED; negative: none */
        bool keep_zeroes; /* what the source reports as zeroes is not written: the destination keeps what
                             it has there */
        uint64_t size; /* how much of the destination is written; 0: all of it */
        size_t request_size; /* 0: what the source prefers */
        unsigned requests; /* in flight at a time; 0: what the source prefers. Memory is about their
                            * product */
} CopyOptions;

/* A copy that somebody else's loop carries out, beside others. The endpoints, @part and @options must live
 * as long. */
typedef struct Copy Copy;

#define COPIES_MAX (ENDPOINTS_MAX / 2)

/* Begins to copy @source to @destination from @watermark (0, or what part_watermark() says) to the end of
 * the destination or to @options->size. The source may be shorter than that, and the rest becomes zero;
 * longer is -EINVAL. What lies behind @options->size is not touched. @part is where checkpoints go; NULL:
 * none are kept. On error *ret_error is a text that the caller frees. */
int copy_new(Endpoint *source, Endpoint *destination, Part *part, uint64_t watermark,
                const CopyOptions *options, Copy **ret, char **ret_error);

/* Does what can be done without waiting. 1: it is under way. 0: all of it lasts on stable storage. -EBADMSG:
 * somebody else has changed the unfinished image; its checkpoint is gone, the next attempt begins anew.
 * Otherwise negative errno with *ret_error; what was copied until the source failed or the destination was
 * full was made last, with a checkpoint. After an error the endpoints can only be freed. */
int copy_step(Copy *c, char **ret_error);

/* Waits until one of @n copies, at most COPIES_MAX, has something to do. 0; -ECANCELED if @cancel_fd
 * (negative: none) is readable; or negative errno. */
int copies_wait(Copy *const *copies, size_t n, int cancel_fd);

/* For a copy that is under way when another one has failed: makes last what it has copied, as copy_step()
 * does. */
void copy_interrupt(Copy *c);

const CopyProgress *copy_progress(const Copy *c) _pure_;

/* Stops what is under way. */
Copy *copy_free(Copy *c);
DEFINE_CLEANUP_FUNC(Copy *, copy_free);

/* A whole copy: copy_new(), and copy_step() to the end. *ret_progress may be NULL; it is set on errors
 * too. */
int copy_run(Endpoint *source, Endpoint *destination, Part *part, uint64_t watermark,
                const CopyOptions *options, CopyProgress *ret_progress, char **ret_error);
