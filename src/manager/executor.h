/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who carries attempts out: a unit of this machine, or a worker. An executor says how an attempt begins, is
 * stopped and is found again; how it ended goes through attempt-end.h, whoever it was. */

#include "manager/job-files.h"
#include "manager/job.h"
#include "spec/job-spec.h"

typedef struct Executor {
        const char *name;
        /* Carries out the attempt of @j, which is ASSIGNED to it. What goes wrong ends the attempt: @j may
         * be freed. */
        void (*start)(Job *j, const JobSpec *spec, const JobFiles *files);
        /* @j is CANCELLED: has what runs of it stopped, and what is left removed. @j may be freed. */
        void (*stop)(Job *j);
        /* Takes over the attempt of @j, which began before this manager did; @running: it is under way. 0 or
         * negative errno. */
        int (*adopt)(Job *j, bool running);
        /* Compares the jobs with what is really there: adopts what goes on, ends the attempts that are gone.
         * What takes time is done from the event loop. 0 or negative errno. */
        int (*list)(Manager *m);
} Executor;
