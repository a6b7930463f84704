/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An OVF with its files as a source: as an OVA (a tar), or in a directory. */

#include "image/content.h"
#include "image/image.h"
#include "image/manifest.h"
#include "image/ovf.h"
#include "image/tar.h"

typedef struct OvaFile {
        char *name; /* relative to the archive, or to the OVF's directory; "/" between its parts */
        char *path; /* of a directory: the absolute path; else NULL */
        int fd; /* of a directory: its own; else -EBADF */
        Content content;
} OvaFile;

typedef struct OvaDisk {
        char *file; /* for messages */
        Content content;
        bool in_pieces; /* it must be put together before it can be read */
        char *compression; /* as the OVF says, or NULL */
        bool is_raw; /* the OVF, or the name of the file, says that it is a raw disk */
        uint64_t capacity; /* as the OVF says; 0: it does not */
} OvaDisk;

typedef struct Ova {
        OvaFile *files;
        size_t n_files, allocated;
        const OvaFile *ovf, *mf; /* the OVF, and its manifest or NULL */
        Manifest manifest;
        Image *disks; /* formats are not settled; those in pieces have no path yet */
        OvaDisk *details; /* of each */
        size_t n_disks;
        size_t n_empty; /* disks without a file, which are left out */
        VmHardware *vm; /* the machine with these disks; NULL: the OVF describes none, or several */
} Ova;

Ova *ova_free(Ova *o);
DEFINE_CLEANUP_FUNC(Ova *, ova_free);
#define _cleanup_ova_ _cleanup_(ova_freep)

/* Reads tar index, OVF, and manifest. @path for qemu, @label for messages. -EBADMSG with a text: refused. */
int ova_open(int fd, const char *path, const char *label, uint64_t size, Ova **ret, char **ret_error);

/* The same of an OVF at @path in a directory; @visible are all files of the source. */
int ova_open_directory(const char *path, char *const *visible, Ova **ret, char **ret_error);

/* The file that the manifest, or the OVF, calls @name; NULL: none. */
const OvaFile *ova_find(const Ova *o, const char *name);

/* What is hashed for @name: a file, or the chunks of a disk. -ENOENT: there is none. content_done() it. */
int ova_listed_content(const Ova *o, const char *name, Content *ret);
