/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The words of a job spec. */

#include "basic/string-util.h"
#include "shared/job-spec.h"

static const char *const operation_names[_OPERATION_MAX] = {
        [OPERATION_CONVERT] = "convert",
        [OPERATION_INSPECT] = "inspect",
        [OPERATION_OFFLINE_FIX] = "offline_fix",
        [OPERATION_BOOT_REPAIR] = "boot_repair",
        [OPERATION_SELINUX_PREP] = "selinux_prep",
        [OPERATION_LVM_REPAIR] = "lvm_repair",
        [OPERATION_FS_REPAIR] = "fs_repair",
        [OPERATION_INITRAMFS_REGENERATE] = "initramfs_regenerate",
};

static const struct {
        const char *name, *qemu;
} formats[_FORMAT_MAX] = {
        [FORMAT_PROBE] = { "probe", NULL },
        [FORMAT_RAW] = { "raw", "raw" },
        [FORMAT_QCOW2] = { "qcow2", "qcow2" },
        [FORMAT_VMDK] = { "vmdk", "vmdk" },
        [FORMAT_VDI] = { "vdi", "vdi" },
        [FORMAT_VHD] = { "vhd", "vpc" },
        [FORMAT_VHDX] = { "vhdx", "vhdx" },
        [FORMAT_PARALLELS] = { "parallels", "parallels" },
        [FORMAT_OVA] = { "ova", NULL },
};

static const char *const endpoint_names[_ENDPOINT_MAX] = {
        [ENDPOINT_FILE] = "file",
        [ENDPOINT_NBD] = "nbd",
};

static const char *const in_use_names[_IN_USE_MAX] = {
        [IN_USE_REFUSE] = "refuse",
        [IN_USE_ALLOW] = "allow",
};

static const char *const chain_names[_CHAIN_MAX] = {
        [CHAIN_REFUSE] = "refuse",
        [CHAIN_FLATTEN] = "flatten",
};

static int find_name(const char *const *names, int n, const char *s) {
        for (int i = 0; s && i < n; i++)
                if (streq(names[i], s))
                        return i;
        return -EINVAL;
}

const char *job_operation_to_string(JobOperation o) {
        return o >= 0 && o < _OPERATION_MAX ? operation_names[o] : NULL;
}

JobOperation job_operation_from_string(const char *s) {
        return find_name(operation_names, _OPERATION_MAX, s);
}

bool job_operation_is_built_in(JobOperation o) {
        return o == OPERATION_CONVERT;
}

const char *disk_format_to_string(DiskFormat f) {
        return f >= 0 && f < _FORMAT_MAX ? formats[f].name : NULL;
}

const char *disk_format_to_qemu(DiskFormat f) {
        return f >= 0 && f < _FORMAT_MAX ? formats[f].qemu : NULL;
}

DiskFormat disk_format_from_string(const char *s) {
        for (int i = 0; s && i < _FORMAT_MAX; i++)
                if (streq(formats[i].name, s) || streq_ptr(formats[i].qemu, s))
                        return i;
        return _FORMAT_INVALID;
}

const char *endpoint_type_to_string(EndpointType t) {
        return t >= 0 && t < _ENDPOINT_MAX ? endpoint_names[t] : NULL;
}

EndpointType endpoint_type_from_string(const char *s) {
        return find_name(endpoint_names, _ENDPOINT_MAX, s);
}

const char *job_in_use_to_string(JobInUse u) {
        return u >= 0 && u < _IN_USE_MAX ? in_use_names[u] : NULL;
}

JobInUse job_in_use_from_string(const char *s) {
        return find_name(in_use_names, _IN_USE_MAX, s);
}

const char *job_chain_to_string(JobChain c) {
        return c >= 0 && c < _CHAIN_MAX ? chain_names[c] : NULL;
}

JobChain job_chain_from_string(const char *s) {
        return find_name(chain_names, _CHAIN_MAX, s);
}
