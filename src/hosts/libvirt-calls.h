/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls as hyper-hostd needs them. All of them block: they are for the threads of workers. They
 * return 0 or the negative errno of libvirt_error() with *ret_error, libvirt's own words, for the caller to
 * free. */

#include <libvirt/libvirt.h>

#include "basic/time-util.h"
#include "store/hosts.h"

/* libvirt's event loop, on a thread of its own for all connections. Stop joins it. */
int libvirt_events_start(void);
void libvirt_events_stop(void);

/* libvirt's last error of this thread: -ENODEV no such VM, -EBADFD wrong state, -ENOLINK not connected,
 * -EACCES refused, -EINVAL a URI it does not understand, -EOPNOTSUPP, -EREMOTEIO all else. */
int libvirt_error(char **ret_error);

typedef struct HostFacts {
        char *hostname;
        unsigned cpu; /* logical processors */
        unsigned cores; /* per socket */
        unsigned threads; /* per core */
        uint64_t memory, memory_used; /* bytes; used is 0 if the driver cannot tell */
} HostFacts;
void host_facts_done(HostFacts *f);

int libvirt_facts(virConnectPtr connection, HostFacts *ret, char **ret_error);

/* The UUIDs of all VMs, as a strv. */
int libvirt_list(virConnectPtr connection, char ***ret, char **ret_error);

/* What libvirt knows of one VM; its seq and times are not set. */
int libvirt_describe(virConnectPtr connection, const char *uuid, VmRow *ret, char **ret_error);

typedef enum VmAction {
        VM_START,
        VM_SHUTDOWN,
        VM_REBOOT,
        VM_DESTROY,
        VM_RESET,
        _VM_ACTION_MAX,
        _VM_ACTION_INVALID = -EINVAL,
} VmAction;
const char *vm_action_to_string(VmAction a);
VmAction vm_action_from_string(const char *s);

int libvirt_act(virConnectPtr connection, const char *uuid, VmAction action, char **ret_error);

/* Its description as libvirt gives it, without secrets; the caller frees. */
int libvirt_xml(virConnectPtr connection, const char *uuid, char **ret, char **ret_error);

typedef struct DeviceSample {
        char *device;
        uint64_t read_bytes, write_bytes; /* of a network: received, sent */
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
