/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers in the headers of files: at any address, in the order of bytes that their format has. */

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define DEFINE_READER(name, type, convert)       \
        static inline type name(const char *p) { \
                type v;                          \
                                                 \
                memcpy(&v, p, sizeof(v));        \
                return convert(v);               \
        }

DEFINE_READER(read_be32, uint32_t, be32toh)
DEFINE_READER(read_be64, uint64_t, be64toh)
DEFINE_READER(read_le16, uint16_t, le16toh)
DEFINE_READER(read_le32, uint32_t, le32toh)
DEFINE_READER(read_le64, uint64_t, le64toh)

#undef DEFINE_READER
