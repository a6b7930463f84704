/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A kernel of the guest that is started with an initramfs. */

#include "guest/guest.h"
#include "guest/initramfs-list.h"
#include "guest/module-set.h"

/* So many of the newest ones are looked at. */
#define KERNELS_MAX 32u

typedef struct Kernel {
        char *version;
        char *directory; /* of its modules */
        char *initramfs; /* NULL: it has none */
        bool newest; /* of those that have one */
        size_t size; /* of the initramfs */
        InitramfsList list;
        ModuleSet modules;
} Kernel;

void kernel_done(Kernel *k);
#define _cleanup_kernel_ _cleanup_(kernel_done)

/* Finds the initramfs of @version. 0 or -ENOMEM. */
int kernel_find(Guest *guest, const char *version, Kernel *ret);
/* Reads it, and finds out which drivers it lacks; may be called again. 0, -EFBIG, -ENOENT, -ENOMEM, or
 * negative errno after guest_fail(). */
int kernel_read(Guest *guest, Kernel *k);

/* Newest first. */
void kernel_versions_sort(char **versions);

/* The directory of the initramfs; NULL when out of memory. */
char *kernel_boot_directory(const Kernel *k);
/* What the file system of @path has free. */
uint64_t guest_free_space(Guest *guest, const char *path);
/* Keeps a copy of the initramfs with the suffix ".before-hyper", unless there is one, or no room for it and
 * for @more bytes. 0 or -ENOMEM. */
int kernel_keep_initramfs(Guest *guest, const Kernel *k, uint64_t more);
