/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lists of drivers for the initramfs of the guest's next kernel: text in, text out. */

#include "guest/changes.h"

/* The drivers of virtio disks, with those that they need on some kernels; ends with NULL. */
extern const char *const disk_drivers[];

/* /etc/initramfs-tools/modules: a module a line. 1 with *ret (caller frees), 0 if all are in it, or
 * -ENOMEM. */
int initramfs_tools_rewrite(
                const char *step, const char *file, const char *text, Changes *changes, char **ret);
/* /etc/mkinitcpio.conf: MODULES=(…). 0 also if there is no such line. */
int mkinitcpio_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);
/* /etc/sysconfig/kernel of SUSE: INITRD_MODULES="…". 0 also if there is no such line. */
int suse_kernel_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);
/* A file for /etc/dracut.conf.d. NULL when out of memory; the caller frees. */
char *dracut_text(void);
