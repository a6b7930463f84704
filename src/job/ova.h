/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An OVA as a source: the disks of its OVF, each as an image in place inside the tar. */

#include "job/image.h"
#include "job/ovf.h"
#include "job/tar.h"

typedef struct Ova {
        TarIndex index;
        Manifest manifest;
        Image *disks; /* formats are settled */
        size_t n_disks;
        size_t n_empty; /* disks without a file, which are left out */
} Ova;

Ova *ova_free(Ova *o);
DEFINE_CLEANUP_FUNC(Ova *, ova_free);
#define _cleanup_ova_ _cleanup_(ova_freep)

/* Reads tar index, OVF, and manifest. @path for messages and for qemu. -EBADMSG with a text: refused. */
int ova_open(int fd, const char *path, uint64_t size, Ova **ret, char **ret_error);
