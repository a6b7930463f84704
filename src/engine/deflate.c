/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/deflate.h"

#include <endian.h>

#include "engine/huffman.h"

#define MATCH_MIN 3u
#define MATCH_MAX 258u
#define CHAIN_MAX 16u /* candidates that are tried */
#define NICE_LENGTH 64u /* and no longer match is looked for */

#define HASH4_BITS 14
#define HASH3_BITS 13

#define END_OF_BLOCK 256u
#define LENGTH_CODES 257u
#define N_LITERALS 286u
#define N_DISTANCES 30u
#define N_PRECODES 19u
#define PRECODE_BITS 7u

#define SAMPLE_STEP 8u /* one byte in that many is looked at, before anything is tried */
#define PROBE_LENGTH \
        ((size_t) 4096) /* without a match in so much of what looks random the rest is not tried */

/* A byte, or a match. */
typedef struct Token {
        uint16_t length; /* the byte, if @distance is 0 */
        uint16_t distance;
} Token;

struct Deflate {
        /* Positions are counted from 1; 0: none. */
        uint16_t heads4[1 << HASH4_BITS], heads3[1 << HASH3_BITS]; /* by hash, the last position */
        uint16_t previous[DEFLATE_WINDOW]; /* by position, the one with the same hash of 4 bytes before it */
        uint32_t literal_counts[N_LITERALS], distance_counts[N_DISTANCES];
        HuffmanCode literals, distances, precodes;
        Token tokens[DEFLATE_INPUT_MAX];
        size_t n_tokens;
        uint8_t length_codes[MATCH_MAX + 1]; /* from 0 */
        uint8_t distance_codes[DEFLATE_WINDOW + 1];
};

static const uint16_t length_bases[] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51,
        59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
static const uint8_t length_extra[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4,
        4, 5, 5, 5, 5, 0 };
/* Up to the window. */
static const uint16_t distance_bases[] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257,
        385, 513, 769, 1025, 1537, 2049, 3073 };
static const uint8_t distance_extra[] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9,
        10, 10 };

int deflate_new(Deflate **ret) {
        Deflate *d = new0(Deflate, 1);

        if (!d)
                return -ENOMEM;
        for (unsigned length = MATCH_MIN, code = 0; length <= MATCH_MAX; length++) {
                while (code + 1 < ELEMENTSOF(length_bases) && length_bases[code + 1] <= length)
                        code++;
                d->length_codes[length] = (uint8_t) code;
        }
        for (unsigned distance = 1, code = 0; distance <= DEFLATE_WINDOW; distance++) {
                while (code + 1 < ELEMENTSOF(distance_bases) && distance_bases[code + 1] <= distance)
                        code++;
                d->distance_codes[distance] = (uint8_t) code;
        }
        *ret = d;
        return 0;
}

Deflate *deflate_free(Deflate *d) {
        return mfree(d);
}

/* --- matches --------------------------------------------------------------------------------------- */

static uint32_t load32(const uint8_t *p) {
        uint32_t v;

        memcpy(&v, p, sizeof(v));
        return v;
}

static uint64_t load64(const uint8_t *p) {
        uint64_t v;

        memcpy(&v, p, sizeof(v));
        return le64toh(v);
}

static uint32_t hash4(uint32_t v) {
        return v * UINT32_C(0x9e3779b1) >> (32 - HASH4_BITS);
}

static uint32_t hash3(uint32_t v) {
        return (le32toh(v) & 0xffffff) * UINT32_C(0x9e3779b1) >> (32 - HASH3_BITS);
}

/* How many bytes are the same, at most @max. */
static unsigned same_bytes(const uint8_t *a, const uint8_t *b, unsigned max) {
        unsigned n = 0;

        for (; n + 8 <= max; n += 8) {
                uint64_t difference = load64(a + n) ^ load64(b + n);
                if (difference != 0)
                        return n + (unsigned) __builtin_ctzll(difference) / 8;
        }
        while (n < max && a[n] == b[n])
                n++;
        return n;
}

typedef struct Match {
        unsigned length, distance;
} Match;

/* Looks for a match at @at, and notes the position. At least four bytes must follow. */
static Match find_match(Deflate *d, const uint8_t *data, size_t size, size_t at) {
        uint32_t value = load32(data + at);
        uint16_t *head4 = &d->heads4[hash4(value)], *head3 = &d->heads3[hash3(value)];
        size_t near = *head3, candidate = *head4;
        unsigned max = (unsigned) MIN(size - at, (size_t) MATCH_MAX);
        const uint8_t *here = data + at;
        Match m = {};

        d->previous[at % DEFLATE_WINDOW] = *head4;
        *head4 = *head3 = (uint16_t) (at + 1);
        if (near > 0 && at + 1 - near <= DEFLATE_WINDOW && memcmp(data + near - 1, here, MATCH_MIN) == 0)
                m = (Match){ .length = MATCH_MIN, .distance = (unsigned) (at + 1 - near) };

        for (unsigned tries = CHAIN_MAX; candidate > 0 && tries > 0 && m.length < max; tries--) {
                size_t distance = at + 1 - candidate;
                const uint8_t *there = data + candidate - 1;

                if (distance > DEFLATE_WINDOW)
                        break;
                if (load32(there) == value && there[m.length] == here[m.length]) {
                        unsigned length = 4 + same_bytes(there + 4, here + 4, max - 4);
                        if (length > m.length) {
                                m = (Match){ .length = length, .distance = (unsigned) distance };
                                if (length >= NICE_LENGTH)
                                        break;
                        }
                }
                size_t before = d->previous[(candidate - 1) % DEFLATE_WINDOW];
                if (before >= candidate) /* its place was taken by a later one */
                        break;
                candidate = before;
        }
        return m;
}

