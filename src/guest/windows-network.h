/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The network interfaces of a Windows, as its registry has them. KVM has other ones, which are new to
 * Windows: what was configured for the old ones is given to them. */

#include "guest/registry.h"

#define WINDOWS_INTERFACES_MAX 32u
#define WINDOWS_ADDRESSES_MAX 16u

typedef struct WindowsAddress {
        char address[16]; /* of IPv4 */
        char mask[16];
} WindowsAddress;

typedef struct WindowsInterface {
        char id[39]; /* {GUID} */
        char mac[18]; /* lower case, "" if it is not known */
        char *name; /* "Ethernet0" */
        bool fixed; /* its addresses do not come from DHCP */
        WindowsAddress addresses[WINDOWS_ADDRESSES_MAX];
        size_t n_addresses;
        char gateways[WINDOWS_ADDRESSES_MAX][16];
        size_t n_gateways;
        char servers[WINDOWS_ADDRESSES_MAX][16]; /* of DNS */
        size_t n_servers;
} WindowsInterface;

typedef struct WindowsNetwork {
        WindowsInterface *items;
        size_t n, allocated;
} WindowsNetwork;

void windows_network_done(WindowsNetwork *n);

/* Reads those of the control set @set of the hive SYSTEM. What is malformed is left out. 0 or negative
 * errno. */
int windows_network_read(const Registry *system, const char *set, WindowsNetwork *ret);

/* "192.0.2.1" and nothing else; not 0.0.0.0. */
bool windows_address_is_valid(const char *s);
/* The length of the prefix of a mask, or -EINVAL. */
int windows_mask_length(const char *mask);
/* Finds the MAC address in the ID of a device of VMware's vmxnet3, which has the serial number of the device.
 * @ret has room for 18 bytes. False if it has none. */
bool windows_device_mac(const char *id, char *ret);
