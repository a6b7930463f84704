/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The network interfaces that a guest's configuration files have, and their addresses. */

#include <arpa/inet.h>

#include "basic/macro.h"

#define NETWORK_INTERFACES_MAX 64u
#define NETWORK_ADDRESSES_MAX 8u
#define NETWORK_NAME_MAX 31u

typedef struct NetworkInterface {
        char name[NETWORK_NAME_MAX + 1];
        char mac[18]; /* lower case, "" if it is not known */
        const char *by; /* what configures it: "ifupdown", … */
        bool dhcp;
        char addresses[NETWORK_ADDRESSES_MAX][INET6_ADDRSTRLEN + 4]; /* "192.0.2.1/24" */
        size_t n_addresses;
} NetworkInterface;

typedef struct NetworkList {
        NetworkInterface items[NETWORK_INTERFACES_MAX];
        size_t n;
} NetworkList;

/* Each adds what a file of its kind configures. An interface of two files is one; the loopback interface is
 * left out, and so is what is no address. */
void network_add_ifupdown(NetworkList *l, const char *text); /* interfaces(5) */
void network_add_netplan(NetworkList *l, const char *text); /* netplan(5) */
void network_add_network_manager(NetworkList *l, const char *text); /* nm-settings-keyfile(5) */
void network_add_ifcfg(NetworkList *l, const char *text); /* ifcfg-ens192 of RHEL and SUSE */
void network_add_networkd(NetworkList *l, const char *text); /* systemd.network(5) */
