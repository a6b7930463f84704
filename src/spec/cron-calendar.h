/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Cron expressions as OnCalendar= lines. */

#include "spec/cron.h"

/* The OnCalendar= lines (systemd.time(7)), as a strv that the caller frees: two if days of month and of week
 * are both restricted, else one; none for "@every". 0 or -ENOMEM. */
int cron_to_calendar(const Cron *c, char ***ret);

/* The first time after @after. 0; -ENOENT if there is none within 30 years; -EINVAL for "@every", which
 * counts from a beginning that is not known here. Changes the C library's time zone for the time of the
 * call: not for programs with threads. */
int cron_next(const Cron *c, usec_t after, usec_t *ret);

/* True if the clocks change between @from and @to, or up to three hours before or after. What systemd makes
 * of the OnCalendar= lines is not what cron_next() returns then: local times that are skipped do not elapse,
 * and of those that are repeated, only one does, the second if the change is not one of daylight saving time.
 * Changes the time zone like cron_next(). */
bool cron_crosses_clock_change(const Cron *c, usec_t from, usec_t to);

/* For "@every" that began at @anchor: the first anchor + n × every after @after. */
usec_t cron_every_next(usec_t every, usec_t anchor, usec_t after);
