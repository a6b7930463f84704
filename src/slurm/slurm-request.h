/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What slurmrestd is sent to have a job placed. Pure. */

#include "shared/settings.h"

typedef struct SlurmOrder {
        const char *id;
        unsigned priority;
        unsigned memory_gb, timeout_seconds; /* 0: the job says nothing */
        char **limits; /* that it holds while it runs */
} SlurmOrder;

/* The body of POST job/submit, in the form of the version of the configuration. @prefix and the ID are the
 * comment of Slurm's job, by which it is found again. NULL when out of memory; the caller frees. */
char *slurm_request_body(const Settings *s, const char *prefix, const SlurmOrder *o);
