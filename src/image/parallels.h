/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* DiskDescriptor.xml, which lies beside the images of a Parallels disk. An image alone does not say whether
 * it is the whole disk or a snapshot on top of another image; this does. Hostile. */

#include "basic/macro.h"

#define PARALLELS_DESCRIPTOR "DiskDescriptor.xml"
#define PARALLELS_DESCRIPTOR_MAX ((size_t) 1024 * 1024)

/* 0 if the disk that @text describes is the one image @file, a name without directories. -EBADMSG with a
 * text: refused. */
int parallels_check_descriptor(const char *text, size_t size, const char *file, char **ret_error);
