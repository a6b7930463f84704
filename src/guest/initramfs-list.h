/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What kernel modules are in an initramfs: cpio archives one after the other, each of them compressed or
 * not. */

#include "basic/macro.h"

/* No initramfs is larger, compressed or not. */
#define INITRAMFS_MAX ((size_t) 1024 * 1024 * 1024)

/* Configuration that it may have a copy of. */
enum { INITRAMFS_FILES_MAX = 5 };
extern const char *const initramfs_files[INITRAMFS_FILES_MAX];

typedef struct InitramfsList {
        char **modules; /* their names without directory and extensions, "-" as "_": virtio_blk */
        char *directory; /* that of modules: "usr/lib/modules" or "lib/modules"; NULL: there are none */
        bool has[INITRAMFS_FILES_MAX];
        bool complete; /* all archives were understood */
} InitramfsList;

void initramfs_list_done(InitramfsList *l);
#define _cleanup_initramfs_list_ _cleanup_(initramfs_list_done)

/* 0 or -ENOMEM; damage shows in ret->complete. */
int initramfs_list_read(const char *data, size_t size, InitramfsList *ret);

/* Whether it has a copy of one of initramfs_files. */
bool initramfs_has_file(const InitramfsList *l, const char *path);

/* "virtio_blk" for "kernel/drivers/block/virtio_blk.ko.xz"; NULL if it is no module, or when out of memory.
 * The caller frees. */
char *module_name(const char *path, size_t size);
