/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Arguments of the kernel, in any file of a boot loader: grub.cfg, /etc/default/grub, BLS and systemd-boot
 * entries, /etc/kernel/cmdline, extlinux.conf, menu.lst. */

#include "guest/changes.h"
#include "guest/device-name.h"

/* Names the devices of root= and resume= by UUID where that is known. As device_table_rewrite(). */
int kernel_line_rewrite(const char *step, const char *file, const char *text, const DeviceNames *names,
                Changes *changes, char **ret);

/* /etc/default/grub: comments out GRUB_DISABLE_LINUX_UUID=true, so that the guest's own grub-mkconfig keeps
 * to UUIDs. 1 with *ret, 0 or -ENOMEM. */
int default_grub_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);
