/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Decompression of gzip (RFC 1952), also of several members in a row, as pigz and bgzip write them.
 * libarchive does not look at the checksum at its end, so this is done with zlib, which does. */

#include "image/sparse-writer.h"

/* Decompresses @length bytes at @offset of @in. 0; -EBADMSG with *ret_error (caller frees); what reading or
 * writing returned. */
int gunzip(int in, uint64_t offset, uint64_t length, SparseWriter *w, char **ret_error);
