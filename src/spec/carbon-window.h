/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When to start work that takes some time, so that the least carbon dioxide is emitted for it. Pure. */

#include "spec/carbon-data.h"

#define CARBON_DURATION_DEFAULT USEC_PER_HOUR

typedef struct CarbonWindow {
        usec_t start, end;
        double average, highest;
} CarbonWindow;

typedef struct CarbonSearch {
        usec_t from; /* now: no window starts before this */
        usec_t until; /* none ends behind this */
        usec_t start_until; /* none starts behind this; USEC_INFINITY: no limit */
        usec_t duration;
        double max_intensity; /* the average is at most this; 0: no limit */
} CarbonSearch;

/* The best windows, of which none overlaps another: lowest average first, then the earliest. At most @max of
 * them are put into @ret; returns how many, or -ENOMEM. */
int carbon_windows(const CarbonData *d, const CarbonSearch *search, CarbonWindow *ret, size_t max);

/* What a job asks for. */
typedef struct CarbonWish {
        unsigned max_intensity; /* 0: the best window */
        usec_t not_after; /* it starts then at the latest */
        usec_t duration;
        usec_t refresh; /* how often to look without a forecast */
} CarbonWish;

typedef struct CarbonChoice {
        usec_t until; /* when to start, or to look again; 0: now */
        double now, expected; /* intensity now and in the window; -1: not known */
} CarbonChoice;

/* Chooses for a job at @now: now, or a time up to not_after. With max_intensity, the first window whose
 * average is at most that; if there is none, or without it, the best one. No window is worse than now. */
int carbon_choose(const CarbonData *d, const CarbonWish *wish, usec_t now, CarbonChoice *ret);
