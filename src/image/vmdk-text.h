/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The bytes of a VMDK descriptor as UTF-8. */

#include "basic/macro.h"

/* Converts @data, which has no NUL, from the encoding that a line "encoding=…" in it names; without one it
 * must be UTF-8. A byte order mark is dropped. *ret is a string that the caller frees. 0; -EBADMSG with
 * *ret_error (caller frees); -ENOMEM. */
int vmdk_text_decode(const char *data, size_t size, char **ret, char **ret_error);
