/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The part directory: the unfinished image, its lock, and its checkpoint. */

#include "engine/checkpoint.h"
#include "engine/compress.h"
#include "engine/endpoint.h"

typedef struct Part Part;

typedef enum PartFlags {
        PART_OWN_IMAGE = 1 << 0, /* the engine writes the image file (raw, qcow2): open it, make it if it is
                                    not there. Without it the image is somebody else's (a qemu-nbd that
                                    writes a vmdk): it may be there or not, and must not be replaced between
                                    attempts. */
        PART_NO_IMAGE = 1 << 1, /* there is no image here: what is written is behind an NBD server */
} PartFlags;

/* Opens the part directory @dir_fd (duplicated), takes its lock, and looks how far an earlier attempt got:
 * the watermark is 0 when there is none, or when it was for something else. Nothing in the directory is
 * followed when it is a symlink, and nothing but regular files with one name is accepted. -EBUSY with a text
 * if another process works on this part; -ELOOP, -EMLINK, and what opening gives. The lock is held until
 * part_close() or the end of the process, however it ends. */
int part_open(int dir_fd, const CheckpointIdentity *id, unsigned flags, Part **ret, char **ret_error);
Part *part_close(Part *p);
DEFINE_CLEANUP_FUNC(Part *, part_close);

/* Where to go on, and what the destination's state() said there. */
uint64_t part_watermark(const Part *p);
const uint64_t *part_state(const Part *p);

/* Why what an earlier attempt left is not used, for people; NULL: there was nothing, or it is used. */
const char *part_why_anew(const Part *p);

/* Forgets how far the last attempt got: the checkpoint is removed, the watermark is 0. For when the image
 * turns out not to fit (-EBADMSG), or a fresh image is about to be made by somebody else. */
int part_reset(Part *p);

/* Writes the checkpoint; what it speaks of must be on stable storage. */
int part_save(Part *p, uint64_t watermark, const uint64_t state[static 2]);

/* The usual way to a destination of the engine's own: opens image and endpoint at the part's watermark, and
 * starts from nothing if the unfinished image does not fit. @format is "raw" or "qcow2"; *ret_watermark is
 * for copy_run(). */
int part_open_endpoint(Part *p, const char *format, Compression compression, const char *label,
                Endpoint **ret, uint64_t *ret_watermark, char **ret_error);
