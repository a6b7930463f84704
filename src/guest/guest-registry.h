/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A hive of a guest, opened in the appliance: hives are hostile. One can be open at a time. */

#include "guest/guest.h"
#include "guest/registry.h"

/* @path is that of its file, @name for the list of changes. 0, or -EIO: see guestfs_last_error(). */
int guest_registry_open(Guest *guest, const char *path, const char *name, bool write, Registry *ret);
/* Writes the changes. */
int guest_registry_commit(Guest *guest);
void guest_registry_close(Guest *guest);
