/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far a copy got: the file "checkpoint" beside the unfinished "image" in "<dir>/.<name>.hyper-part/". It
 * is written only after what it speaks of is on stable storage, and replaced atomically, so it is right at
 * any moment, also after a power cut. Whoever may write there can change it, so it is decoded as hostile;
 * the worst it can do is make the image of its own job wrong. */

#include "basic/macro.h"

#define CHECKPOINT_FILE "checkpoint"
#define PART_IMAGE_FILE "image"
#define CHECKPOINT_VERSION 1
#define CHECKPOINT_MAX 65536 /* bytes of the file */
#define CHECKPOINT_RESERVE 16384 /* bytes kept free for the next one, on a disk that fills up */
#define CHECKPOINT_TEXT_MAX 4096
#define CHECKPOINT_SIZE_MAX ((uint64_t) INT64_MAX) /* of a disk */

/* What has to be the same for a copy to go on. */
typedef struct CheckpointIdentity {
        const char *source; /* names the source and its version, as the caller sees it: path, inode, size,
                               mtime, or the URI; UTF-8, at most CHECKPOINT_TEXT_MAX bytes */
        uint64_t size; /* of the disk */
        const char *destination; /* names kind and options: "raw", "qcow2", "qcow2 zstd", "vmdk" … */
} CheckpointIdentity;

typedef struct Checkpoint {
        char *source;
        uint64_t size;
        char *destination;
        uint64_t watermark; /* at most size */
        uint64_t state[2]; /* the destination endpoint's; it judges them itself */
        uint64_t image_inode; /* of the image file; 0 if there is none */
} Checkpoint;

Checkpoint *checkpoint_free(Checkpoint *c);
DEFINE_CLEANUP_FUNC(Checkpoint *, checkpoint_free);

/* Pure. -EBADMSG for whatever is not exactly one whole checkpoint of this version. */
int checkpoint_decode(const char *text, size_t size, Checkpoint **ret);
/* JSON text that the caller frees. NULL when out of memory. */
char *checkpoint_encode(const Checkpoint *c);

/* True if a copy described by @id, with the image file @image_inode, may go on from @c. */
bool checkpoint_matches(const Checkpoint *c, const CheckpointIdentity *id, uint64_t image_inode);
