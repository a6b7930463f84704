/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/tar-sparse.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "image/tar-number.h"

#define BLOCK 512u
/* Places in a header of type "S", tar.h of GNU tar: struct oldgnu_header, struct sparse_header. */
#define ENTRY_SIZE 24u
#define HEADER_ENTRIES_AT 386u
#define HEADER_ENTRIES 4u
#define HEADER_MORE_AT 482u
#define HEADER_SIZE_AT 483u
#define BLOCK_ENTRIES 21u
#define BLOCK_MORE_AT 504u

void tar_sparse_done(TarSparse *s) {
        free(s->name);
        free(s->segments);
        *s = (TarSparse){};
}

static int add_segment(TarSparse *s, uint64_t at, uint64_t length) {
        const TarSegment *last = s->n_segments > 0 ? &s->segments[s->n_segments - 1] : NULL;

        if (length > INT64_MAX || at > INT64_MAX || (last && at < last->at + last->length) ||
                        s->n_segments >= TAR_SEGMENTS_MAX)
                return -EBADMSG;
        if (!GREEDY_REALLOC(s->segments, s->allocated, s->n_segments + 1))
                return -ENOMEM;
        s->segments[s->n_segments++] = (TarSegment){ .at = at, .length = length };
        return 0;
}

/* Offsets and lengths come one after the other. */
static int add_number(TarSparse *s, uint64_t number) {
        if (!s->half) {
                s->half = true;
                int r = add_segment(s, number, 0);
                return r;
        }
        s->half = false;
        if (number > INT64_MAX)
                return -EBADMSG;
        s->segments[s->n_segments - 1].length = number;
        return 0;
}

static int parse_list(TarSparse *s, const char *list) {
        for (const char *p = list; *p;) {
                size_t n = strcspn(p, ",");
                char digits[24];
                uint64_t number;

                if (n == 0 || n >= sizeof(digits))
                        return -EBADMSG;
                memcpy(digits, p, n);
                digits[n] = 0;
                if (parse_uint64(digits, &number) < 0)
                        return -EBADMSG;
                int r = add_number(s, number);
                if (r < 0)
                        return r;
                p += n + (p[n] == ',');
        }
        return 0;
}

int tar_sparse_pax(TarSparse *s, const char *key, const char *value) {
        const char *what = startswith(key, "GNU.sparse.");
        uint64_t number = 0;
        int r = 0;

        if (!what)
                return 0;
        s->is_sparse = true;
        if (streq(what, "name")) {
                r = free_and_strdup(&s->name, value);
                return r < 0 ? r : 1;
        }
        if (streq(what, "map")) {
                r = parse_list(s, value);
                return r < 0 ? r : 1;
        }
        if (parse_uint64(value, &number) < 0)
                return -EBADMSG;
        if (streq(what, "size") || streq(what, "realsize")) {
                s->size = number;
                s->has_size = true;
        } else if (streq(what, "offset") || streq(what, "numbytes")) {
                if (s->half != streq(what, "numbytes"))
                        return -EBADMSG;
                r = add_number(s, number);
        } else if (streq(what, "major")) {
                if (number > 1)
                        return -EBADMSG;
                s->map_in_data = number == 1;
        } else if (streq(what, "minor") ? number > 1 : !streq(what, "numblocks"))
                return -EBADMSG;
        return r < 0 ? r : 1;
}

static int parse_entries(TarSparse *s, const char *entries, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const char *e = entries + i * ENTRY_SIZE;
                uint64_t at, length;

                if (e[0] == 0)
                        break;
                if (tar_parse_number(e, 12, &at) < 0 || tar_parse_number(e + 12, 12, &length) < 0)
                        return -EBADMSG;
                int r = add_segment(s, at, length);
                if (r < 0)
                        return r;
        }
        return 0;
}

int tar_sparse_header(TarSparse *s, const void *block, bool *ret_more) {
        const char *b = block;

        if (tar_parse_number(b + HEADER_SIZE_AT, 12, &s->size) < 0)
                return -EBADMSG;
        s->is_sparse = s->has_size = true;
        *ret_more = b[HEADER_MORE_AT] != 0;
        return parse_entries(s, b + HEADER_ENTRIES_AT, HEADER_ENTRIES);
}

int tar_sparse_block(TarSparse *s, const void *block, bool *ret_more) {
        const char *b = block;

        *ret_more = b[BLOCK_MORE_AT] != 0;
        return parse_entries(s, b, BLOCK_ENTRIES);
}

/* A decimal number and a newline. */
static int take_line(const char *text, size_t size, size_t *at, uint64_t *ret) {
        const char *newline = memchr(text + *at, '\n', MIN(size - *at, (size_t) 24));
        char digits[24];

        if (!newline)
                return size - *at < 24 ? -EAGAIN : -EBADMSG;
        size_t n = (size_t) (newline - text) - *at;
        memcpy(digits, text + *at, n);
        digits[n] = 0;
        *at += n + 1;
        return parse_uint64(digits, ret) < 0 ? -EBADMSG : 0;
}

int tar_sparse_map(TarSparse *s, const char *text, size_t size, size_t *ret_length) {
        uint64_t n, number;
        size_t at = 0;

        s->n_segments = 0;
        s->half = false;
        int r = take_line(text, size, &at, &n);
        if (r >= 0 && n > TAR_SEGMENTS_MAX)
                return -EBADMSG;
        for (uint64_t i = 0; r >= 0 && i < 2 * n; i++) {
                r = take_line(text, size, &at, &number);
                if (r >= 0)
                        r = add_number(s, number);
        }
        if (r < 0)
                return r;
        *ret_length = (at + BLOCK - 1) / BLOCK * BLOCK;
        return 0;
}

int tar_sparse_place(TarSparse *s, uint64_t offset, uint64_t stored) {
        uint64_t done = 0;

        if (!s->has_size || s->half || s->size > INT64_MAX)
                return -EBADMSG;
        for (size_t i = 0; i < s->n_segments; i++) {
                TarSegment *g = &s->segments[i];

                if (g->length > stored - done || g->at > s->size || g->length > s->size - g->at)
                        return -EBADMSG;
                /* Nobody agrees on whether the next one would begin at a block then. */
                if (g->length % BLOCK != 0 && g->length < stored - done)
                        return -EBADMSG;
                /* Lengths may have come after the check of the order. */
                if (i > 0 && g->at < g[-1].at + g[-1].length)
                        return -EBADMSG;
                g->offset = offset + done;
                done += g->length;
        }
        return done == stored ? 0 : -EBADMSG;
}
