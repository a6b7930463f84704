/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images on top of each other: VMDK snapshots, qcow2 with backing files, differencing VHD and VHDX. What an
 * image calls its parent is looked for only among the files that the manager found allowed; and each parent
 * must be the very image that its child was made for, as far as their formats can tell. */

#include "image/image.h"
#include "job/connection.h"

/* Finds the images below @top, which image_examine() has accepted, and examines each. Also checks that the
 * images are made of all files of the job's source. Fills top->parent and so on. Notes failures in the
 * job. */
int chain_examine(Attempt *a, int fd, Image *top);

/* Connects to the disk in @top for reading: through servers for all that qemu reads, with layers of our own
 * on top for what it does not. */
int chain_connect(Attempt *a, const Image *top, Connection *ret);
