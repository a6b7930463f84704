/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-parameters.h"
#include "basic/string-util.h"

static const char *const verify_names[_VERIFY_MAX] = {
        [VERIFY_OFF] = "none",
        [VERIFY_FULL] = "full",
        [VERIFY_PRECOPY] = "precopy",
        [VERIFY_CUTOVER] = "cutover",
};

static const char *const kind_names[_JOB_KIND_MAX] = {
        [JOB_KIND_CONVERT] = "convert",
        [JOB_KIND_EXPORT] = "export",
        [JOB_KIND_MIGRATION] = "migration",
};

static const char *const in_use_names[_IN_USE_MAX] = {
        [IN_USE_REFUSE] = "refuse",
        [IN_USE_ALLOW] = "allow",
};

static const char *const chain_names[_CHAIN_MAX] = {
        [CHAIN_REFUSE] = "refuse",
        [CHAIN_FLATTEN] = "flatten",
};

static const char *const compression_names[_JOB_COMPRESSION_MAX] = {
        [JOB_COMPRESSION_ZLIB] = "zlib",
        [JOB_COMPRESSION_ZSTD] = "zstd",
};

static const char *const initramfs_names[_INITRAMFS_MAX] = {
        [INITRAMFS_APPEND] = "append",
        [INITRAMFS_NATIVE] = "native",
};

static const char *const relabel_names[_RELABEL_MAX] = {
        [RELABEL_CHANGED] = "changed",
        [RELABEL_FULL] = "full",
        [RELABEL_FIRSTBOOT] = "firstboot",
};

static int find_name(const char *const *names, int n, const char *s) {
        for (int i = 0; s && i < n; i++)
                if (streq_ptr(names[i], s))
                        return i;
        return -EINVAL;
}

JobVerify job_verify_from_string(const char *s) {
        return find_name(verify_names, _VERIFY_MAX, s);
}

JobKind job_kind_from_string(const char *s) {
        return find_name(kind_names, _JOB_KIND_MAX, s);
}

const char *job_kind_to_string(JobKind k) {
        return k >= 0 && k < _JOB_KIND_MAX ? kind_names[k] : NULL;
}

JobInUse job_in_use_from_string(const char *s) {
        return find_name(in_use_names, _IN_USE_MAX, s);
}

JobChain job_chain_from_string(const char *s) {
        return find_name(chain_names, _CHAIN_MAX, s);
}

JobCompression job_compression_from_string(const char *s) {
        return find_name(compression_names, _JOB_COMPRESSION_MAX, s);
}

JobInitramfs job_initramfs_from_string(const char *s) {
        return find_name(initramfs_names, _INITRAMFS_MAX, s);
}

JobRelabel job_relabel_from_string(const char *s) {
        return find_name(relabel_names, _RELABEL_MAX, s);
}

const char *job_relabel_to_string(JobRelabel r) {
        return r >= 0 && r < _RELABEL_MAX ? relabel_names[r] : NULL;
}
