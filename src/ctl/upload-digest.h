/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <nettle/sha2.h>

#define UPLOAD_DIGEST_SIZE (2 * SHA256_DIGEST_SIZE + 1)

/* The SHA-256 in hexadecimal digits; @context begins anew. */
void upload_digest_text(struct sha256_ctx *context, char ret[static UPLOAD_DIGEST_SIZE]);
