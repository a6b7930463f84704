/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of network interfaces that a guest's configuration uses. They depend on the slot of the source's
 * hardware (ens192); a .link file (systemd.link(5)) keeps them. */

#include "basic/macro.h"

#define NIC_NAME_MAX 15u /* IFNAMSIZ, without the NUL */
#define NICS_MAX 64u

typedef struct Nic {
        char name[NIC_NAME_MAX + 1];
        char mac[18]; /* lower case, "" if it is not known */
        const char *by; /* what configures it: "ifupdown", … */
} Nic;

typedef struct Nics {
        Nic items[NICS_MAX];
        size_t n;
} Nics;

/* Adds the interfaces that a file of its kind names: nic-read.h, nic-keyfile.h, nic-netplan.h. @file is its
 * path. */
typedef void (*nics_reader)(Nics *nics, const char *file, const char *text);

/* A NIC of the source's hardware. */
typedef struct NicSource {
        char mac[18]; /* lower case */
        unsigned slot; /* the PCI slot number of VMware; 0: unknown */
} NicSource;

/* Gives each name the address of its NIC. An address that no NIC of the source has is stale. ens192 is the
 * NIC in slot 192; a single name that is left is that of a single NIC that is left. */
void nics_assign(Nics *nics, const NicSource *sources, size_t n);

/* True if the kernel or systemd gives such a name to an Ethernet interface, so that it may be another one on
 * KVM: ens192, eth0, enp1s0. */
bool nic_name_is_unstable(const char *name) _pure_;

/* The text of a .link file: by address, or by the driver if there is none. NULL when out of memory; the
 * caller frees. */
char *nic_link_text(const Nic *nic);
/* The same as a udev rule, for a guest without systemd. @nic has an address. */
char *nic_rule_text(const Nic *nic);
