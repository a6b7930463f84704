/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Huffman codes as deflate has them (RFC 1951, 3.2.2): of limited length, and canonical, so that their
 * lengths are enough to know them. */

#include "basic/macro.h"

#define HUFFMAN_SYMBOLS_MAX 288u
#define HUFFMAN_BITS_MAX 15u

typedef struct HuffmanCode {
        uint16_t codes[HUFFMAN_SYMBOLS_MAX]; /* the first bit lowest, as they are written */
        uint8_t lengths[HUFFMAN_SYMBOLS_MAX]; /* 0: it does not occur */
} HuffmanCode;

/* A code for @n symbols that occur as often as @counts says, together at most 2^17 times, none longer than
 * @bits. It is complete: at least two symbols have a code, even if fewer occur, because readers differ in
 * what they make of others. */
void huffman_make(HuffmanCode *ret, const uint32_t *counts, size_t n, unsigned bits);
