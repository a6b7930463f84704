/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls for a proof of boot (libvirt-error.h): the hardware of a domain is started, with its own
 * name and without a network, on disks that are not changed, and watched. */

#include <libvirt/libvirt.h>
#include <stdatomic.h>

#include "basic/time-util.h"
#include "spec/kvm-boot.h"
#include "spec/kvm-domain.h"

typedef struct BootRequest {
        const KvmDomain *domain;
        bool local; /* it is the libvirt of this machine */
        usec_t limit; /* 0: the default */
        usec_t limit_default; /* with KVM; without it, BOOT_EMULATED_FACTOR times as much */
        const atomic_bool *cancelled; /* set by another thread */
} BootRequest;

#define BOOT_EMULATED_FACTOR 4u

/* 0 also if the guest does not boot, or libvirt does not start it. *ret_screenshot is a PNG, or negative:
 * there is none. -ECANCELED; -ENOLINK: the connection broke, so that libvirt_boot_end() is needed. */
int libvirt_boot(virConnectPtr connection, const BootRequest *q, KvmBoot **ret, int *ret_screenshot,
                char **ret_error);

/* Ends what a proof for the job has left running. */
int libvirt_boot_end(virConnectPtr connection, const char *job_id, char **ret_error);
