/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/capability.h"
#include "basic/string-util.h"

/* Where the parts of a packed demand are. */
#define MEMORY_SHIFT 16
#define DISK_SHIFT 36
static_assert((int) _CAPABILITY_MAX + (int) _OPERATION_MAX <= MEMORY_SHIFT, "the mask has its bits");

static const char *const capability_names[_CAPABILITY_MAX] = {
        [CAPABILITY_QEMU_IMG] = "qemu_img",
        [CAPABILITY_NBD_ACCESS] = "nbd_access",
        [CAPABILITY_LVM_TOOLS] = "lvm_tools",
        [CAPABILITY_MOUNT_OPERATIONS] = "mount_operations",
        [CAPABILITY_SELINUX_TOOLS] = "selinux_tools",
};

#define BIT(c) (1u << CAPABILITY_##c)

static const uint32_t operations[_OPERATION_MAX] = {
        [OPERATION_CONVERT] = BIT(QEMU_IMG),
        [OPERATION_INSPECT] = BIT(QEMU_IMG),
        [OPERATION_OFFLINE_FIX] = BIT(NBD_ACCESS) | BIT(MOUNT_OPERATIONS),
        [OPERATION_BOOT_REPAIR] = BIT(NBD_ACCESS) | BIT(MOUNT_OPERATIONS),
        [OPERATION_SELINUX_PREP] = BIT(NBD_ACCESS) | BIT(MOUNT_OPERATIONS) | BIT(SELINUX_TOOLS),
        [OPERATION_LVM_REPAIR] = BIT(NBD_ACCESS) | BIT(LVM_TOOLS),
        [OPERATION_FS_REPAIR] = BIT(NBD_ACCESS),
        [OPERATION_INITRAMFS_REGENERATE] = BIT(NBD_ACCESS) | BIT(MOUNT_OPERATIONS),
};

const char *capability_to_string(Capability c) {
        return c >= 0 && c < _CAPABILITY_MAX ? capability_names[c] : NULL;
}

Capability capability_from_string(const char *s) {
        for (int i = 0; s && i < _CAPABILITY_MAX; i++)
                if (streq(capability_names[i], s))
                        return i;
        return _CAPABILITY_INVALID;
}

uint32_t operation_capabilities(JobOperation o) {
        return o >= 0 && o < _OPERATION_MAX ? operations[o] : 0;
}

char *capabilities_to_text(uint32_t mask) {
        _cleanup_free_ char *text = strdup("");

        for (int i = 0; text && i < _CAPABILITY_MAX; i++)
                if (mask & 1u << i) {
                        char *longer = strprintf(
                                        "%s%s%s", text, isempty(text) ? "" : ", ", capability_names[i]);

                        free(text);
                        text = longer;
                }
        return TAKE_PTR(text);
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
        Requirements q = {};
        int r;

        if (spec->capability_requirements) {
                r = json_table_decode(requirement_fields, spec->capability_requirements,
                                "capability_requirements", &q, errors);
                if (r < 0)
                        return r;
                if (errors->n_errors > before || before >= JSON_ERRORS_MAX)
                        return -EBADMSG;
        }
        *ret = (JobDemand){
                .capabilities = operation_bit(spec->operation) | operation_capabilities(spec->operation) |
                                (q.nbd ? BIT(NBD_ACCESS) : 0) | (q.lvm ? BIT(LVM_TOOLS) : 0) |
                                (q.mount ? BIT(MOUNT_OPERATIONS) : 0) | (q.selinux ? BIT(SELINUX_TOOLS) : 0),
                .memory_gb = q.memory_gb,
                .disk_gb = q.disk_gb,
        };
        return 0;
}

static void add_word(uint32_t *mask, const char *word) {
        Capability c = capability_from_string(word);

        if (c >= 0)
                *mask |= 1u << c;
}

int capabilities_from_json(json_t *value, const char *path, uint32_t *ret, JsonErrors *errors) {
        uint32_t mask = 0;
        const char *key;
        bool wrong = false;
        json_t *v;
        size_t i;

        if (json_is_array(value)) {
                json_array_foreach(value, i, v) {
                        wrong |= !json_is_string(v);
                        add_word(&mask, json_string_value(v));
                }
        } else if (json_is_object(value)) {
                json_object_foreach(value, key, v) {
                        wrong |= !json_is_boolean(v);
                        if (json_is_true(v))
                                add_word(&mask, key);
                }
        } else
                wrong = true;
        if (wrong) {
                int r = json_errors_add(errors, path, "must be a list of words, or an object of booleans");

                return r < 0 ? r : -EBADMSG;
        }
        *ret = mask;
        return 0;
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
