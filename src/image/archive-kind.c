/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "basic/string-util.h"
#include "image/archive-kind.h"

static const struct {
        const char *name;
        const char *magic;
        size_t length;
} kinds[_ARCHIVE_MAX] = {
        [ARCHIVE_GZIP] = { "gzip", "\x1f\x8b\x08", 3 },
        [ARCHIVE_XZ] = { "xz",
                        "\xfd"
                        "7zXZ\0",
                        6 },
        [ARCHIVE_BZIP2] = { "bzip2", "BZh", 3 },
        [ARCHIVE_ZSTD] = { "zstd", "\x28\xb5\x2f\xfd", 4 },
        [ARCHIVE_ZIP] = { "zip", "PK\x03\x04", 4 },
        [ARCHIVE_7Z] = { "7z", "7z\xbc\xaf\x27\x1c", 6 },
};

ArchiveKind archive_kind(const char *head, size_t size) {
        for (int k = ARCHIVE_NONE + 1; k < _ARCHIVE_MAX; k++)
                if (size >= kinds[k].length && memcmp(head, kinds[k].magic, kinds[k].length) == 0)
                        return (ArchiveKind) k;
        return ARCHIVE_NONE;
}

const char *archive_kind_to_string(ArchiveKind k) {
        return k > ARCHIVE_NONE && k < _ARCHIVE_MAX ? kinds[k].name : NULL;
}

ArchiveKind archive_kind_from_string(const char *s) {
        for (int k = ARCHIVE_NONE + 1; k < _ARCHIVE_MAX; k++)
                if (streq(kinds[k].name, s))
                        return (ArchiveKind) k;
        return _ARCHIVE_INVALID;
}
