/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt says of the domains that a hypervisor can run (virConnectGetDomainCapabilities()). */

#include "spec/kvm-target.h"

/* Sets in @t what the XML says; its other members stay. 0, -EBADMSG or -ENOMEM. */
int domain_capabilities_read(const char *xml, size_t size, KvmTarget *t);
/* The MAC addresses of a domain, as vm_mac_normalize() writes them; added to *macs. Likewise. */
int domain_macs_read(const char *xml, size_t size, char ***macs);
