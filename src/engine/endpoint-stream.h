/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk that comes as a stream of runs through a pipe, in the order of the disk, from a process that decodes
 * it. It can be read once, in ascending order. What was received and not read yet is held in memory, at most
 * 64 MiB; then the pipe is not read, so that the sender waits. */

#include "engine/disk-digest.h"
#include "engine/endpoint.h"

/* What comes through the pipe: this, in the order of bytes of this machine, followed by @length bytes of
 * the disk. Runs ascend and do not overlap; what lies between them is zero. A run with the length 0, at
 * the end of the disk, ends the stream. */
typedef struct StreamRun {
        uint64_t offset;
        uint64_t length; /* at most STREAM_RUN_MAX */
} StreamRun;

#define STREAM_RUN_MAX (UINT64_C(1) << 20)

typedef struct StreamOptions {
        int fd; /* of the pipe; it becomes the endpoint's */
        uint64_t size; /* of the disk */
        const char *label;
        DiskDigest *digest; /* of all runs, whether they are read or not; may be NULL, not owned */
        /* Called once, when the pipe has ended: 0 if the stream was complete and is right, else negative
         * errno with *ret_error (caller frees), what the error is. @complete: it had its last run. */
        int (*ended)(void *userdata, bool complete, char **ret_error);
        /* Called when the endpoint is freed. */
        void (*free)(void *userdata);
        void *userdata;
} StreamOptions;

/* The first question about extents says where reading begins: what was received before is dropped. After an
 * error, fd and userdata are still the caller's. 0 or negative errno. */
int endpoint_stream_new(const StreamOptions *options, Endpoint **ret);
