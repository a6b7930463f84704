/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Digests of files and parts of files. */

#include "basic/time-util.h"
#include "image/content.h"

#define CHECKSUM_HEX_MAX 129

/* Called about every mebibyte with the bytes done so far; a negative errno ends the work with it. */
typedef int (*checksum_progress_func)(void *userdata, uint64_t done);

/* The digest of @size bytes at @offset as lower-case hex. @algorithm is OpenSSL's name: "SHA256", "SHA1",
 * "SHA512". -ECANCELED once @cancel_fd (or negative) is readable; -EIO: the file ends before; -EOPNOTSUPP:
 * no such digest here. */
int checksum_file(int fd, uint64_t offset, uint64_t size, const char *algorithm, int cancel_fd,
                checksum_progress_func progress, void *userdata, char ret[static CHECKSUM_HEX_MAX]);

/* The same of a content. */
int checksum_content(const Content *content, const char *algorithm, int cancel_fd,
                checksum_progress_func progress, void *userdata, char ret[static CHECKSUM_HEX_MAX]);
