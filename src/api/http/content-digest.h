/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 of bodies, as headers give it. Pure. */

#include "basic/macro.h"

#define SHA256_SIZE 32u

/* The SHA-256 of the header Content-Digest, "sha-256=:BASE64:" (RFC 9530, 2), among others of its list.
 * 1; 0: it has none; -EINVAL: it is malformed. */
int content_digest_decode(const char *value, uint8_t ret[static SHA256_SIZE]);

/* 64 hexadecimal digits. 0 or -EINVAL. */
int sha256_from_hex(const char *text, uint8_t ret[static SHA256_SIZE]);
