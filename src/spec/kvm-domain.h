/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A domain that is to be defined on libvirt for disks that are in place: from hyper-job to hyper-hostd. And
 * whether it can be, on a host that is described by a KvmTarget: pure. */

#include "spec/kvm-target.h"
#include "spec/vm.h"

#define KVM_DOMAIN_MAX ((size_t) 1024 * 1024)
#define KVM_NAME_MAX 200u /* bytes; a file is named after it */
#define KVM_NETWORKS_MAX 256u
#define KVM_VIRTIO_DISKS_MAX 20u /* each has a slot of PCI */
#define KVM_CPUS_DEFAULT 2u
#define KVM_MEMORY_DEFAULT ((uint64_t) 2048 * 1024 * 1024)

typedef struct KvmDisk {
        char *path; /* absolute */
        char *format; /* "qcow2", "raw" */
        int bus; /* VmBus; unknown: that of the domain */
} KvmDisk;

typedef struct KvmDomain {
        char *job_id; /* is kept in the domain's metadata */
        char *name;
        VmHardware *vm; /* never NULL; what is unknown in it gets a default */
        KvmDisk *disks;
        size_t n_disks;
        json_t *network_map; /* {"network of the source": "network or bridge of the host"}, or NULL */
        int disk_bus; /* VmBus; unknown: chosen by the guest's operating system */
        char *nic_model; /* or NULL: likewise */
        bool start;
        bool headless; /* without a display */
        char *pool; /* that its disks are to be in, or NULL; for kvm_domain_check() only, not in the JSON */
} KvmDomain;

KvmDomain *kvm_domain_free(KvmDomain *d);
DEFINE_CLEANUP_FUNC(KvmDomain *, kvm_domain_free);
#define _cleanup_kvm_domain_ _cleanup_(kvm_domain_freep)

/* Strict. 0; -EBADMSG with @errors; -ENOMEM. */
int kvm_domain_decode(const char *text, size_t size, KvmDomain **ret, JsonErrors *errors);
/* NULL when out of memory. */
json_t *kvm_domain_to_json(const KvmDomain *d);

/* The name of a disk in a storage pool: the last part of its path. */
const char *kvm_volume_name(const KvmDisk *disk) _pure_;

/* May be the name of a domain and, with an extension, of its disk. Otherwise *ret_reason says what is wrong
 * ("must be …", static). */
bool kvm_name_is_valid(const char *name, const char **ret_reason);
/* {"text": "text", …} with at most KVM_NETWORKS_MAX entries. */
bool kvm_network_map_is_valid(const json_t *map) _pure_;
/* What the destination leaves open, the disks' bus and the NICs' model, is as the guest requires it:
 * "hardware" of the result's @guest, which may be NULL. It comes from a guest: words that are not known are
 * ignored. 0 or -ENOMEM. */
int kvm_domain_use_guest(KvmDomain *d, const json_t *guest);

/* "virtio", "e1000e", "e1000", "rtl8139", "vmxnet3" */
bool kvm_nic_model_is_valid(const char *model) _pure_;

typedef enum KvmConnection {
        KVM_CONNECTED_NETWORK, /* a network of libvirt */
        KVM_CONNECTED_BRIDGE,
        KVM_CONNECTED_NOT, /* no network was named for it, and there is no obvious one */
} KvmConnection;

/* What a NIC of the source is connected to: as the map says, else the network "default" if it is the only
 * one. *ret_name belongs to @d or @t. -ENOENT: the map names something that the host does not have, which is
 * in *ret_name. */
int kvm_connection(const KvmDomain *d, const KvmTarget *t, const char *network, KvmConnection *ret,
                const char **ret_name);

/* 0 if the storage pool of that name, which @t is about, can hold disks. -ENOENT, -EOPNOTSUPP: it cannot.
 * Then *ret_text (caller frees) says why, and the remedy. */
int kvm_pool_check(const char *pool, const KvmTarget *t, char **ret_text);

/* 0 if @d can be defined as far as @t tells. -EEXIST: its name, UUID, a MAC or a volume is taken;
 * -EOPNOTSUPP: the host lacks something; -ENOENT: a network or its pool, or these are not active. Then
 * *ret_text (caller frees) says what, and the remedy. */
int kvm_domain_check(const KvmDomain *d, const KvmTarget *t, char **ret_text);
