/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How one thing is shown to a person: lines with a label, as systemctl status has them. */

#include <jansson.h>

#include "basic/time-util.h"
#include "ctl/verbs.h"

/* "       State: …", the value escaped; nothing for an empty one. An empty label goes on with the one before. 0 or
 * -ENOMEM. */
int view_line(Ctl *ctl, const char *label, Colour colour, const char *format, ...) _printf_(4, 5);

/* "Sat 2026-11-21 10:00:00 CET; 5min ago"; "" for 0. */
#define VIEW_WHEN_SIZE 96
const char *view_when(char buf[static VIEW_WHEN_SIZE], usec_t t);

/* A source or a destination of a spec. 0 or -ENOMEM. */
int view_endpoint(Ctl *ctl, const char *label, json_t *endpoint);
