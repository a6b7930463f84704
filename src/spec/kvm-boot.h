/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a proof of boot has shown: from hyper-hostd to hyper-job, which keeps it in the job's directory, and
 * to the manager, for the job's result. */

#include "json/json-table.h"

#define KVM_BOOT_MAX ((size_t) 256 * 1024)
/* Written by "hyper-job boot" into the directory of a job, when the proof has ended. */
#define KVM_BOOT_FILE "boot"
/* Lines of the console that are kept, and bytes of each. */
#define KVM_BOOT_LINES_MAX 40u
#define KVM_BOOT_LINE_MAX 256u
#define KVM_BOOT_SECONDS_MAX 86400u

typedef enum KvmBoots {
        KVM_BOOTS_YES,
        KVM_BOOTS_NO,
        KVM_BOOTS_UNKNOWN, /* a person has to look at the screenshot and the console */
        _KVM_BOOTS_MAX,
        _KVM_BOOTS_INVALID = -EINVAL,
} KvmBoots;

const char *kvm_boots_to_string(KvmBoots b) _pure_;
KvmBoots kvm_boots_from_string(const char *s) _pure_;

typedef struct KvmBoot {
        int boots; /* KvmBoots */
        char *message; /* for people: what was seen */
        char **console; /* the last lines of the serial console */
        char *screenshot; /* path of a PNG, or NULL */
        unsigned seconds; /* from the start of the domain */
        uint64_t bytes_read; /* by the guest, from its disks */
} KvmBoot;

KvmBoot *kvm_boot_free(KvmBoot *b);
DEFINE_CLEANUP_FUNC(KvmBoot *, kvm_boot_free);
#define _cleanup_kvm_boot_ _cleanup_(kvm_boot_freep)

/* With a copy of @message, and nothing else; NULL when out of memory. */
KvmBoot *kvm_boot_new(KvmBoots boots, const char *message);

/* 0; -EBADMSG: malformed; -ENOMEM. */
int kvm_boot_decode(const char *text, size_t size, KvmBoot **ret);
/* NULL when out of memory. */
json_t *kvm_boot_to_json(const KvmBoot *b);

/* In the directory of a job. -ENOENT: there is none. */
int kvm_boot_read(const char *directory, KvmBoot **ret);
int kvm_boot_write(const KvmBoot *b, const char *directory);

/* The name of the domain that is started for the proof of a job, which is in the names of its overlays, too.
 * NULL when out of memory; the caller frees. */
char *kvm_boot_domain_name(const char *job_id);
