/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The index of a tar (an OVA): names and where the bytes of each member are, so that a disk can be read in
 * place. Strict on purpose: plain files only, each name once, nothing that could point outside. Understands
 * the format of Unix version 7, ustar (POSIX.1-1988), pax "path" and "size" (POSIX.1-2001), GNU long names
 * and base-256 sizes, and sparse files (tar-sparse.h). */

#include "image/tar-sparse.h"

#define TAR_MEMBERS_MAX 1024

typedef struct TarMember {
        char *name; /* "./" is taken out, "\" is "/" */
        uint64_t offset; /* of its first byte in the archive */
        uint64_t size; /* of the file */
        bool is_sparse; /* then these are the stored parts of it */
        TarSegment *segments;
        size_t n_segments;
} TarMember;

typedef struct TarIndex {
        TarMember *members;
        size_t n_members, allocated;
} TarIndex;

void tar_index_done(TarIndex *index);
#define _cleanup_tar_index_ _cleanup_(tar_index_done)

/* Reads exactly @size bytes at @offset; 0 or negative errno. */
typedef int (*tar_read_func)(void *userdata, void *buf, size_t size, uint64_t offset);

/* Indexes a tar of @size bytes. 0; -EBADMSG with *ret_error saying what is wrong where (caller frees); what
 * @read returned. */
int tar_index_read(tar_read_func read, void *userdata, uint64_t size, TarIndex *ret, char **ret_error);

const TarMember *tar_index_find(const TarIndex *index, const char *name);

/* True if the first 512 bytes are a tar header: its checksum is right. */
bool tar_is_header(const void *block);
