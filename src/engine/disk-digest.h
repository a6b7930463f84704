/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A digest of what a disk holds: SHA-256 over each block of 64 KiB that is not all zeroes, with its
 * place. Hence it does not depend on how holes are stored, and empty disks of terabytes cost nothing. */

#include "engine/endpoint.h"

#define DISK_DIGEST_SIZE 32

typedef struct DiskDigest DiskDigest;

int disk_digest_new(DiskDigest **ret);
DiskDigest *disk_digest_free(DiskDigest *d);
DEFINE_CLEANUP_FUNC(DiskDigest *, disk_digest_free);
#define _cleanup_disk_digest_ _cleanup_(disk_digest_freep)

/* Adds bytes of the disk, in ascending order. All ranges begin at multiples of 64 KiB, and end there, too,
 * besides at the end of the disk. 0 or negative errno. */
int disk_digest_add(DiskDigest *d, const void *data, size_t size, uint64_t offset);

/* What was added. */
int disk_digest_get(const DiskDigest *d, uint8_t ret[static DISK_DIGEST_SIZE]);

/* A destination that digests what is copied to it; @d must live as long. */
int endpoint_digest_new(DiskDigest *d, uint64_t size, Endpoint **ret);
