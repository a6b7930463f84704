/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A qcow2 file that is written, without qemu. */

#include "engine/compress.h"
#include "engine/endpoint.h"

typedef struct Qcow2Options {
        uint64_t size; /* of the disk */
        Compression compression;
        unsigned threads; /* that compress; 0: a good number */
        uint64_t watermark; /* 0: the file is made anew */
        uint64_t state[2]; /* what ops->state() gave at @watermark */
} Qcow2Options;

/* A qcow2 file (version 3, clusters of 64 KiB) in @fd, as for a raw file. The disk's size is rounded up to
 * whole sectors of 512 bytes, as qemu knows no other (endpoint->size stays @size). With a watermark the file
 * is checked in full as far as it counts: -EBADMSG if it does not fit, and then it can only be made anew. It
 * has no header until it is finished, so that nobody takes the unfinished one for an image. */
int endpoint_qcow2_new(
                int fd, const Qcow2Options *options, const char *label, Endpoint **ret, char **ret_error);
