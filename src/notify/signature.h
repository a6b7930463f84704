/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/macro.h"

/* The value of X-Hyper-Signature: "sha256=" and HMAC-SHA-256 (RFC 2104) of the body in hexadecimal digits.
 * The caller frees; NULL when out of memory. */
char *signature_make(const char *secret, const char *body);
