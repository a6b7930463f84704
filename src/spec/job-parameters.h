/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The words of a spec's parameters. */

#include <errno.h>

#include "basic/macro.h"

/* Reading the finished output back and comparing it with the source. */
typedef enum JobVerify {
        VERIFY_OFF,
        VERIFY_ON, /* all data, and a sample of what the source calls zero */
        VERIFY_FULL, /* every byte of both */
        VERIFY_PRECOPY, /* of a warm job: whole disks, once, while the virtual machine runs */
        VERIFY_CUTOVER, /* likewise, and once more when it is shut down */
        _VERIFY_MAX,
        _VERIFY_INVALID = -EINVAL,
} JobVerify;

/* "full", "precopy", "cutover" and "none"; the other value is only a boolean. */
JobVerify job_verify_from_string(const char *s) _pure_;

/* What a conversion is to its client; the v1 API shows and filters it. */
typedef enum JobKind {
        JOB_KIND_NONE, /* has no name */
        JOB_KIND_CONVERT,
        JOB_KIND_EXPORT,
        JOB_KIND_MIGRATION,
        _JOB_KIND_MAX,
        _JOB_KIND_INVALID = -EINVAL,
} JobKind;

/* "convert", "export" and "migration" */
JobKind job_kind_from_string(const char *s) _pure_;
const char *job_kind_to_string(JobKind k) _pure_;

/* What is done with a source that another program may be writing. */
typedef enum JobInUse {
        IN_USE_REFUSE,
        IN_USE_ALLOW,
        _IN_USE_MAX,
        _IN_USE_INVALID = -EINVAL,
} JobInUse;

JobInUse job_in_use_from_string(const char *s) _pure_;

/* What is done with an image on top of others, which holds only what was changed. */
typedef enum JobChain {
        CHAIN_REFUSE,
        CHAIN_FLATTEN, /* all of them are read as one disk */
        _CHAIN_MAX,
        _CHAIN_INVALID = -EINVAL,
} JobChain;

JobChain job_chain_from_string(const char *s) _pure_;

/* How the clusters of a qcow2 image are compressed. */
typedef enum JobCompression {
        JOB_COMPRESSION_NONE, /* has no name */
        JOB_COMPRESSION_ZLIB,
        JOB_COMPRESSION_ZSTD,
        _JOB_COMPRESSION_MAX,
        _JOB_COMPRESSION_INVALID = -EINVAL,
} JobCompression;

JobCompression job_compression_from_string(const char *s) _pure_;

/* How an initramfs gets the drivers that it lacks. */
typedef enum JobInitramfs {
        INITRAMFS_APPEND, /* as one more archive: nothing of the guest is executed */
        INITRAMFS_NATIVE, /* the guest's own program makes it anew */
        _INITRAMFS_MAX,
        _INITRAMFS_INVALID = -EINVAL,
} JobInitramfs;

/* "append" and "native" */
JobInitramfs job_initramfs_from_string(const char *s) _pure_;

/* Which files of a guest with SELinux are labeled. */
typedef enum JobRelabel {
        RELABEL_CHANGED, /* those that were changed */
        RELABEL_FULL, /* all, in the appliance */
        RELABEL_FIRSTBOOT, /* all, by the guest when it starts */
        _RELABEL_MAX,
        _RELABEL_INVALID = -EINVAL,
} JobRelabel;

/* "changed", "full" and "firstboot" */
JobRelabel job_relabel_from_string(const char *s) _pure_;
const char *job_relabel_to_string(JobRelabel r) _pure_;
