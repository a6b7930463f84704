/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the other end of a file descriptor can show. */

#include "basic/macro.h"

typedef struct Terminal {
        bool tty; /* it is a terminal */
        bool cursor; /* it can go back to the start of a line: a terminal whose $TERM is not "dumb" */
        bool colour; /* likewise, and $NO_COLOR is not set (no-color.org) */
        bool utf8; /* the locale's encoding is UTF-8 */
        size_t width, height; /* 0: no limit, as for a pipe or a file */
} Terminal;

/* Needs setlocale(LC_CTYPE, "") first. $COLUMNS is believed before the terminal's own answer. */
void terminal_query(int fd, Terminal *ret);

typedef enum Colour {
        COLOUR_NONE,
        COLOUR_RED,
        COLOUR_GREEN,
        COLOUR_YELLOW,
        COLOUR_BLUE,
        COLOUR_GREY,
        COLOUR_BOLD,
        _COLOUR_MAX,
} Colour;

/* The escape sequences, "" when the terminal is to have none. */
const char *colour_on(const Terminal *t, Colour c);
const char *colour_off(const Terminal *t, Colour c);

/* The colour a job's state ("RUNNING") is shown in. */
Colour colour_of_state(const char *state);
