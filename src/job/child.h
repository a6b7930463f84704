/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Helper programs (qemu-img, qemu-nbd): started without a shell, with an environment of their own, limited
 * in memory and time, shut in (parser-sandbox.h), killed with their parent. What they parse may be hostile,
 * so what they say is bounded and cleaned before a person sees it. */

#include <sys/types.h>

#include "basic/time-util.h"
#include "job/parser-sandbox.h"

typedef struct ChildLimits {
        const ParserFiles *files; /* all that it may open, besides programs and libraries; NULL: nothing */
        const char *library_path; /* LD_LIBRARY_PATH; NULL: none */
        bool unconfined; /* for tests that start shells: no parser-sandbox.h */
        uint64_t address_space; /* RLIMIT_AS in bytes; 0: none */
        unsigned cpu_seconds; /* RLIMIT_CPU; 0: none */
        usec_t timeout; /* wall clock, child_run() only; 0: none */
        size_t output_max; /* longest standard output, child_run() only */
} ChildLimits;

typedef struct ChildOutput {
        int status; /* as waitpid(2) gives it */
        char *output; /* standard output, NUL-terminated */
        size_t size;
        char *errors; /* standard error: the first 16 KiB, control characters replaced */
} ChildOutput;

void child_output_done(ChildOutput *o);
#define _cleanup_child_output_ _cleanup_(child_output_done)

/* Runs argv[0] (looked up in $PATH unless there is a "/" in it) to its end. Returns 0 once it has ended,
 * however it did: look at ret->status. -ENOENT: no such program; -ETIMEDOUT; -EFBIG: it says more than the
 * limit; -ECANCELED:
 * @cancel_fd (or negative) became readable; in these cases the child is dead. */
int child_run(const char *const argv[], const ChildLimits *limits, int cancel_fd, ChildOutput *ret);

/* Starts argv[0] and returns. @listen_fd, if not negative, becomes descriptor 3 of the child with the
 * LISTEN_PID, LISTEN_FDS protocol of sd_listen_fds(3). Standard output goes where @stdout_fd points
 * (negative: /dev/null), standard error to @stderr_fd. */
int child_spawn(const char *const argv[], const ChildLimits *limits, int listen_fd, int stdout_fd,
                int stderr_fd, pid_t *ret);

/* SIGKILL and reap. */
void child_kill(pid_t pid);

/* Replaces what is no printable UTF-8 text by "?", line ends stay. */
void child_clean_text(char *s);

/* "exited with status 1", "was killed by signal 9 (Killed)". NULL when out of memory. */
char *child_status_text(int status);
