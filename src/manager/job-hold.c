/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-hold.h"

#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/job-event.h"
#include "manager/carbon-feed.h"
#include "manager/hold-timer.h"
#include "manager/job-signal.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "spec/carbon-spec.h"
#include "spec/carbon-window.h"
#include "store/job-changes.h"
#include "store/jobs.h"

/* So many are decided for before other events are looked at: each is a flush of the database. */
#define DECIDED_MAX 32u

/* --- the decision ---------------------------------------------------------------------------------- */

static void note_data(CarbonHold *h, const CarbonData *data) {
        (void) snprintf(h->zone, sizeof(h->zone), "%s", data->zone);
        (void) snprintf(h->source, sizeof(h->source), "%s", strempty(data->source));
        h->stale_since = data->error ? data->updated_at : 0;
}

/* There is no usable data. */
static int decide_without(const JobSpec *spec, CarbonHold *h, usec_t now, const char *why) {
        if (spec->carbon.on_missing == CARBON_MISSING_FAIL && now < h->not_after)
                return -ENODATA;
        h->released_at = now;
        if (now >= h->not_after)
                return 0;
        h->warning = strprintf("The job did not wait for a low carbon intensity: %s", why);
        return h->warning ? 0 : -ENOMEM;
}

/* Fills in @h. 0 with *ret_until, 0: it does not wait any more; -ENODATA with *ret_why, borrowed, if it is to
 * fail; -ENOMEM. */
static int decide(Manager *m, const JobSpec *spec, CarbonHold *h, usec_t now, usec_t *ret_until,
                const char **ret_why) {
        const CarbonWish wish = { .max_intensity = spec->carbon.max_intensity,
                .not_after = h->not_after,
                .duration = spec->carbon.duration_minutes * USEC_PER_MINUTE,
                .refresh = carbon_feed_refresh(m->carbon) };
        const CarbonData *data = carbon_feed_data(m->carbon, ret_why);
        CarbonChoice choice = { .now = -1, .expected = -1 };
        int r = data ? carbon_choose(data, &wish, now, &choice) : 0;

        if (r < 0)
                return r;
        if (data)
                note_data(h, data);
        h->now = choice.now;
        h->expected = choice.expected;
        *ret_until = choice.until;
        if (choice.until > 0)
                return 0;
        h->at_start = choice.now;
        if (data && (choice.now >= 0 || choice.expected >= 0)) {
                h->released_at = now;
                return 0;
        }
        if (data)
                *ret_why = "The carbon source has no data for this time";
        return decide_without(spec, h, now, *ret_why);
}

static char *reason_of(const CarbonHold *h, usec_t until) {
        char time[RFC3339_SIZE], expected[64] = "";

        if (until == 0)
                return strdup("Added to the queue: the wait for a low carbon intensity is over");
        if (h->expected >= 0)
                (void) snprintf(expected, sizeof(expected), ", with %.0f gCO2eq/kWh expected then",
                                h->expected);
        return strprintf("Waits for a low carbon intensity until %s%s", format_rfc3339(time, until),
                        expected);
}

static void tell(Job *j, char *message) {
        JobEvent e = JOB_EVENT_INIT(EVENT_NOTE);
        int r;

        e.job_id = j->row->id;
        e.message = message;
        r = j->manager->send_event(&e);
        if (r < 0)
                log_warning_errno(r, "Failed to log the hold of job %s: %m", j->row->id);
}

/* --- a submission ---------------------------------------------------------------------------------- */

static int refuse_fields(
                Manager *m, const JobSpec *spec, usec_t now, JsonErrors *fields, sd_bus_error *error) {
        const char *why;
        const CarbonData *data = carbon_feed_data(m->carbon, &why);

        if (spec->carbon.deadline_at > 0 && spec->carbon.deadline_at < now)
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC, "carbon.deadline",
                                "must not be in the past");
        if (spec->carbon.zone && data && !streq(spec->carbon.zone, data->zone))
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC, "carbon.zone",
                                "must be \"%s\", as in the configuration", data->zone);
        return 0;
}

