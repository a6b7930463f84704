/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a worker can do, and what a job demands of the worker that carries it out. */

#include "shared/job-spec.h"

typedef enum Capability {
        CAPABILITY_QEMU_IMG, /* "qemu_img" */
        CAPABILITY_NBD_ACCESS,
        CAPABILITY_LVM_TOOLS,
        CAPABILITY_MOUNT_OPERATIONS,
        CAPABILITY_SELINUX_TOOLS,
        _CAPABILITY_MAX,
        _CAPABILITY_INVALID = -EINVAL,
} Capability;

const char *capability_to_string(Capability c) _pure_;
Capability capability_from_string(const char *s) _pure_;

/* What an operation needs whatever the job says: a mask of 1u << Capability. */
uint32_t operation_capabilities(JobOperation o) _pure_;

/* "nbd_access, lvm_tools" for a mask. The caller frees; NULL when out of memory. */
char *capabilities_to_text(uint32_t mask);

/* A worker may say that it carries out some operations only. In masks, each operation has a bit of its own above those of
 * the capabilities: a job demands its own, a worker offers those that it names, or all. */
#define CAPABILITY_BITS ((1u << _CAPABILITY_MAX) - 1)
#define OPERATION_BITS (((1u << _OPERATION_MAX) - 1) << _CAPABILITY_MAX)
uint32_t operation_bit(JobOperation o) _pure_;
/* The words for the operations in @mask; new reference, or NULL when out of memory. */
json_t *operations_to_json(uint32_t mask);

/* The most that a job may demand, in GiB. */
#define DEMAND_MEMORY_MAX ((1u << 20) - 1)
#define DEMAND_DISK_MAX ((1u << 24) - 1)

typedef struct JobDemand {
        uint32_t capabilities; /* mask of 1u << Capability, and its operation's bit */
        unsigned memory_gb, disk_gb; /* at least; 0: any */
} JobDemand;

/* The demand in one number, which is how the database has it: jobs with the same demand stand together in
 * its index. Below 2^60. */
uint64_t job_demand_pack(const JobDemand *d) _pure_;
JobDemand job_demand_unpack(uint64_t packed) _pure_;

/* What @spec's operation implies and its capability_requirements add. Wrong requirements are added to
 * @errors; then *ret is not set. 0, -EBADMSG or -ENOMEM. */
int job_demand_from_spec(const JobSpec *spec, JobDemand *ret, JsonErrors *errors);

/* Capabilities come as a list of words or as a map of booleans. Gives the mask of those that are known here;
 * others are kept by whoever keeps the JSON, and no job demands them. What is neither form is added to
 * @errors under @path. 0, -EBADMSG or -ENOMEM. */
int capabilities_from_json(json_t *value, const char *path, uint32_t *ret, JsonErrors *errors);

/* Operations come as a list of words; those that are not known here are nobody's demand. As capabilities_from_json(). */
int operations_from_json(json_t *value, const char *path, uint32_t *ret, JsonErrors *errors);
