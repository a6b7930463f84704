/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Decompresses the grains of a streamed VMDK in several threads. */

#include "image/vmdk-stream.h"

#define DECODE_THREADS_MAX 4U

typedef struct DecodeThreads DecodeThreads;

/* @n_threads: with the caller's own, at least one and at most DECODE_THREADS_MAX; 0: as many as this process
 * has processors. 0 or negative errno. */
int decode_threads_new(unsigned n_threads, DecodeThreads **ret);
DecodeThreads *decode_threads_free(DecodeThreads *t);
DEFINE_CLEANUP_FUNC(DecodeThreads *, decode_threads_free);

/* Returns when all @n grains are decompressed. In the caller's thread, too. */
void decode_threads_inflate(DecodeThreads *t, VmdkGrain *grains, size_t n);
