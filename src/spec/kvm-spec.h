/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A libvirt domain as the destination of a job: its disks are files, and it is defined when they are in
 * place. */

#include "spec/vm.h"

#include "json/json-table.h"

#define KVM_URI "qemu:///system"
/* That of another host, unless it is named. */
#define KVM_POOL "default"
/* That of libvirt's pool "default". */
#define KVM_DIRECTORY "/var/lib/libvirt/images"

typedef struct KvmSpec {
        char *uri; /* NULL: KVM_URI; that of another host: its disks are sent there */
        char *pool; /* the storage pool of the disks, or NULL; never NULL on another host. On this machine,
                     * the manager puts its directory in place of it. */
        char *name; /* of the domain; once the spec is decoded, never NULL */
        char *directory; /* of the disks, or NULL; only until the spec is decoded */
        json_t *network_map; /* kvm-domain.h, or NULL */
        json_t *hardware; /* what differs from the source: a document as in vm.h, or NULL */
        int disk_bus; /* VmBus; unknown: chosen by the operating system */
        char *nic_model; /* or NULL, likewise */
        bool start;
} KvmSpec;

/* That of the libvirt. */
const char *kvm_spec_uri(const KvmSpec *k) _pure_;
/* True if the domain is to be defined on another machine. */
bool kvm_spec_is_remote(const KvmSpec *k) _pure_;

/* Checks the fields. Errors are added at "destination.FIELD". 0 or -ENOMEM. */
int kvm_spec_check(const KvmSpec *k, const char *path, JsonErrors *errors);

/* Completes the name by @source_name (NULL: the source has none) and the path of the first disk by the
 * directory, the name and the format. Likewise. */
int kvm_spec_complete(
                KvmSpec *k, const char *source_name, const char *extension, char **path, JsonErrors *errors);

/* Checks the parameters of a proof of boot; @domain: the destination is a domain. Likewise. */
int kvm_boot_check(bool domain, bool boot_check, unsigned timeout, JsonErrors *errors);