/* Notes positions that a match covers. */
static void skip_positions(Deflate *d, const uint8_t *data, size_t from, size_t to) {
        for (size_t at = from; at < to; at++) {
                uint32_t value = load32(data + at);
                uint16_t *head4 = &d->heads4[hash4(value)];

                d->previous[at % DEFLATE_WINDOW] = *head4;
                *head4 = d->heads3[hash3(value)] = (uint16_t) (at + 1);
        }
}

static void add_byte(Deflate *d, uint8_t byte) {
        d->tokens[d->n_tokens++] = (Token){ .length = byte };
        d->literal_counts[byte]++;
}

static void add_match(Deflate *d, Match m) {
        d->tokens[d->n_tokens++] =
                        (Token){ .length = (uint16_t) m.length, .distance = (uint16_t) m.distance };
        d->literal_counts[LENGTH_CODES + d->length_codes[m.length]]++;
        d->distance_counts[d->distance_codes[m.distance]]++;
}

/* True if a sample of the bytes is spread as evenly as that of random ones: the sum of the squares of their
 * counts is what tells. */
static bool looks_random(const uint8_t *data, size_t size) {
        uint32_t counts[256] = {};
        uint64_t n = 0, squares = 0;

        for (size_t i = 0; i < size; i += SAMPLE_STEP, n++)
                counts[data[i]]++;
        for (size_t i = 0; i < ELEMENTSOF(counts); i++)
                squares += (uint64_t) counts[i] * counts[i];
        /* Of random ones it is n + n² / 256; a tenth more is far out of their reach for n = 8192. */
        return n >= 4096 && squares * 2560 < n * 2560 + n * n * 11;
}

/* Fills d->tokens. False: given up. */
static bool parse(Deflate *d, const uint8_t *data, size_t size) {
        bool doubtful = looks_random(data, size);
        size_t at = 0, end = size >= 8 ? size - 7 : 0; /* where no match begins any more */

        while (at < end) {
                if (doubtful && at >= PROBE_LENGTH) {
                        if (d->n_tokens * 32 > at * 31)
                                return false;
                        doubtful = false;
                }
                Match m = find_match(d, data, size, at);
                if (m.length == 0) {
                        add_byte(d, data[at++]);
                        continue;
                }
                skip_positions(d, data, at + 1, MIN(at + m.length, end));
                add_match(d, m);
                at += m.length;
        }
        while (at < size)
                add_byte(d, data[at++]);
        d->literal_counts[END_OF_BLOCK] = 1;
        return true;
}

/* --- writing --------------------------------------------------------------------------------------- */

typedef struct Bits {
        uint8_t *out;
        uint64_t bits; /* not written yet, the first one lowest */
        unsigned n;
} Bits;

/* At most 56 together with what is not written yet. */
static void put(Bits *b, uint64_t value, unsigned n) {
        b->bits |= value << b->n;
        b->n += n;
}

static void write_out(Bits *b) {
        uint64_t v = htole64(b->bits);

        memcpy(b->out, &v, sizeof(v));
        b->out += b->n / 8;
        b->bits >>= b->n / 8 * 8;
        b->n %= 8;
}

/* The lengths of both codes, in the code for lengths: 16 repeats the last one, 17 and 18 are zeroes. */
typedef struct Lengths {
        uint8_t symbols[N_LITERALS + N_DISTANCES], extra[N_LITERALS + N_DISTANCES];
        size_t n;
        uint32_t counts[N_PRECODES];
        unsigned n_literals, n_distances, n_precodes;
} Lengths;

static const uint8_t precode_order[N_PRECODES] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14,
        1, 15 };
static const uint8_t precode_extra[N_PRECODES] = { [16] = 2, [17] = 3, [18] = 7 };

static void add_length(Lengths *l, unsigned symbol, size_t extra) {
        l->symbols[l->n] = (uint8_t) symbol;
        l->extra[l->n++] = (uint8_t) extra;
        l->counts[symbol]++;
}

static void add_run(Lengths *l, uint8_t length, size_t run) {
        if (length == 0)
                for (size_t n; run >= 3; run -= n) {
                        n = MIN(run, (size_t) 138);
                        if (n >= 11)
                                add_length(l, 18, n - 11);
                        else
                                add_length(l, 17, n - 3);
                }
        else if (run >= 4) {
                add_length(l, length, 0);
                run--;
                for (size_t n; run >= 3; run -= n) {
                        n = MIN(run, (size_t) 6);
                        add_length(l, 16, n - 3);
                }
        }
        for (; run > 0; run--)
                add_length(l, length, 0);
}

