/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's counters of running VMs (libvirt-error.h). */

#include <libvirt/libvirt.h>

#include "basic/time-util.h"

typedef struct DeviceSample {
        char *device;
        uint64_t read_bytes, write_bytes; /* of a network: received, sent */
        uint64_t reads, writes; /* requests; of a network: packets */
} DeviceSample;

typedef struct VmSample {
        char uuid[VIR_UUID_STRING_BUFLEN];
        usec_t at; /* monotonic */
        int state; /* virDomainState */
        uint64_t memory, max_memory; /* KiB, as libvirt counts it */
        unsigned vcpu;
        uint64_t cpu_time; /* ns */
        DeviceSample *disks, *nets;
        size_t n_disks, n_nets;
} VmSample;
void vm_sample_done(VmSample *s);
void vm_samples_free(VmSample *s, size_t n);

/* Counters of those of the VMs in @uuids (a strv) that there are, in few calls however many they are. */
int libvirt_sample(virConnectPtr connection, char *const *uuids, VmSample **ret, size_t *ret_n,
                char **ret_error);
/* How many calls the above has made, since the process began: for the benchmark. */
unsigned libvirt_sample_calls(void);
