/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A streamOptimized VMDK as ESXi exports it, decoded while it comes: header, descriptor, compressed grains in
 * the order of the disk with tables between them, a directory, a footer, and the marker of the end. Only
 * markers are followed, since tables are behind the grains that they are about. Hostile: a stream is decoded
 * exactly or refused. It opens no file and starts no thread. */

#include "image/vmdk-header.h"

#define VMDK_GRAIN_SIZE ((size_t) 65536)
#define VMDK_BATCH_MAX ((size_t) 16)

typedef struct VmdkStream VmdkStream;

/* A grain that was found in the stream. */
typedef struct VmdkGrain {
        uint64_t offset; /* in the disk, in bytes; a multiple of VMDK_GRAIN_SIZE */
        size_t size; /* of its part of the disk: VMDK_GRAIN_SIZE but for the last one */
        const char *compressed;
        size_t compressed_size;
        char *data; /* where its VMDK_GRAIN_SIZE bytes go */
        enum {
                VMDK_GRAIN_DAMAGED,
                VMDK_GRAIN_ZERO,
                VMDK_GRAIN_DATA,
        } state;
} VmdkGrain;

/* The memory that decompression needs: one for each thread. NULL: there is no memory. */
typedef struct VmdkInflater VmdkInflater;
VmdkInflater *vmdk_inflater_new(void);
VmdkInflater *vmdk_inflater_free(VmdkInflater *i);
DEFINE_CLEANUP_FUNC(VmdkInflater *, vmdk_inflater_free);

/* Decompresses a grain into its data, and sets its state. Grains do not depend on each other: threads may
 * call this at the same time. */
void vmdk_grain_inflate(VmdkGrain *g, VmdkInflater *inflater);

typedef struct VmdkStreamOptions {
        uint64_t capacity; /* the size that the disk is known to have, in bytes */
        /* Called for each grain that is not all zeroes, in ascending order. A negative errno ends the
         * decoding with it. */
        int (*grain)(void *userdata, uint64_t offset, const char *data, size_t size);
        /* Calls vmdk_grain_inflate() for each of the @n grains, at most VMDK_BATCH_MAX, for example in
         * several threads, and returns when all are done. NULL: they are decompressed one after the other. */
        void (*inflate)(void *userdata, VmdkGrain *grains, size_t n);
        void *userdata;
} VmdkStreamOptions;

/* 0 or negative errno. */
int vmdk_stream_new(const VmdkStreamOptions *options, VmdkStream **ret);
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
