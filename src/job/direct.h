/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Disks that lie in files as they are, which need no parser to read them: raw files, fixed VHDs, VMDKs whose
 * extents are all flat. */

#include "job/connection.h"

/* Connects to the disk in @image, whose file @fd is, without a server. 1; 0: it takes one. */
int direct_connect(Attempt *a, const Image *image, int fd, Connection *ret);
