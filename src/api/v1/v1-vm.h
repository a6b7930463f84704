/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A virtual machine of a provider, as lists of v1 have it. Pure. What comes in is what hyper-vsphered and
 * hyper-hostd know: text that a server or a guest has chosen. */

#include <jansson.h>

#include "api/openapi/schema.h"
#include "store/hosts.h"

typedef enum V1Os {
        V1_OS_LINUX,
        V1_OS_OTHER,
        V1_OS_WINDOWS,
        _V1_OS_MAX,
        _V1_OS_INVALID = -EINVAL, /* unknown */
} V1Os;

const char *v1_os_to_string(int os) _pure_; /* NULL for what is unknown */
int v1_os_from_string(const char *s) _pure_;

typedef enum V1Power {
        V1_POWERED_OFF,
        V1_POWERED_ON,
        V1_SUSPENDED,
        _V1_POWER_MAX,
        _V1_POWER_INVALID = -EINVAL, /* unknown */
} V1Power;

const char *v1_power_to_string(int power) _pure_; /* "poweredOn"; NULL for what is unknown */
/* "running", "stopped", "suspended", and the words of v1_power_to_string() */
int v1_power_from_status(const char *s) _pure_;

typedef enum V1ProviderType {
        V1_PROVIDER_LIBVIRT,
        V1_PROVIDER_LOCAL, /* files of this machine */
        V1_PROVIDER_NBD,
        V1_PROVIDER_VSPHERE,
        _V1_PROVIDER_MAX,
        _V1_PROVIDER_INVALID = -EINVAL,
} V1ProviderType;

const char *v1_provider_type_to_string(int type) _pure_;
int v1_provider_type_from_string(const char *s) _pure_;

/* Strings may be NULL: unknown. */
typedef struct V1Vm {
        char *id, *name, *path, *uuid, *instance_uuid, *os_version, *ip, *annotation;
        const char *tools; /* static: "running", "not_running" */
        int os; /* V1Os */
        int power; /* V1Power */
        unsigned cpu;
        uint64_t memory_mb;
        usec_t last_seen;
} V1Vm;

void v1_vm_done(V1Vm *vm);
#define _cleanup_v1_vm_ _cleanup_(v1_vm_done)

/* From an element of ListVMs of hyper-vsphered, or from GetVM. 0, -EBADMSG without an ID and a name, or
 * -ENOMEM. */
int v1_vm_from_vsphere(const json_t *o, usec_t seen, V1Vm *ret);
/* From the row of a VM of libvirt; @seen: when it was last known to be so. */
int v1_vm_from_libvirt(const VmRow *row, const char *host, usec_t seen, V1Vm *ret);

/* With "disks" and "nics", which are empty. NULL when out of memory. */
json_t *v1_vm_json(const V1Vm *vm, V1ProviderType type, const char *provider_id);

/* True if @what is its name, path, ID or UUID. */
bool v1_vm_is_called(const V1Vm *vm, const char *what) _pure_;

extern const Schema v1_vm_schema;
