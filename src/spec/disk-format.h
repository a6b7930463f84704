/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The formats of disk images and of packages with images in them: one row each. */

#include <errno.h>

#include "basic/macro.h"

typedef enum DiskFormat {
        FORMAT_PROBE, /* not given: found out by looking */
        FORMAT_RAW,
        FORMAT_QCOW2,
        FORMAT_VMDK,
        FORMAT_VDI,
        FORMAT_VHD,
        FORMAT_VHDX,
        FORMAT_PARALLELS,
        FORMAT_OVA, /* a tar with an OVF and its disks */
        FORMAT_OVF, /* an OVF in a directory, its disks beside it */
        _FORMAT_MAX,
        _FORMAT_INVALID = -EINVAL,
} DiskFormat;

typedef enum DiskFormatFlags {
        FORMAT_IS_SOURCE = 1 << 0, /* can be read */
        FORMAT_IS_DESTINATION = 1 << 1, /* can be written */
        FORMAT_IS_PACKAGE = 1 << 2, /* holds several disks; its images are of another format */
        FORMAT_CAN_COMPRESS = 1 << 3, /* compressed if parameters.compress asks for it */
        FORMAT_IS_COMPRESSED = 1 << 4, /* always compressed: parameters.compress may be given */
} DiskFormatFlags;

typedef struct DiskFormatRow {
        const char *name; /* that clients use: "vhd" */
        const char *qemu; /* qemu's: "vpc"; NULL: qemu has none */
        const char *extensions; /* of file names, "raw img"; the first one is for names that are made */
        unsigned flags;
        DiskFormat disks; /* of the images that are written */
} DiskFormatRow;

/* NULL for what is no format. */
const DiskFormatRow *disk_format(int format) _pure_;
bool disk_format_has(int format, unsigned flags) _pure_;

const char *disk_format_to_string(DiskFormat f) _pure_; /* our name: "vhd" */
const char *disk_format_to_qemu(DiskFormat f) _pure_; /* qemu's name: "vpc" */
DiskFormat disk_format_from_string(const char *s) _pure_; /* takes both, and "vpc"; in any case */

/* The format that the name of a file says: FORMAT_QCOW2 for "/srv/a.qcow2"; FORMAT_PROBE if it says none. */
DiskFormat disk_format_from_name(const char *path) _pure_;
