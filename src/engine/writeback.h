/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Hands what is written to a file to the disk soon after it was written, instead of when the kernel or the
 * last flush gets to it: so the disk is busy while more is read, and the last flush has little left. What
 * the disk does not have yet is bounded, so a copy goes on at the pace of the slower of processor and disk.
 *
 * This is no flush: neither metadata nor the disk's own cache are written. */

#include <pthread.h>

#include "basic/macro.h"

#define WRITEBACK_STEP ((uint64_t) 8 * 1024 * 1024) /* is handed over at a time */
#define WRITEBACK_STEPS 8u /* that may be under way, before the writer waits for the first of them */

typedef struct Writeback {
        int fd; /* not ours */
        bool off; /* the file system, or the sandbox, does not have it */
        uint64_t ends[WRITEBACK_STEPS]; /* where the steps under way end, a ring */
        unsigned first, n;
        uint64_t complete, begun; /* up to where the disk has it, and up to where it was given it */
        uint64_t pending; /* bytes written since */
        pthread_mutex_t lock; /* held while the disk is asked, for what follows */
        int error; /* the first one of the disk, negative errno */
} Writeback;

void writeback_init(Writeback *w);
void writeback_done(Writeback *w);
/* What is written to @fd begins at @from. */
void writeback_start(Writeback *w, int fd, uint64_t from);

/* @length bytes were written; all that was written until now ends at or before @end, and what comes is
 * behind it, up to what is rewritten now and then. Called by one thread at a time. 0, or negative errno for
 * an error of writing the data to the disk. */
int writeback_written(Writeback *w, uint64_t end, uint64_t length);

/* For fdatasync(2), when it has succeeded: the kernel reports an error of writing to the disk once, and if
 * it was reported to us, a flush that was under way in another thread does not see it. 0 or that error. */
int writeback_error(Writeback *w);
