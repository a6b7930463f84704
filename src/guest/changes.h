/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was changed in a guest, and what could not be: two lists of the result. All texts in them may come
 * from the guest: they are cut, and made valid UTF-8 without control characters. */

#include <jansson.h>

#include "basic/macro.h"

#define GUEST_TEXT_MAX ((size_t) 256)
#define GUEST_LIST_MAX ((size_t) 1000)
/* The longest text file of a guest that is edited. */
#define GUEST_FILE_MAX ((size_t) 4 * 1024 * 1024)

typedef struct Changes {
        json_t *changes, *warnings; /* arrays, made when they are needed */
        size_t left_out;
} Changes;

void changes_done(Changes *c);
#define _cleanup_changes_ _cleanup_(changes_done)

/* A JSON string of a guest's text; NULL becomes null. New reference, or NULL when out of memory. */
json_t *guest_text(const char *s);
json_t *guest_text_n(const char *s, size_t size);

/* @from and @to may be NULL. 0 or -ENOMEM. */
int changes_add(Changes *c, const char *step, const char *file, const char *from, const char *to);
int changes_warn(Changes *c, const char *step, const char *format, ...) _printf_(3, 4);
