/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Virtual machines in the inventory. Inventory paths are "/DATACENTER/vm/DIRECTORY/NAME", with names as in
 * inventory-name.h. */

#include "vsphere/vm-summary.h"

/* Called for each VM; @v may be changed, and strings taken out of it. 0, 1 or negative errno as for
 * property_func. */
typedef int (*inventory_func)(VmSummary *v, void *userdata);

/* All VMs, in the order of the server. Blocks. Needs less than 64 MiB for 10,000 VMs besides what @func
 * keeps. */
int inventory_list(Session *s, inventory_func func, void *userdata);

/* Finds one VM. Blocks. @name is
 *   "/…"           an inventory path. The part "/vm" may be left out of it
 *   "a/b"          a path below the directory of a datacenter's VMs, or an inventory path without the "/"
 *   anything else  a name, a UUID (instanceUuid, or that of the BIOS), or an ID ("vm-42") that is no name
 *
 * @datacenter is a name or a path, or NULL for all. -ENOENT: no such VM, -ENOTUNIQ: several; the text lists
 * their paths. The ID is the caller's to free. */
int inventory_find(Session *s, const char *datacenter, const char *name, char **ret_id);
