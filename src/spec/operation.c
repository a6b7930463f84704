/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/operation.h"
#include "basic/string-util.h"

#define NEEDS(c) (1u << CAPABILITY_##c)
#define GUEST (NEEDS(NBD_ACCESS) | NEEDS(MOUNT_OPERATIONS))

static const OperationRow operations[_OPERATION_MAX] = {
        [OPERATION_CONVERT] = { "convert", OPERATION_BUILT_IN | OPERATION_NEEDS_DESTINATION,
                        NEEDS(QEMU_IMG) },
        [OPERATION_INSPECT] = { "inspect", OPERATION_BUILT_IN | OPERATION_READS_ONLY, NEEDS(QEMU_IMG) },
        [OPERATION_OFFLINE_FIX] = { "offline_fix", OPERATION_BUILT_IN, GUEST },
        [OPERATION_BOOT_REPAIR] = { "boot_repair", OPERATION_BUILT_IN, GUEST },
        [OPERATION_SELINUX_PREP] = { "selinux_prep", OPERATION_BUILT_IN, GUEST | NEEDS(SELINUX_TOOLS) },
        [OPERATION_LVM_REPAIR] = { "lvm_repair", OPERATION_BUILT_IN, NEEDS(NBD_ACCESS) | NEEDS(LVM_TOOLS) },
        [OPERATION_FS_REPAIR] = { "fs_repair", OPERATION_BUILT_IN, NEEDS(NBD_ACCESS) },
        [OPERATION_INITRAMFS_REGENERATE] = { "initramfs_regenerate", OPERATION_BUILT_IN, GUEST },
};

const OperationRow *job_operation(int operation) {
        return operation >= 0 && operation < _OPERATION_MAX ? &operations[operation] : NULL;
}

bool job_operation_has(int operation, unsigned flags) {
        const OperationRow *o = job_operation(operation);

        return o && (o->flags & flags) == flags;
}

const char *job_operation_to_string(JobOperation o) {
        const OperationRow *row = job_operation((int) o);

        return row ? row->name : NULL;
}

JobOperation job_operation_from_string(const char *s) {
        for (int i = 0; s && i < _OPERATION_MAX; i++)
                if (streq(operations[i].name, s))
                        return i;
        return _OPERATION_INVALID;
}

uint32_t operation_bit(JobOperation o) {
        return o >= 0 && o < _OPERATION_MAX ? 1u << ((unsigned) _CAPABILITY_MAX + (unsigned) o) : 0;
}

json_t *operations_to_json(uint32_t mask) {
        json_t *list = json_array();

        for (int o = 0; list && o < _OPERATION_MAX; o++)
                if ((mask & operation_bit(o)) &&
                                json_array_append_new(list, json_string(job_operation_to_string(o))) < 0) {
                        json_decref(list);
                        return NULL;
                }
        return list;
}

int operations_from_json(json_t *value, const char *path, uint32_t *ret, JsonErrors *errors) {
        bool wrong = !json_is_array(value);
        uint32_t mask = 0;
        json_t *v;
        size_t i;

        json_array_foreach(value, i, v) {
                wrong |= !json_is_string(v);
                mask |= operation_bit(job_operation_from_string(strempty(json_string_value(v))));
        }
        if (wrong) {
                int r = json_errors_add(errors, path, "must be a list of words");

                return r < 0 ? r : -EBADMSG;
        }
        *ret = mask;
        return 0;
}
