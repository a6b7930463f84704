/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls that list what a host has (libvirt-error.h). Each appends to @items; what the texts and
 * numbers of an item are is said here, in their order. */

#include <libvirt/libvirt.h>

#include "hosts/host-items.h"

/* name, UUID, type, path, state ("active", "inactive"); capacity, allocation, available (bytes), starts by
 * itself */
int libvirt_pools(virConnectPtr connection, HostItems *items, char **ret_error);
/* pool, name, path, type, format; capacity, allocation (bytes). Of the active pools. */
int libvirt_volumes(virConnectPtr connection, HostItems *items, char **ret_error);
/* name, UUID, bridge, mode, state; starts automatically, is persistent */
int libvirt_networks(virConnectPtr connection, HostItems *items, char **ret_error);
/* Of all VMs: enum DiskText and DiskNumber, PortText and PortNumber (domain-devices.h). */
int libvirt_disks(virConnectPtr connection, HostItems *items, char **ret_error);
int libvirt_ports(virConnectPtr connection, HostItems *items, char **ret_error);
