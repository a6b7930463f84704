/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Screenshots as libvirt's drivers make them: PPM (netpbm's P6) becomes PNG (RFC 2083). The image comes from
 * another machine. */

#include "basic/macro.h"

#define SCREENSHOT_MAX ((size_t) 128 * 1024 * 1024)

bool is_png(const void *data, size_t size) _pure_;

/* 0 with what the caller frees, -EBADMSG if it is no P6 with 8 bits for each colour, or not a whole one,
 * -ENOMEM. */
int ppm_to_png(const void *data, size_t size, void **ret, size_t *ret_size);
