/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How things are shown to a person: one of them as lines with a label, as systemctl status has them, many as
 * a table. */

#include <jansson.h>

#include "basic/time-util.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

/* "● name", escaped: what the lines below are about. 0 or -ENOMEM. */
int view_heading(Ctl *ctl, Colour colour, const char *name);

/* "       State: …", the value escaped; nothing for an empty one. An empty label goes on with the one
 * before. 0 or -ENOMEM. */
int view_line(Ctl *ctl, const char *label, Colour colour, const char *format, ...) _printf_(4, 5);

/* "Sat 2026-11-21 10:00:00 CET; 5min ago"; "" for 0. */
#define VIEW_WHEN_SIZE 96
const char *view_when(char buf[static VIEW_WHEN_SIZE], usec_t t);

/* "5min 3s": in whole seconds. */
const char *view_span(char buf[static TIMESPAN_SIZE], usec_t span);
/* The same since then, for a cell of a table; "-" for 0 and for what is still to come. */
const char *view_age(char buf[static TIMESPAN_SIZE], usec_t since);

/* What an object says under @key; "" and 0 if it says nothing, or something else. */
const char *view_string(json_t *object, const char *key);
uint64_t view_number(json_t *object, const char *key);
usec_t view_time(json_t *object, const char *key); /* RFC 3339 */

/* Prints a list on standard output; @t is NULL when out of memory. EXIT_OK, or has said what is wrong and
 * returns another ExitStatus. */
int view_table(Ctl *ctl, const Table *t);

/* A source or a destination of a spec. 0 or -ENOMEM. */
int view_endpoint(Ctl *ctl, const char *label, json_t *endpoint);
