/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which other files an image names: the extents of a VMDK, and the image that it is on top of. The manager
 * reads it to learn which files a job needs, the job to find them again; both by this reader, so that they
 * agree. The image is hostile: nothing is opened here, what it names is text, and all that is read has a
 * limit. */

#include "basic/macro.h"
#include "spec/job-spec.h"

/* How many images may lie on top of each other. */
#define IMAGE_CHAIN_MAX 64u

typedef struct ImageNames {
        int format; /* DiskFormat, as the first and last bytes say; FORMAT_RAW: it names nothing */
        char **files; /* names of the further files it is made of, as written; each once */
        bool has_parent; /* it is on top of another image */
        char **parents; /* that one's names, as written, the best first; may be empty */
        int parent_format; /* DiskFormat; FORMAT_PROBE: it is not recorded */
        char *id; /* what an image on top of this one must call it; NULL: it has none */
        char *parent_id; /* what it calls its parent; NULL: any will do */
} ImageNames;

void image_names_done(ImageNames *n);
#define _cleanup_image_names_ _cleanup_(image_names_done)

/* Reads an image of @size bytes. @format: FORMAT_PROBE, or what it was said to be: if it is not, nothing is
 * found. 0; -EBADMSG with *ret_error (caller frees): it cannot be understood; -ENOMEM or what reading
 * gave. */
int image_names_read(int fd, uint64_t size, int format, ImageNames *ret, char **ret_error);

/* The paths at which the parent @name of the image at @path may be, the best first, absolute and without "."
 * and "..": as it is written, and, if @beside, under its last component beside the image (a name of another
 * machine leads nowhere here, but the parent's identity tells whether it is the right file). Names with a
 * protocol (nbd://, json:) give none. 0 or -ENOMEM; the caller frees *ret. */
int image_parent_paths(const char *path, const char *name, bool beside, char ***ret);
