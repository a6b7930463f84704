/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/ppm-png.h"

#include <zlib.h>

#define SIDE_MAX 32768u
#define LEVEL 3 /* a screen compresses well with little work */

static const uint8_t signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };

bool is_png(const void *data, size_t size) {
        return size > sizeof(signature) && memcmp(data, signature, sizeof(signature)) == 0;
}

/* --- PPM: "P6", width, height and 255 as text, with whitespace and comments between them
 * ----------------- */

typedef struct Reader {
        const uint8_t *p, *end;
} Reader;

static bool is_space(uint8_t c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(Reader *r) {
        while (r->p < r->end && (is_space(*r->p) || *r->p == '#')) {
                if (*r->p == '#')
                        while (r->p < r->end && *r->p != '\n')
                                r->p++;
                else
                        r->p++;
        }
}

static int read_number(Reader *r, uint32_t *ret) {
        uint32_t n = 0;
        bool any = false;

        skip_space(r);
        for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
                n = n * 10 + (uint32_t) (*r->p - '0');
                if (n > SIDE_MAX)
                        return -EBADMSG;
                any = true;
        }
        *ret = n;
        return any ? 0 : -EBADMSG;
}

typedef struct Image {
        uint32_t width, height;
        const uint8_t *pixels;
} Image;

static int read_image(const void *data, size_t size, Image *ret) {
        Reader r = { .p = data, .end = (const uint8_t *) data + size };
        uint32_t maximum;
        Image i;

        if (size < 3 || size > SCREENSHOT_MAX || memcmp(data, "P6", 2) != 0 || !is_space(r.p[2]))
                return -EBADMSG;
        r.p += 2;
        if (read_number(&r, &i.width) < 0)
                return -EBADMSG;
        if (read_number(&r, &i.height) < 0)
                return -EBADMSG;
        if (read_number(&r, &maximum) < 0)
                return -EBADMSG;
        if (i.width == 0 || i.height == 0 || maximum != 255 || r.p == r.end || !is_space(*r.p))
                return -EBADMSG;
        i.pixels = r.p + 1;
        if ((uint64_t) i.width * i.height * 3 > (uint64_t) (r.end - i.pixels))
                return -EBADMSG;
        *ret = i;
        return 0;
}

/* --- PNG ------------------------------------------------------------------------------------------- */

static uint8_t *put32(uint8_t *p, uint32_t n) {
        for (int shift = 24; shift >= 0; shift -= 8)
                *p++ = (uint8_t) (n >> shift);
        return p;
}

/* @data may already lie where it belongs, behind the length and the type. */
static uint8_t *put_chunk(uint8_t *p, const char *type, const void *data, uint32_t size) {
        uint8_t *start = put32(p, size);

        memcpy(start, type, 4);
        if (size > 0 && data != start + 4)
                memcpy(start + 4, data, size);
        return put32(start + 4 + size, (uint32_t) crc32(0, start, 4 + size));
}

/* Each row begins with the number of its filter: none. */
static uint8_t *make_rows(const Image *i, size_t *ret_size) {
        size_t row = (size_t) i->width * 3;
        uint8_t *rows = malloc((row + 1) * i->height), *p = rows;

        for (uint32_t y = 0; rows && y < i->height; y++) {
                *p++ = 0;
                memcpy(p, i->pixels + y * row, row);
                p += row;
        }
        *ret_size = (row + 1) * i->height;
        return rows;
}

int ppm_to_png(const void *data, size_t size, void **ret, size_t *ret_size) {
        enum { HEADER = 13, CHUNK = 12 };
        _cleanup_free_ uint8_t *rows = NULL, *png = NULL;
        uint8_t header[HEADER], *p = header;
        size_t n_rows;
        uLong packed;
        Image i;
        int r = read_image(data, size, &i);

        if (r < 0)
                return r;
        rows = make_rows(&i, &n_rows);
        if (!rows)
                return -ENOMEM;
        packed = compressBound(n_rows);
        png = malloc(sizeof(signature) + 3 * CHUNK + HEADER + packed);
        if (!png)
                return -ENOMEM;
        memcpy(png, signature, sizeof(signature));
        p = put32(put32(p, i.width), i.height);
        memcpy(p, (const uint8_t[]){ 8, 2, 0, 0, 0 }, 5); /* bits, RGB, deflate, filters, not interlaced */
        p = put_chunk(png + sizeof(signature), "IHDR", header, HEADER);
        if (compress2(p + 8, &packed, rows, n_rows, LEVEL) != Z_OK)
                return -ENOMEM;
        p = put_chunk(p, "IDAT", p + 8, (uint32_t) packed);
        p = put_chunk(p, "IEND", NULL, 0);
        *ret_size = (size_t) (p - png);
        *ret = TAKE_PTR(png);
        return 0;
}
