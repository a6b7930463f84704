/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers and the like from text that came from outside: all of it must be used, nothing is guessed. */

#include "basic/macro.h"

/* Decimal digits only. 0, -EINVAL for other text, -ERANGE if it does not fit. */
int parse_uint64(const char *s, uint64_t *ret);
int parse_unsigned(const char *s, unsigned *ret);

/* true/false, yes/no, on/off, 1/0 in any case. 0 or -EINVAL. */
int parse_boolean(const char *s, bool *ret);

/* "1.5 GiB" and the like, for people: binary units, one decimal. */
#define BYTES_SIZE 32
char *format_bytes(char buf[static BYTES_SIZE], uint64_t bytes);

/* 0 to 15, or -EINVAL. */
int parse_hex_digit(char c);
