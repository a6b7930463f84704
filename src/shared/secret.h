/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Secrets of 256 random bits as text: 32 bytes in base64url without padding (RFC 4648, 5). */

#include "basic/macro.h"

#define SECRET_LENGTH 43u

/* Makes one from getrandom(2), with a NUL behind it; the caller wipes it (explicit_bzero(3)). 0 or negative
 * errno. */
int secret_make(char ret[static SECRET_LENGTH + 1]);

/* Whether text from outside has the form of one. */
bool secret_is_valid(const char *text) _pure_;
