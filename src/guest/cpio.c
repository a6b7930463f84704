/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/string-util.h"
#include "guest/cpio.h"

#define MAGIC "070701"
#define MAGIC_CHECKSUM "070702"
#define TRAILER "TRAILER!!!"
#define FIELDS 13u
#define NAME_MAX_SIZE 4096u

/* The others are of no interest, and zero. */
enum { FIELD_MODE = 1, FIELD_LINKS = 4, FIELD_SIZE = 6, FIELD_NAME_SIZE = 11 };

static size_t align4(size_t n) {
        return (n + 3) & ~(size_t) 3;
}

static bool parse_hex(const char *p, uint32_t *ret) {
        uint32_t v = 0;

        for (size_t i = 0; i < 8; i++) {
                char c = p[i];
                if (c >= '0' && c <= '9')
                        v = v << 4 | (uint32_t) (c - '0');
                else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
                        v = v << 4 | (uint32_t) ((c | 0x20) - 'a' + 10);
                else
                        return false;
        }
        *ret = v;
        return true;
}

int cpio_next(const char *archive, size_t size, size_t *offset, CpioEntry *ret) {
        uint32_t fields[FIELDS];
        const char *p = archive + *offset;

        if (*offset > size || size - *offset < CPIO_HEADER ||
                        (memcmp(p, MAGIC, 6) != 0 && memcmp(p, MAGIC_CHECKSUM, 6) != 0))
                return -EBADMSG;
        for (size_t i = 0; i < FIELDS; i++)
                if (!parse_hex(p + 6 + 8 * i, &fields[i]))
                        return -EBADMSG;
        size_t name_size = fields[FIELD_NAME_SIZE], left = size - *offset;
        size_t data = align4(CPIO_HEADER + name_size);
        if (name_size == 0 || name_size > NAME_MAX_SIZE || data > left || fields[FIELD_SIZE] > left - data ||
                        p[CPIO_HEADER + name_size - 1] != 0)
                return -EBADMSG;
        *ret = (CpioEntry){
                .name = p + CPIO_HEADER,
                .name_size = name_size - 1,
                .data = p + data,
                .size = fields[FIELD_SIZE],
                .mode = fields[FIELD_MODE],
        };
        *offset += MIN(align4(data + fields[FIELD_SIZE]), left);
        return streq(ret->name, TRAILER) ? 0 : 1;
}

static void align(Buffer *b) {
        buffer_add_zeroes(b, align4(b->size) - b->size);
}

/* All fields are hexadecimal digits. */
void cpio_add(Buffer *b, const char *name, uint32_t mode, const void *data, size_t size) {
        const uint32_t fields[FIELDS] = { [FIELD_MODE] = mode,
                [FIELD_LINKS] = 1,
                [FIELD_SIZE] = (uint32_t) size,
                [FIELD_NAME_SIZE] = (uint32_t) strlen(name) + 1 };
        char text[9];

        buffer_add_text(b, MAGIC);
        for (size_t i = 0; i < FIELDS; i++) {
                snprintf(text, sizeof(text), "%08X", fields[i]);
                buffer_add(b, text, 8);
        }
        buffer_add(b, name, strlen(name) + 1);
        align(b);
        buffer_add(b, data, size);
        align(b);
}

void cpio_end(Buffer *b) {
        cpio_add(b, TRAILER, 0, NULL, 0);
        buffer_add_zeroes(b, (512 - b->size % 512) % 512);
}
