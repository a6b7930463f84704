/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Configuration of NICs that applies to those of a driver or of a PCI path: netplan(5), systemd.network(5),
 * systemd.link(5), nm-settings-keyfile(5). */

#include "guest/changes.h"

/* Drivers of VMware's NICs become virtio_net. A path becomes a warning: that of the NIC on KVM is not known.
 * 1 with *ret (caller frees), 0 or -ENOMEM. */
int nic_driver_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);
