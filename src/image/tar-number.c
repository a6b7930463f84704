/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "image/tar-number.h"

/* Octal digits between blanks, ended by a blank, NUL or the field's end. */
static int parse_octal(const char *field, size_t size, uint64_t *ret) {
        uint64_t value = 0;
        size_t i = 0, digits = 0;

        while (i < size && field[i] == ' ')
                i++;
        for (; i < size && field[i] >= '0' && field[i] <= '7'; i++, digits++) {
                if (value > UINT64_MAX >> 3)
                        return -ERANGE;
                value = value << 3 | (uint64_t) (field[i] - '0');
        }
        for (; i < size; i++)
                if (field[i] != ' ' && field[i] != 0)
                        return -EINVAL;
        if (digits == 0)
                return -EINVAL;
        *ret = value;
        return 0;
}

/* GNU's form for what does not fit: the top bit set, then a big-endian number. */
static int parse_base256(const char *field, size_t size, uint64_t *ret) {
        uint64_t value = (unsigned char) field[0] & 0x7f;

        for (size_t i = 1; i < size; i++) {
                if (value >> 56)
                        return -ERANGE;
                value = value << 8 | (unsigned char) field[i];
        }
        *ret = value;
        return 0;
}

int tar_parse_number(const char *field, size_t size, uint64_t *ret) {
        return (unsigned char) field[0] & 0x80 ? parse_base256(field, size, ret)
                                               : parse_octal(field, size, ret);
}
