/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images on top of each other: VMDK snapshots, qcow2 with backing files, differencing VHD and VHDX. What an
 * image calls its parent is looked for only among the files that the manager found allowed; and each parent
 * must be the very image that its child was made for, as far as their formats can tell. */

#include "image/image.h"
#include "job/connection.h"

/* Finds the images below @top, which image_examine() has accepted, and examines each. Fills top->parent and
 * so on. Notes failures in the job. */
int chain_examine(Attempt *a, int fd, Image *top);

/* Checks that the @n disks of the source, which chain_examine() has filled, are made of all its files: the
 * manager listed what it read from the same images, and a file too many means that one of them has changed.
 * Notes failures in the job. */
int chain_check_all_used(Attempt *a, const Image *disks, size_t n);

/* Connects to the disk in @top for reading: through servers for all that qemu reads, with layers of our own
 * on top for what it does not. */
int chain_connect(Attempt *a, const Image *top, Connection *ret);
