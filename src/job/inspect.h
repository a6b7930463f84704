/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is checked in an image. All functions note failures in the attempt. */

#include "image/image.h"
#include "job/attempt.h"

/* A text about an image becomes the failure's message. */
int image_refused(Attempt *a, const char *label, int error, const char *why);
/* All that is checked in one image, without those below it: header, tables, and what qemu reads. @fd is its
 * file. */
int image_examine(Attempt *a, int fd, Image *i);
/* "qemu-img info" and "check" of an image that passed image_check_header(); fills its sizes. */
int image_inspect(Attempt *a, Image *i);
/* @code: what a failed check means for the job. */
int image_check(Attempt *a, const Image *i, const char *code);
