/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How an attempt ended: results/result.json in the job's directory, from hyper-job to the manager. */

#include "basic/macro.h"
#include <jansson.h>

typedef enum JobOutcome {
        OUTCOME_COMPLETED,
        OUTCOME_FAILED, /* trying again cannot help: refused image, wrong checksum, wrong spec */
        OUTCOME_TRANSIENT, /* trying again may help: a dropped connection, a full disk, a vanished source */
        OUTCOME_CANCELLED, /* SIGTERM came */
        OUTCOME_PASS, /* a pass of a warm job is complete, and another one follows */
        _OUTCOME_MAX,
        _OUTCOME_INVALID = -EINVAL,
} JobOutcome;

/* What a pass of a warm job has done. */
typedef struct JobWarmResult {
        unsigned pass; /* its number, from 1; 0: the job is not warm */
        uint64_t bytes; /* that were copied */
        uint64_t bytes_areas; /* that the server said have changed */
        uint64_t bytes_differences; /* that the verification found and copied */
        bool verified; /* whole disks were compared */
        double seconds; /* that it took */
        double estimate_seconds; /* that another pass would take now */
        double downtime_seconds; /* between the shutdown of the guest and the end of the copy */
} JobWarmResult;

typedef struct JobResult {
        unsigned attempt;
        int outcome; /* JobOutcome */
        int phase; /* JobPhase in which it ended */
        char *message; /* for people: what was tried, on what, what went wrong; one line of at most 4096
                          bytes once it was written and read */
        char *code; /* for programs: [a-z0-9_]{1,64}: "checksum_mismatch", "image_refused", "no_space", … */
        json_t *outputs; /* [{"path" (or, of an NBD server, "uri"),"format","virtual_size","actual_size"}],
                            or NULL; "warnings", a list of texts, may be in each */
        json_t *guest; /* what was found and changed in the guest (src/guest/README.md), or NULL */
        json_t *vm; /* the hardware of the source (vm.h), or NULL: the source does not describe it */
        JobWarmResult warm;
        json_t *metrics; /* {"bytes_read","bytes_written","bytes_zero","duration_seconds",…}: numbers, or
                            NULL */
} JobResult;

JobResult *job_result_free(JobResult *r);
DEFINE_CLEANUP_FUNC(JobResult *, job_result_free);
int job_result_write(const JobResult *r, const char *directory);
int job_result_read(const char *directory, JobResult **ret);
int job_result_decode(const char *text, size_t size, JobResult **ret);

/* True for the "guest" of a result: an object without long texts and control characters. What is in it comes
 * from the disk of a guest. */
bool job_result_guest_is_valid(json_t *guest);

const char *job_outcome_to_string(JobOutcome o) _pure_;
JobOutcome job_outcome_from_string(const char *s) _pure_;

/* The exit status of hyper-job run says the outcome too. */
#define JOB_EXIT_FAILED 1
#define JOB_EXIT_TRANSIENT 75 /* EX_TEMPFAIL */
#define JOB_EXIT_PASS 76
#define JOB_EXIT_CANCELLED 79 /* not 143: systemd would take that for success */
