/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Time. Points and spans of time are usec_t, microseconds; wall-clock points count from 1970-01-01 UTC. */

#include <inttypes.h>

#include "basic/macro.h"

typedef uint64_t usec_t;

#define USEC_PER_SEC ((usec_t) 1000000)
#define USEC_PER_MSEC ((usec_t) 1000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)
#define NSEC_PER_USEC ((uint64_t) 1000)
#define USEC_INFINITY ((usec_t) UINT64_MAX)

usec_t now_realtime(void);
usec_t now_monotonic(void);

/* A clock that a test can set by hand. */
typedef usec_t (*clock_func)(void);

/* "2026-01-31T10:00:00.123456Z", the fraction left out when it is zero (RFC 3339, UTC). */
#define RFC3339_SIZE 32
char *format_rfc3339(char buf[static RFC3339_SIZE], usec_t t);

/* Reads an RFC 3339 date-time with any offset, "T" or blank between date and time, up to nine digits of
 * fraction. 0, or -EINVAL for anything else (dates that do not exist, years before 1970, text behind it). */
int parse_rfc3339(const char *s, usec_t *ret);

/* "2026-10-25 01:00:00 UTC", for OnCalendar= (systemd.time(7)); a fraction of a second is left out. 0 or
 * -EINVAL. */
#define CALENDAR_SIZE 32
int format_calendar(char buf[static CALENDAR_SIZE], usec_t t);

/* "1h 2min", "45s", "300ms": two units at most. */
#define TIMESPAN_SIZE 32
char *format_timespan(char buf[static TIMESPAN_SIZE], usec_t span);
