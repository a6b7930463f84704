/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-demand.h"

/* Where the parts of a packed demand are. */
#define MEMORY_SHIFT 16
#define DISK_SHIFT 36
static_assert((1u << (_CAPABILITY_MAX + _OPERATION_MAX)) <= DEMAND_SLURM &&
                                DEMAND_SLURM < 1u << MEMORY_SHIFT,
                "the mask has its bits");

#define BIT(c) (1u << CAPABILITY_##c)

uint64_t job_demand_pack(const JobDemand *d) {
        return (uint64_t) d->disk_gb << DISK_SHIFT | (uint64_t) d->memory_gb << MEMORY_SHIFT |
                        d->capabilities;
}

JobDemand job_demand_unpack(uint64_t packed) {
        return (JobDemand){
                .capabilities = (uint32_t) (packed & ((UINT64_C(1) << MEMORY_SHIFT) - 1)),
                .memory_gb = (unsigned) (packed >> MEMORY_SHIFT & DEMAND_MEMORY_MAX),
                .disk_gb = (unsigned) (packed >> DISK_SHIFT & DEMAND_DISK_MAX),
        };
}

typedef struct Requirements {
        bool nbd, lvm, mount, selinux;
        unsigned memory_gb, disk_gb;
} Requirements;

static const JsonField requirement_fields[] = {
        { "needs_nbd", JSON_FIELD_BOOLEAN, offsetof(Requirements, nbd), JSON_NULLABLE },
        { "needs_lvm", JSON_FIELD_BOOLEAN, offsetof(Requirements, lvm), JSON_NULLABLE },
        { "needs_mount", JSON_FIELD_BOOLEAN, offsetof(Requirements, mount), JSON_NULLABLE },
        { "needs_selinux_tools", JSON_FIELD_BOOLEAN, offsetof(Requirements, selinux), JSON_NULLABLE },
        { "min_memory_gb", JSON_FIELD_UNSIGNED, offsetof(Requirements, memory_gb), JSON_NULLABLE,
                        .max = DEMAND_MEMORY_MAX },
        { "min_disk_space_gb", JSON_FIELD_UNSIGNED, offsetof(Requirements, disk_gb), JSON_NULLABLE,
                        .max = DEMAND_DISK_MAX },
        {},
};

int job_demand_from_spec(const JobSpec *spec, JobDemand *ret, JsonErrors *errors) {
        size_t before = errors->n_errors;
        const OperationRow *operation = job_operation(spec->operation);
        Requirements q = {};
        int r;

        if (!operation)
                return -EINVAL;

        if (spec->capability_requirements) {
                r = json_table_decode(requirement_fields, spec->capability_requirements,
                                "capability_requirements", &q, errors);
                if (r < 0)
                        return r;
                if (errors->n_errors > before || before >= JSON_ERRORS_MAX)
                        return -EBADMSG;
        }
        bool fix = spec->operation == OPERATION_CONVERT && spec->parameters.fix != 0;
        *ret = (JobDemand){
                .capabilities = operation_bit(spec->operation) | operation->capabilities |
                                (q.nbd ? BIT(NBD_ACCESS) : 0) | (q.lvm ? BIT(LVM_TOOLS) : 0) |
                                (q.mount || fix ? BIT(MOUNT_OPERATIONS) : 0) |
                                (q.selinux ? BIT(SELINUX_TOOLS) : 0) |
                                (spec->executor == JOB_EXECUTOR_SLURM ? DEMAND_SLURM : 0),
                .memory_gb = q.memory_gb,
                .disk_gb = q.disk_gb,
        };
        return 0;
}
