/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What prepare, run and finish share: the job's directory, the plan in it, and how the attempt ends. */

#include "job/report.h"
#include "spec/job-result.h"

typedef struct Attempt {
        char *directory;
        int directory_fd;
        JobPlan *plan;
        Report report;
        int cancel_fd; /* a signalfd for SIGTERM and SIGINT that is never read; negative: none */
        bool needs_rights; /* run: the source can only be read with the rights of the unit
                            * (basic/rights.h) */
        char *runtime; /* run: a private directory for sockets and keys; gone with the job */
        usec_t started;
        /* The first failure: */
        char *code;
        char *message;
        /* What came out: */
        json_t *outputs; /* array */
        json_t *vm; /* the hardware of the source (spec/vm.h), or NULL */
        JobWarmResult warm;
        json_t *metrics; /* object */
        json_t *guest; /* object, or NULL */
} Attempt;

/* Opens the directory and reads the plan. */
int attempt_open(const char *directory, Attempt **ret);
Attempt *attempt_free(Attempt *a);
DEFINE_CLEANUP_FUNC(Attempt *, attempt_free);
#define _cleanup_attempt_ _cleanup_(attempt_freep)

/* Blocks SIGTERM and SIGINT and makes them readable in a->cancel_fd. */
int attempt_catch_signals(Attempt *a);
bool attempt_is_cancelled(const Attempt *a);

/* What a parser of the source needs of the unit's rights, as basic/rights.h has them. */
unsigned attempt_parser_rights(const Attempt *a);

/* Notes why the attempt fails, unless something was noted before, and returns -abs(@error). @code is one of
 * the failure table's; NULL takes the one that stands for @error. Without a format the text is "@what:
 * reason".
 */
int attempt_fail(Attempt *a, int error, const char *code, const char *format, ...) _printf_(4, 5);

/* Ends the attempt: event and result.json from what was noted (@r negative), of success (0), or of a pass of
 * a warm migration that is complete (ATTEMPT_PASS), and the exit status. */
#define ATTEMPT_PASS 1
int attempt_end(Attempt *a, int r);
