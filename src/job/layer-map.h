/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The maps of differencing disks, VHD and VHDX, for endpoint-layer. */

#include "engine/endpoint-layer.h"
#include "spec/job-spec.h"

/* @fd: the file, which is duplicated; @length of it. It has passed image_examine(). 0; -EBADMSG with
 * *ret_error (caller frees); -ENOMEM or what reading gave. */
int layer_map_open(int fd, uint64_t length, DiskFormat format, LayerMap **ret, char **ret_error);
