/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job can do: one row for each operation. */

#include "spec/capability.h"

typedef enum JobOperation {
        OPERATION_CONVERT,
        OPERATION_INSPECT,
        OPERATION_OFFLINE_FIX,
        OPERATION_BOOT_REPAIR,
        OPERATION_SELINUX_PREP,
        OPERATION_LVM_REPAIR,
        OPERATION_FS_REPAIR,
        OPERATION_INITRAMFS_REGENERATE,
        _OPERATION_MAX,
        _OPERATION_INVALID = -EINVAL,
} JobOperation;

typedef enum OperationFlags {
        OPERATION_BUILT_IN = 1 << 0, /* this machine carries it out; the others are for workers that can */
        OPERATION_NEEDS_DESTINATION = 1 << 1, /* the others work on the source, unless one is given */
        OPERATION_READS_ONLY = 1 << 2, /* without a destination nothing is written */
} OperationFlags;

typedef struct OperationRow {
        const char *name;
        unsigned flags;
        unsigned capabilities; /* that it needs, whatever the job says: a mask of 1u << Capability */
} OperationRow;

/* NULL for what is no operation. */
const OperationRow *job_operation(int operation) _pure_;
bool job_operation_has(int operation, unsigned flags) _pure_;

const char *job_operation_to_string(JobOperation o) _pure_;
JobOperation job_operation_from_string(const char *s) _pure_;
static inline bool job_operation_is_built_in(int operation) {
        return job_operation_has(operation, OPERATION_BUILT_IN);
}

/* A worker may say that it carries out some operations only. In masks, each operation has a bit of its own
 * above those of the capabilities: a job demands its own, a worker offers those that it names, or all. */
#define OPERATION_BITS (((1u << _OPERATION_MAX) - 1) << _CAPABILITY_MAX)
uint32_t operation_bit(JobOperation o) _pure_;
/* The words for the operations in @mask; new reference, or NULL when out of memory. */
json_t *operations_to_json(uint32_t mask);
/* Operations come as a list of words; those that are not known here are left out. As
 * capabilities_from_json(). */
int operations_from_json(json_t *value, const char *path, uint32_t *ret, JsonErrors *errors);
