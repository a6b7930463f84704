/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a libvirt host has: the capabilities of its hypervisor, its networks, and what its domains use
 * already. hyper-hostd writes it, hyper-job reads it before a copy begins. */

#include "json/json-table.h"

#define KVM_TARGET_MAX ((size_t) 8 * 1024 * 1024)
#define KVM_DOMAINS_MAX 20000u

typedef struct KvmNeighbour {
        char *name, *uuid; /* of a domain */
        char **macs; /* as vm_mac_normalize() writes them */
} KvmNeighbour;

typedef struct KvmTarget {
        char *type; /* "kvm", or "qemu" without hardware virtualization */
        bool q35; /* the machine type */
        bool efi, secure_boot; /* firmware that libvirt finds */
        bool tpm; /* emulated, of version 2.0 */
        bool host_model, maximum; /* modes of the CPU */
        bool virtio_vga;
        char **networks, **bridges;
        char **inactive; /* those of the networks that are not active */
        char **pools; /* the names of all storage pools */
        /* The pool that was asked about; NULL: none was, or there is none of that name */
        char *pool, *pool_type, *pool_path;
        bool pool_active;
        uint64_t pool_available; /* bytes; 0 if it is not active */
        json_t *volumes; /* a list of the names of its volumes, or NULL */
        KvmNeighbour *domains;
        size_t n_domains, allocated_domains;
} KvmTarget;

KvmTarget *kvm_target_free(KvmTarget *t);
DEFINE_CLEANUP_FUNC(KvmTarget *, kvm_target_free);
#define _cleanup_kvm_target_ _cleanup_(kvm_target_freep)

/* A new empty entry; NULL when out of memory, or with errno E2BIG when there are too many. */
KvmNeighbour *kvm_target_add_domain(KvmTarget *t);

/* 0; -EBADMSG: malformed; -ENOMEM. */
int kvm_target_decode(const char *text, size_t size, KvmTarget **ret);
/* NULL when out of memory, or if a string is no UTF-8. */
json_t *kvm_target_to_json(const KvmTarget *t);
