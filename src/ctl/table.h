/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tables for people: columns as wide as they need to be, and where that is too wide for the terminal the
 * columns that may be are shortened. Never shortened when it is not a terminal: a script wants all of it. */

#include <stdio.h>

#include "ctl/terminal.h"

typedef struct TableColumn {
        const char *title;
        bool right; /* numbers stand on the right */
        size_t shrink_to; /* may be shortened to so many columns, those on the right first; 0: never */
        bool optional; /* left out rather than shortening the first column; not itself the first or last */
} TableColumn;

typedef struct Table Table;

/* @columns must live as long as the table. NULL when out of memory. */
Table *table_new(const TableColumn *columns, size_t n_columns);
Table *table_free(Table *t);
DEFINE_CLEANUP_FUNC(Table *, table_free);

/* Adds the next cell, from left to right and then downwards; @text is copied and need not be escaped. 0 or
 * -ENOMEM. */
int table_add(Table *t, const char *text, Colour colour);
int table_addf(Table *t, Colour colour, const char *format, ...) _printf_(3, 4);

size_t table_rows(const Table *t);

/* Prints it, with the line of titles if @legend. 0 or negative errno. */
int table_print(const Table *t, FILE *f, const Terminal *terminal, bool legend);
