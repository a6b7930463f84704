/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A streamOptimized VMDK as ESXi exports it, decoded while it comes: header, descriptor, compressed grains in
 * the order of the disk with tables between them, a directory, a footer, and the marker of the end. Only
 * markers are followed, since tables are behind the grains that they are about. Hostile: a stream is decoded
 * exactly or refused. No file, no thread. */

#include "image/vmdk-header.h"

#define VMDK_GRAIN_SIZE ((size_t) 65536)

typedef struct VmdkStream VmdkStream;

/* Called for each grain that is not all zeroes, in ascending order; @offset is a multiple of
 * VMDK_GRAIN_SIZE, @size is VMDK_GRAIN_SIZE but for the last grain, which ends with the disk. A negative
 * errno ends the decoding with it. */
typedef int (*VmdkGrain)(void *userdata, uint64_t offset, const char *data, size_t size);

/* @capacity: the size that the disk is known to have, in bytes. 0 or negative errno. */
int vmdk_stream_new(uint64_t capacity, VmdkGrain grain, void *userdata, VmdkStream **ret);
VmdkStream *vmdk_stream_free(VmdkStream *s);
DEFINE_CLEANUP_FUNC(VmdkStream *, vmdk_stream_free);
#define _cleanup_vmdk_stream_ _cleanup_(vmdk_stream_freep)

/* Where the next bytes of the stream go: *ret_size of them at most, at least one. */
char *vmdk_stream_space(VmdkStream *s, size_t *ret_size);

/* Decodes @size bytes that were put there. 0; -EBADMSG with *ret_error (caller frees), what grain() returned,
 * or -ENOMEM, after which the stream can only be freed. */
int vmdk_stream_decode(VmdkStream *s, size_t size, char **ret_error);

/* No more bytes come. 0 if the disk is complete, else -EBADMSG with *ret_error. */
int vmdk_stream_end(const VmdkStream *s, char **ret_error);
