/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line that says how far a job is. Pure: numbers in, text out. */

#include "basic/time-util.h"

typedef struct Progress {
        const char *label; /* whose progress it is; NULL: none shown. Escaped already. */
        const char *phase; /* "conversion"; may be empty */
        double percent; /* 0 to 100; negative: not known */
        uint64_t done, total; /* bytes; total 0: not known */
        uint64_t rate; /* bytes per second; 0: not known */
} Progress;

/* The line in at most @width columns (at least the percentage stays), without a newline: label, phase, bar,
 * percentage, bytes, rate, time left; parts are left out from the end of that list where it is too narrow.
 * NULL when out of memory. */
char *progress_line(const Progress *p, size_t width, bool utf8);

/* How long it will take at the present rate; USEC_INFINITY: not known. */
usec_t progress_time_left(const Progress *p);
