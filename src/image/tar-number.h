/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers in the headers of a tar: octal text, or GNU's base 256. */

#include "basic/macro.h"

/* 0, -EINVAL, -ERANGE. */
int tar_parse_number(const char *field, size_t size, uint64_t *ret);
