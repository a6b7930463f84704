/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job demands of the worker that carries it out. */

#include "spec/job-spec.h"

/* The most that a job may demand, in GiB. */
#define DEMAND_MEMORY_MAX ((1u << 20) - 1)
#define DEMAND_DISK_MAX ((1u << 24) - 1)

/* Slurm chooses who carries it out. No worker can do this, unless it asks for the job by its ID. */
#define DEMAND_SLURM (1u << 15)

typedef struct JobDemand {
        uint32_t capabilities; /* mask of 1u << Capability, and its operation's bit, or DEMAND_SLURM */
        unsigned memory_gb, disk_gb; /* at least; 0: any */
} JobDemand;

/* The demand in one number, which is how the database has it: jobs with the same demand stand together in
 * its index. Below 2^60. */
uint64_t job_demand_pack(const JobDemand *d) _pure_;
JobDemand job_demand_unpack(uint64_t packed) _pure_;

/* What @spec's operation implies and its capability_requirements add. Wrong requirements are added to
 * @errors; then *ret is not set. 0, -EBADMSG or -ENOMEM. */
int job_demand_from_spec(const JobSpec *spec, JobDemand *ret, JsonErrors *errors);
