/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which other files an image names: the extents of a VMDK, and the image that it is on top of. The manager
 * reads it to learn which files a job needs, the job to find them again; both by this reader, so that they
 * agree. The image is hostile: nothing is opened here, what it names is text, and all that is read has a
 * limit. */

#include "image/names.h"
#include "spec/job-spec.h"

/* How many images may lie on top of each other. */
#define IMAGE_CHAIN_MAX 64u

/* Reads an image of @size bytes. @format: FORMAT_PROBE, or what it was said to be: if it is not, nothing is
 * found. 0; -EBADMSG with *ret_error (caller frees): it cannot be understood; -ENOMEM or what reading
 * gave. */
int image_names_read(int fd, uint64_t size, int format, ImageNames *ret, char **ret_error);
