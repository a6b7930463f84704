/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a job waits for a low carbon intensity, or has waited: what the manager keeps of it, as one JSON text
 * in the database. */

#include <jansson.h>

#include "basic/time-util.h"
#include "spec/carbon-data.h"
#include "spec/job-state.h"

typedef struct CarbonHold {
        char zone[CARBON_ZONE_MAX + 1], source[CARBON_ZONE_MAX + 1]; /* "": not known */
        usec_t submitted_at;
        usec_t not_after; /* it starts then at the latest */
        usec_t released_at; /* when the wait ended; 0: it waits */
        usec_t stale_since; /* when its data were read, if nothing newer could be; 0: they were new */
        double at_submit, now, expected, at_start; /* gCO2eq/kWh; negative: not known */
        char *warning; /* why it did not wait, for people; NULL: nothing was wrong */
} CarbonHold;

/* All is unknown. NULL when out of memory. */
CarbonHold *carbon_hold_new(void);
CarbonHold *carbon_hold_free(CarbonHold *h);
DEFINE_CLEANUP_FUNC(CarbonHold *, carbon_hold_free);

/* -EBADMSG or -ENOMEM. */
int carbon_hold_decode(const char *text, CarbonHold **ret);
/* Allocated; NULL when out of memory. */
char *carbon_hold_encode(const CarbonHold *h);

/* What clients are shown while it waits, {"until", "not_after", "reason", "intensity_now",
 * "intensity_expected"}, and afterwards, {"zone", "source", "intensity_at_submit", "intensity_at_start",
 * "waited_seconds"}; otherwise null. @h may be NULL. New reference; NULL when out of memory. */
json_t *carbon_hold_waiting_json(const CarbonHold *h, JobState state, usec_t due_at);
json_t *carbon_hold_ended_json(const CarbonHold *h);
