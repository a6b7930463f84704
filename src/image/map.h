/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The maps of image files: where the tables of a format say that the disk's data are. qemu reads what lies
 * behind the end of a file as zeroes, so an image that was cut off would become a disk whose end is empty.
 * Therefore the tables are read before anything is copied, and every cluster, grain and block that they map
 * must end inside the file. Only tables are read, one after the other, in pieces. */

#include "image/map-format.h"
#include "spec/job-spec.h"

/* Reads the tables of a file of @format: FORMAT_VMDK stands for one sparse extent. Formats without tables
 * (raw) give a map that is all zero but for its length. 0; -EBADMSG with a text: refused; -ECANCELED;
 * another errno: reading failed. */
int map_walk(DiskFormat format, const MapFile *file, Map *ret, char **ret_error);