static unsigned used_symbols(const HuffmanCode *c, unsigned n, unsigned least) {
        while (n > least && c->lengths[n - 1] == 0)
                n--;
        return n;
}

static void encode_lengths(Deflate *d, Lengths *l) {
        uint8_t all[N_LITERALS + N_DISTANCES];

        l->n_literals = used_symbols(&d->literals, N_LITERALS, LENGTH_CODES);
        l->n_distances = used_symbols(&d->distances, N_DISTANCES, 1);
        memcpy(all, d->literals.lengths, l->n_literals);
        memcpy(all + l->n_literals, d->distances.lengths, l->n_distances);
        for (size_t i = 0, end, n = l->n_literals + l->n_distances; i < n; i = end) {
                for (end = i + 1; end < n && all[end] == all[i];)
                        end++;
                add_run(l, all[i], end - i);
        }
        huffman_make(&d->precodes, l->counts, N_PRECODES, PRECODE_BITS);
        l->n_precodes = N_PRECODES;
        while (l->n_precodes > 4 && d->precodes.lengths[precode_order[l->n_precodes - 1]] == 0)
                l->n_precodes--;
}

/* Of the whole block. */
static size_t count_bits(const Deflate *d, const Lengths *l) {
        size_t n = 3 + 5 + 5 + 4 + (size_t) l->n_precodes * 3;

        for (unsigned i = 0; i < N_PRECODES; i++)
                n += (size_t) l->counts[i] * (d->precodes.lengths[i] + precode_extra[i]);
        for (unsigned i = 0; i < N_LITERALS; i++)
                n += (size_t) d->literal_counts[i] *
                                (d->literals.lengths[i] +
                                                (i < LENGTH_CODES ? 0u : length_extra[i - LENGTH_CODES]));
        for (unsigned i = 0; i < ELEMENTSOF(distance_extra); i++)
                n += (size_t) d->distance_counts[i] * (d->distances.lengths[i] + distance_extra[i]);
        return n;
}

static void write_header(Bits *b, const Deflate *d, const Lengths *l) {
        put(b, 1, 1); /* the last block */
        put(b, 2, 2); /* with codes of its own */
        put(b, l->n_literals - LENGTH_CODES, 5);
        put(b, l->n_distances - 1, 5);
        put(b, l->n_precodes - 4, 4);
        for (unsigned i = 0; i < l->n_precodes; i++) {
                write_out(b);
                put(b, d->precodes.lengths[precode_order[i]], 3);
        }
        for (size_t i = 0; i < l->n; i++) {
                unsigned symbol = l->symbols[i];
                write_out(b);
                put(b, d->precodes.codes[symbol], d->precodes.lengths[symbol]);
                put(b, l->extra[i], precode_extra[symbol]);
        }
        write_out(b);
}

static void write_match(Bits *b, const Deflate *d, const Token *t) {
        unsigned length = d->length_codes[t->length], distance = d->distance_codes[t->distance];

        put(b, d->literals.codes[LENGTH_CODES + length], d->literals.lengths[LENGTH_CODES + length]);
        put(b, t->length - length_bases[length], length_extra[length]);
        put(b, d->distances.codes[distance], d->distances.lengths[distance]);
        put(b, t->distance - distance_bases[distance], distance_extra[distance]);
}

static void write_tokens(Bits *b, const Deflate *d) {
        for (size_t i = 0; i < d->n_tokens; i++) {
                const Token *t = &d->tokens[i];
                if (t->distance > 0)
                        write_match(b, d, t);
                else
                        put(b, d->literals.codes[t->length], d->literals.lengths[t->length]);
                write_out(b);
        }
        put(b, d->literals.codes[END_OF_BLOCK], d->literals.lengths[END_OF_BLOCK]);
        write_out(b);
}

size_t deflate_block(Deflate *d, const void *data, size_t size, void *out, size_t max) {
        Bits b = { .out = out };
        Lengths l = {};

        assert(size <= DEFLATE_INPUT_MAX);
        memset(d->heads4, 0, sizeof(d->heads4));
        memset(d->heads3, 0, sizeof(d->heads3));
        memset(d->literal_counts, 0, sizeof(d->literal_counts));
        memset(d->distance_counts, 0, sizeof(d->distance_counts));
        d->n_tokens = 0;
        if (!parse(d, data, size))
                return 0;
        huffman_make(&d->literals, d->literal_counts, N_LITERALS, HUFFMAN_BITS_MAX);
        huffman_make(&d->distances, d->distance_counts, N_DISTANCES, HUFFMAN_BITS_MAX);
        encode_lengths(d, &l);
        size_t length = (count_bits(d, &l) + 7) / 8;
        if (length > max)
                return 0;
        write_header(&b, d, &l);
        write_tokens(&b, d);
        if (b.n > 0)
                *b.out++ = (uint8_t) b.bits;
        assert((size_t) (b.out - (uint8_t *) out) == length);
        return length;
}
