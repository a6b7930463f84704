/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The cache of a host's VMs. */

#include "hosts/host.h"

/* Looks at everything anew, or at one VM. */
void host_look_at_all(Host *h);
void host_look_at(Host *h, const char *uuid);
/* Puts into the cache what libvirt said of @n VMs, and takes those out that are gone (a strv of UUIDs).
 * Takes the rows' strings where it needs them. */
void host_take_vms(Host *h, VmRow *rows, size_t n, char *const *gone);
/* Reads the cache from the database. */
int host_load_vms(Host *h);
