/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A raw file that is written. */

#include "engine/endpoint.h"

/* A raw file, written sparsely in 4 KiB blocks. @fd is a regular file opened for reading and writing; it is
 * duplicated. What lies at and behind @watermark is thrown away, what is before stays. The finished file is
 * exactly @size long. */
int endpoint_raw_new(int fd, uint64_t size, uint64_t watermark, const char *label, Endpoint **ret,
                char **ret_error);
