/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk that lies in files as it is: a raw file, extents of a VMDK, a fixed VHD. */

#include "engine/endpoint.h"
#include "engine/file-range.h"

/* @ranges are the disk from its beginning to its end. Their descriptors are duplicated. Holes are asked for
 * with lseek(2). A file that becomes shorter than its ranges is an error, never zeroes. */
int endpoint_file_new(const FileRange *ranges, size_t n, const char *label, Endpoint **ret);
