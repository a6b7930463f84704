/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The XML of a libvirt domain for a VM of another hypervisor: pure. */

#include "spec/kvm-domain.h"
#include "spec/kvm-target.h"

/* The namespace of the element in the domain's metadata that names the job. */
#define HARDWARE_NAMESPACE "http://hyper1.org/xmlns/libvirt/domain/1.0"

/* @d must have passed kvm_domain_check() with @t. *ret_warnings says what differs from the source and matters
 * (the caller frees both). 0; -EILSEQ: a name or path has characters that XML cannot have; -ENOMEM. */
int hardware_xml(const KvmDomain *d, const KvmTarget *t, char **ret, char ***ret_warnings);

/* The same hardware for a proof of boot: a domain with another name and UUID, whose NICs are connected to
 * nothing, and that does not change its disks (libvirt's <transient/>). */
int hardware_boot_xml(const KvmDomain *d, const KvmTarget *t, char **ret);
