/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The disks, ports and displays of a VM, from libvirt's description of it, which is hostile input
 * (xml-util.h). All return 0, -EBADMSG if it is no such description, or -ENOMEM. */

#include "hosts/host-items.h"

/* The texts of a disk, and of a port, behind those of the VM: its UUID and name. */
typedef enum DiskText {
        DISK_VM,
        DISK_VM_NAME,
        DISK_TARGET, /* "vda" */
        DISK_BUS,
        DISK_DEVICE, /* "disk", "cdrom" */
        DISK_TYPE, /* "file" */
        DISK_FORMAT, /* "qcow2" */
        DISK_PATH,
} DiskText;

typedef enum DiskNumber {
        DISK_CAPACITY, /* bytes; 0 here, libvirt knows it */
        DISK_READONLY,
        DISK_SHAREABLE,
} DiskNumber;

typedef enum PortText {
        PORT_VM,
        PORT_VM_NAME,
        PORT_MAC,
        PORT_MODEL,
        PORT_TYPE, /* "network", "bridge" */
        PORT_SOURCE, /* the network or bridge by its name */
        PORT_GROUP,
        PORT_TARGET, /* "vnet0", of a VM that runs */
        PORT_LINK, /* "up", "down" */
} PortText;

typedef enum PortNumber {
        PORT_RX_BYTES, /* 0 here, libvirt knows it */
        PORT_TX_BYTES,
} PortNumber;

/* Append to @items. */
int domain_xml_disks(const char *xml, size_t size, const char *uuid, const char *name, HostItems *items);
int domain_xml_ports(const char *xml, size_t size, const char *uuid, const char *name, HostItems *items);

/* The display of a type ("vnc", "spice"), or with "" the first of VNC or else of SPICE: its number among the
 * displays of the VM, and its type ("vnc" or "spice", static). -ENOENT if there is none. */
int domain_xml_display(
                const char *xml, size_t size, const char *type, unsigned *ret_index, const char **ret_type);
