/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Arguments of the kernel, in any file of a boot loader: grub.cfg, /etc/default/grub, BLS and systemd-boot
 * entries, /etc/kernel/cmdline, extlinux.conf, menu.lst. */

#include "guest/changes.h"
#include "guest/device-name.h"

/* Names the devices of root=, resume=, boot= (FIPS of dracut), cryptdevice= (Arch) and real_root= by UUID
 * where that is known. As device_table_rewrite(). */
int kernel_line_rewrite(const char *step, const char *file, const char *text, const DeviceNames *names,
                Changes *changes, char **ret);

/* The same for grubenv, whose size must stay: "#" fills it up. What has no room becomes a warning. */
int grubenv_rewrite(const char *step, const char *file, const char *text, const DeviceNames *names,
                Changes *changes, char **ret);

/* /etc/default/grub: comments out GRUB_DISABLE_LINUX_UUID=true and GRUB_DISABLE_UUID=true, so
 * that the guest's own grub-mkconfig keeps to UUIDs. 1 with *ret, 0 or -ENOMEM. */
int default_grub_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);
