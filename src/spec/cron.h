/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Cron expressions, and what they are to systemd. Nothing here reads a file or starts anything, except that
 * cron_next() looks at the C library's time zones.
 *
 * An expression is
 *
 *   minute hour day-of-month month day-of-week
 *
 * with lists (1,2), ranges (1-5), steps (0-30/5; 5/10: from 5 on; a star and /5), names (jan … dec, sun …
 * sat, in any case), 7 as Sunday, "?" for "*"; or @hourly, @daily, @midnight, @weekly, @monthly, @yearly,
 * @annually; or
 * "@every 1h30m" (h, m, s); each optionally after "TZ=Zone/City " or "CRON_TZ=Zone/City ". Without it the
 * time zone is the machine's. Sources: crontab(5), and the documentation of Go's robfig/cron, which clients
 * know.
 *
 * If day of month and day of week are both restricted, a day that meets either is meant. Restricted is
 * everything but "*" and "?", also a star with a step (as with robfig/cron; Vixie cron takes each field that
 * begins with "*" for unrestricted).
 *
 * Clock changes of less than three hours are treated as by Debian's cron(8). If neither minute nor hour
 * begins with "*", local times that are skipped lead to one run right after the change, and local times that
 * are repeated to one run, the first time. Other expressions follow the clock. */

#include "basic/time-util.h"

typedef struct Cron {
        uint64_t minutes; /* bit 0 to 59 */
        uint32_t hours; /* bit 0 to 23 */
        uint32_t days; /* bit 1 to 31 */
        uint16_t months; /* bit 1 to 12 */
        uint8_t weekdays; /* bit 0 (Sunday) to 6 */
        bool days_restricted, weekdays_restricted;
        bool wild; /* minute or hour begins with "*" or "?" */
        char *zone; /* NULL: the machine's */
        usec_t every; /* 0, or the distance of runs; then there is nothing else */
} Cron;

#define CRON_LENGTH_MAX 1024u
#define CRON_EVERY_MAX ((usec_t) 366 * 24 * 3600 * USEC_PER_SEC)

void cron_done(Cron *c);

/* 0 with *ret, which cron_done() frees; -EINVAL with *ret_error, text for a person that names the field and
 * the remedy, which the caller frees; -ENOMEM. Expressions that never occur (30 February) are an error.
 * Whether a zone exists is not looked at: cron_zone_is_valid() says whether it could. */
int cron_parse(const char *s, Cron *ret, char **ret_error);

/* True for what has the form of a name in the zone database: no "..", no leading slash. */
bool cron_zone_is_valid(const char *zone);
