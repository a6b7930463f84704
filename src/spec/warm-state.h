/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a warm job stands: what the manager keeps of it between the passes, as one JSON text in the
 * database. */

#include <jansson.h>

#include "basic/time-util.h"
#include "spec/job-result.h"
#include "spec/job-settings.h"
#include "spec/job-state.h"

typedef struct WarmState {
        unsigned passes; /* that are complete */
        bool cutover; /* the pass after these is the cutover, and has begun */
        usec_t cutover_at; /* when it is to begin; 0: on request */
        unsigned interval_seconds; /* between two passes */
        usec_t pass_ended_at; /* the last one; 0: none */
        uint64_t pass_bytes, total_bytes; /* that the last pass has copied, and all of them */
        double pass_seconds;
        double estimate_seconds; /* that a pass would take now */
        double downtime_seconds; /* of the cutover; 0: it is not complete */
} WarmState;

/* -EBADMSG or -ENOMEM. */
int warm_state_decode(const char *text, WarmState *ret);
/* Allocated; NULL when out of memory. */
char *warm_state_encode(const WarmState *w);

/* Of a job that is submitted, encoded. Likewise. */
char *warm_state_first(const JobSpec *s);

/* A pass is complete. */
void warm_state_add_pass(WarmState *w, const JobWarmResult *result, usec_t now);

/* True if the next pass is to be the cutover, at @now. */
bool warm_state_is_cutover(const WarmState *w, usec_t now) _pure_;

/* When the next pass begins: after the interval, or for the cutover. A pass that would probably not end
 * before the cutover begins is left out. */
usec_t warm_state_next(const WarmState *w, usec_t now) _pure_;

/* What the job does: "preparing", "precopy", "waiting", "cutover", "finishing"; NULL if it has ended. */
const char *warm_phase(const WarmState *w, JobState state, JobPhase phase, usec_t due_at) _pure_;

/* What clients are shown: {"phase", "pass", "passes", "next", "cutover_at", "estimate_seconds", …}. */
json_t *warm_state_to_json(const WarmState *w, JobState state, JobPhase phase, usec_t due_at);
