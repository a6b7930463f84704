/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kinds of archives and compressed files, by their first bytes. */

#include "basic/macro.h"

typedef enum ArchiveKind {
        ARCHIVE_NONE,
        ARCHIVE_GZIP,
        ARCHIVE_XZ,
        ARCHIVE_BZIP2,
        ARCHIVE_ZSTD,
        ARCHIVE_ZIP,
        ARCHIVE_7Z,
        _ARCHIVE_MAX,
        _ARCHIVE_INVALID = -EINVAL,
} ArchiveKind;

#define ARCHIVE_HEAD 8u /* bytes that archive_kind() looks at */

/* What the first bytes of a file say. */
ArchiveKind archive_kind(const char *head, size_t size) _pure_;

const char *archive_kind_to_string(ArchiveKind k) _pure_; /* "gzip" */
ArchiveKind archive_kind_from_string(const char *s) _pure_;
