/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One virtual machine: its hardware and its power. All functions block. @id is VmSummary.id. -ENOENT:
 * there is no such VM (any more). */

#include "vsphere/vm-detail.h"

/* Decodes all but path, datacenter and host; the names of distributed port groups are IDs. 0, -EBADMSG if
 * there is no name, or -ENOMEM. */
int vm_detail_read(PropertyObject o, VmDetail *ret);

int vm_read(Session *s, const char *id, VmDetail *ret);

/* Reads several: all but path, datacenter and host. @func is called for each, in the order of the server; 0,
 * or a negative errno that ends it. */
typedef int (*vm_detail_func)(const VmDetail *d, void *userdata);
int vm_read_many(Session *s, char *const *ids, vm_detail_func func, void *userdata);

int vm_read_power(Session *s, const char *id, VmPower *ret);
/* When it was powered on, as the server writes it; "" for a VM that is off, or if that is not known. */
int vm_read_boot_time(Session *s, const char *id, char **ret);

/* 0 also if the VM is on already. */
int vm_power_on(Session *s, const char *id);
/* 0 also if the VM is off already. */
int vm_power_off(Session *s, const char *id);
/* Asks the guest to shut down, and returns at once: see vm_wait_power(). 0 also if the VM is off already.
 * -EOPNOTSUPP: the guest has no tools running that could do it (ToolsUnavailable). */
int vm_shutdown_guest(Session *s, const char *id);
/* -ETIMEDOUT if the VM is not in that state within @timeout */
int vm_wait_power(Session *s, const char *id, VmPower power, usec_t timeout);

/* Removes all CD-ROM drives with one reconfiguration. */
int vm_remove_cdroms(Session *s, const char *id, unsigned *ret_removed);