int job_hold_submit(Manager *m, const JobSpec *spec, JobRow *row, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(carbon_hold_freep) CarbonHold *h = carbon_hold_new();
        usec_t now = row->created_at, until = 0;
        const char *why = NULL;
        int r;

        if (!h)
                return -ENOMEM;
        r = refuse_fields(m, spec, now, fields, error);
        if (r < 0)
                return r;
        h->submitted_at = now;
        h->not_after = carbon_spec_not_after(spec, now);
        r = decide(m, spec, h, now, &until, &why);
        if (r == -ENODATA)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE, "%s", why);
        if (r < 0)
                return r;
        h->at_submit = h->now;
        row->due_at = until;
        row->carbon = carbon_hold_encode(h);
        if (!row->carbon)
                return -ENOMEM;
        if (until == 0)
                return 0;
        free(row->reason);
        row->reason = reason_of(h, until);
        return row->reason ? 0 : -ENOMEM;
}

void job_hold_submitted(Job *j) {
        if (j->hold && j->hold->warning)
                tell(j, j->hold->warning);
        hold_timer_update(j);
}

/* --- afterwards ------------------------------------------------------------------------------------ */

/* Records the outcome; takes *h on success. */
static int record(Job *j, CarbonHold **h, usec_t until) {
        _cleanup_free_ char *text = carbon_hold_encode(*h), *reason = reason_of(*h, until);
        Manager *m = j->manager;
        int r = text && reason ? store_job_hold(j->store, j->row->id, text, until, reason, m->clock())
                               : -ENOMEM;

        if (r < 0)
                return r;
        free(j->row->carbon);
        j->row->carbon = TAKE_PTR(text);
        free(j->row->reason);
        j->row->reason = TAKE_PTR(reason);
        j->row->due_at = until;
        j->row->updated_at = m->clock();
        carbon_hold_free(j->hold);
        j->hold = TAKE_PTR(*h);
        j->deciding = false;
        job_index_put(&m->index, j, m->clock());
        job_bus_hold_changed(j);
        tell(j, j->row->reason);
        if (until == 0 && j->hold->warning)
                tell(j, j->hold->warning);
        hold_timer_update(j);
        return 0;
}

static int decide_for(Job *j, job_hold_fail_func fail) {
        _cleanup_(carbon_hold_freep) CarbonHold *h = NULL;
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        const char *why = NULL;
        usec_t until = 0;
        int r = manager_load_spec(j->manager, j->row->id, &spec);

        if (r >= 0)
                r = carbon_hold_decode(j->row->carbon, &h);
        if (r >= 0)
                r = decide(j->manager, spec, h, j->clock(), &until, &why);
        if (r == -ENODATA) {
                CommitGroup *group = j->manager->group;

                r = fail(j, "carbon_missing", why);
                commit_group_settle(group); /* it leaves the list */
                return r;
        }
        return r < 0 ? r : record(j, &h, until);
}

static void on_data(Manager *m, void *userdata) {
        queue_wake(m);
}

int job_holds_decide(Manager *m, job_hold_fail_func fail) {
        Job *j;
        int r;

        if (TAILQ_EMPTY(&m->index.deciding))
                return 0;
        if (!carbon_feed_is_fresh(m->carbon)) {
                m->hold_waiter.done = on_data;
                return carbon_feed_ask(m->carbon, &m->hold_waiter);
        }
        for (unsigned i = 0; i < DECIDED_MAX && (j = TAILQ_FIRST(&m->index.deciding)); i++) {
                r = decide_for(j, fail);
                if (r < 0)
                        return r;
        }
        if (!TAILQ_EMPTY(&m->index.deciding))
                queue_wake(m);
        return 0;
}

int manager_release_job(Manager *m, const char *id, sd_bus_error *error) {
        _cleanup_(carbon_hold_freep) CarbonHold *h = NULL;
        Job *j;
        int r;

        commit_group_settle(m->group);
        j = manager_get_job(m, id);
        if (!j || !job_is_on_hold(j))
                return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE, "Job %s does not wait", id);
        r = carbon_hold_decode(j->row->carbon, &h);
        if (r < 0)
                return r;
        h->released_at = m->clock();
        h->at_start = -1;
        r = record(j, &h, 0);
        if (r < 0 && r != -ENOMEM)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "The release of job %s could not be recorded: %s", id,
                                store_error_text(m->store));
        if (r >= 0)
                queue_wake(m);
        return r;
}
