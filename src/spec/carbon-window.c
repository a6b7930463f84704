/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/carbon-window.h"

#include <math.h>

/* The average over a window of a fixed length changes its slope only where the window begins or ends at the
 * edge of a point. So the best windows are among those that begin or end there, or at the limits of the
 * search. */
static size_t add_candidates(
                const CarbonData *d, const CarbonSearch *s, CarbonWindow *list, usec_t edge, size_t n) {
        const usec_t starts[] = { edge, edge > s->duration ? edge - s->duration : 0 };

        for (size_t i = 0; i < ELEMENTSOF(starts); i++) {
                usec_t start = starts[i], end = start + s->duration;
                double average;

                if (start < s->from || start > s->start_until || end > s->until || end < start)
                        continue;
                average = carbon_data_average(d, start, end);
                if (average < 0 || (s->max_intensity > 0 && average > s->max_intensity))
                        continue;
                list[n++] = (CarbonWindow){ start, end, average, carbon_data_highest(d, start, end) };
        }
        return n;
}

/* Averages are compared in thousandths: the last digits depend on the order in which values were added. */
static long long thousandths(double average) {
        return llround(average * 1000);
}

static int compare_windows(const void *x, const void *y) {
        const CarbonWindow *a = x, *b = y;
        long long i = thousandths(a->average), k = thousandths(b->average);

        if (i != k)
                return i < k ? -1 : 1;
        return a->start < b->start ? -1 : a->start > b->start;
}

static int all_windows(const CarbonData *d, const CarbonSearch *s, CarbonWindow **ret, size_t *ret_n) {
        CarbonWindow *list = new0(CarbonWindow, 4 * d->n_points + 6);
        size_t n = 0;

        if (!list)
                return -ENOMEM;
        n = add_candidates(d, s, list, s->from, n);
        n = add_candidates(d, s, list, s->until, n);
        n = add_candidates(d, s, list, s->start_until, n);
        for (size_t i = 0; i < d->n_points; i++) {
                n = add_candidates(d, s, list, d->points[i].from, n);
                n = add_candidates(d, s, list, d->points[i].to, n);
        }
        *ret = list;
        *ret_n = n;
        return 0;
}

static bool overlaps(const CarbonWindow *list, size_t n, const CarbonWindow *w) {
        for (size_t i = 0; i < n; i++)
                if (w->start < list[i].end && list[i].start < w->end)
                        return true;
        return false;
}

int carbon_windows(const CarbonData *d, const CarbonSearch *search, CarbonWindow *ret, size_t max) {
        _cleanup_free_ CarbonWindow *list = NULL;
        size_t n = 0, found = 0;
        int r = search->duration > 0 ? all_windows(d, search, &list, &n) : 0;

        if (r < 0)
                return r;
        if (n > 1)
                qsort(list, n, sizeof(*list), compare_windows);
        for (size_t i = 0; i < n && found < max; i++)
                if (!overlaps(ret, found, list + i))
                        ret[found++] = list[i];
        return (int) found;
}

/* The earliest of those that are low enough, or else the best of all. 1, or 0 if there is none. */
static int find_window(const CarbonData *d, const CarbonSearch *search, CarbonWindow *ret) {
        _cleanup_free_ CarbonWindow *list = NULL;
        size_t n = 0;
        int r = search->max_intensity > 0 ? all_windows(d, search, &list, &n) : 0;

        if (r < 0)
                return r;
        if (n == 0) {
                CarbonSearch best = *search;

                best.max_intensity = 0;
                return carbon_windows(d, &best, ret, 1);
        }
        *ret = list[0];
        for (size_t i = 1; i < n; i++)
                if (list[i].start < ret->start)
                        *ret = list[i];
        return 1;
}

int carbon_choose(const CarbonData *d, const CarbonWish *wish, usec_t now, CarbonChoice *ret) {
        const CarbonPoint *point = carbon_data_at(d, now);
        const CarbonSearch search = { .from = now,
                .until = USEC_INFINITY,
                .start_until = wish->not_after,
                .duration = wish->duration,
                .max_intensity = wish->max_intensity };
        CarbonChoice c = { .now = point ? point->intensity : -1, .expected = -1 };
        double at_once;
        CarbonWindow window;
        int r;

        if (now >= wish->not_after) {
                *ret = c;
                return 0;
        }
        at_once = carbon_data_average(d, now, now + wish->duration);
        r = d->has_forecast ? find_window(d, &search, &window) : 0;
        if (r < 0)
                return r;
        if (r > 0) {
                c.expected = window.average;
                /* A window that is as good as now is not waited for. */
                if (window.start > now &&
                                (at_once < 0 || thousandths(window.average) < thousandths(at_once)))
                        c.until = window.start;
        } else if (c.now >= 0 && wish->max_intensity > 0 && c.now > wish->max_intensity)
                c.until = MIN(now + wish->refresh, wish->not_after);
        *ret = c;
        return 0;
}
