/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text on its way to a person. Everything that came from a job (names, reasons, what qemu-nbd printed) may
 * have been chosen by somebody who means harm: a terminal obeys control characters, so they are shown
 * instead of sent. */

#include <jansson.h>

#include "basic/macro.h"

/* A copy of @s in which a terminal finds nothing to obey: C0 and C1 controls, DEL, the characters that turn
 * the direction of writing or break lines (U+2028 …), and bytes that are not UTF-8 become \n, \t, \x1b,
 * \u202e. With @utf8 false all that is not ASCII is written so too. NULL when out of memory. */
char *text_escape(const char *s, bool utf8);

/* How many columns a terminal needs for text_escape()d @s. */
size_t text_width(const char *s);

/* A copy of @s (escaped already) in at most @width columns; what does not fit is replaced by "…" ("..."
 * unless
 * @utf8) at the end. NULL when out of memory. */
char *text_fit(const char *s, size_t width, bool utf8);

/* JSON as text, on one line or (@pretty) indented. It is the same value always, but what text_escape() would
 * escape is written as \uXXXX, so that it can be shown on a terminal too. NULL when out of memory. */
char *text_json(json_t *value, bool pretty, bool utf8);
