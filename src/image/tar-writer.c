/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "image/tar-writer.h"

#define SIZE_DIGITS 11
#define SIZE_FIELD 12u

/* The fields of a ustar header (POSIX.1-1988, pax(1)). */
typedef struct TarHeader {
        char name[100], mode[8], uid[8], gid[8], size[SIZE_FIELD], mtime[12], checksum[8], type, link[100],
                        magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155],
                        padding[12];
} TarHeader;

static_assert(sizeof(TarHeader) == TAR_BLOCK, "a header is a block");

static void put_octal(char *field, int digits, uint64_t value) {
        char text[32];

        (void) snprintf(text, sizeof(text), "%0*" PRIo64, digits, value);
        memcpy(field, text, (size_t) digits + 1);
}

static void put_size(TarHeader *h, uint64_t size) {
        if (size >> (3 * SIZE_DIGITS) == 0)
                return put_octal(h->size, SIZE_DIGITS, size);
        for (size_t i = 0; i < sizeof(size); i++)
                h->size[SIZE_FIELD - 1 - i] = (char) (size >> (8 * i) & 0xff);
        h->size[0] = (char) 0x80;
}

int tar_write_header(const char *name, uint64_t size, int64_t mtime, char ret[static TAR_BLOCK]) {
        TarHeader h = { .type = '0', .magic = "ustar", .version = { '0', '0' } };
        unsigned sum = 0;

        if (isempty(name) || strchr(name, '/'))
                return -EINVAL;
        if (strlen(name) > TAR_NAME_MAX)
                return -ENAMETOOLONG;
        memcpy(h.name, name, strlen(name)); /* without a NUL if it is full */
        put_octal(h.mode, 7, 0644);
        put_octal(h.uid, 7, 0);
        put_octal(h.gid, 7, 0);
        put_size(&h, size);
        put_octal(h.mtime, 11, (uint64_t) MAX(mtime, INT64_C(0)) & ((UINT64_C(1) << 33) - 1));
        /* The sum is that of the header with blanks in place of the sum. */
        memset(h.checksum, ' ', sizeof(h.checksum));
        memcpy(ret, &h, sizeof(h));
        for (size_t i = 0; i < TAR_BLOCK; i++)
                sum += (unsigned char) ret[i];
        put_octal(h.checksum, 6, sum);
        h.checksum[7] = ' ';
        memcpy(ret, &h, sizeof(h));
        return 0;
}
