/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What became of a domain that was to be defined: from hyper-hostd to hyper-job, which keeps it in the job's
 * directory, and to the manager, for the job's result. */

#include "json/json-table.h"

#define KVM_OUTCOME_MAX ((size_t) 2 * 1024 * 1024)
/* Written by "hyper-job define" into the directory of a job, when libvirt has answered. */
#define KVM_OUTCOME_FILE "domain"

typedef struct KvmOutcome {
        char *name;
        char *uuid; /* NULL: it is not defined */
        bool running;
        char *xml; /* as it was given to libvirt; NULL: it was not made */
        char **warnings;
        char **disks; /* their paths on another host that they were sent to; else NULL */
        char *error; /* for people: why it is not defined, or not started; else NULL */
} KvmOutcome;

KvmOutcome *kvm_outcome_free(KvmOutcome *o);
DEFINE_CLEANUP_FUNC(KvmOutcome *, kvm_outcome_free);
#define _cleanup_kvm_outcome_ _cleanup_(kvm_outcome_freep)

/* 0; -EBADMSG: malformed; -ENOMEM. */
int kvm_outcome_decode(const char *text, size_t size, KvmOutcome **ret);
json_t *kvm_outcome_to_json(const KvmOutcome *o);

/* In the directory of a job. -ENOENT: there is none. */
int kvm_outcome_read(const char *directory, KvmOutcome **ret);
int kvm_outcome_write(const KvmOutcome *o, const char *directory);
