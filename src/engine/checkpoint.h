/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far a copy got: the file "checkpoint" beside the unfinished "image" in "<dir>/.<name>.hyper-part/". It
 * is written only after what it speaks of is on stable storage, and replaced atomically, so it is right at
 * any moment, also after a power cut. Whoever may write there can change it, so it is decoded as hostile;
 * the worst it can do is make the image of its own job wrong. */

#include "engine/endpoint.h"

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

/* --- the part directory ---------------------------------------------------------------------------- */

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
