/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a program that opens an image needs of the machine. */

#include "image/image.h"
#include "job/child.h"

/* What a program that opens it must reach. @writable: it changes the image. 0 or -ENOMEM. */
int image_files(const Image *i, bool writable, unsigned rights, ParserFiles *ret);

/* Limits for a program that reads the headers of a file of @size bytes. */
ChildLimits image_limits(uint64_t size);
