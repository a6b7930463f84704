/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-cutover.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/job-event.h"
#include "manager/job-signal.h"
#include "manager/job-waiting.h"
#include "shared/error-table.h"
#include "store/jobs.h"

/* A warm job whose cutover can be set. */
static int find_job(Manager *m, const char *id, Job **ret, sd_bus_error *error) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        Job *j = manager_get_job(m, id);
        int r = 0;

        if (!j)
                r = job_id_is_valid(id) ? store_job_get(m->store, id, &row) : -ENOENT;
        if (r == -ENOENT)
                return no_such_job(error, id);
        if (r < 0)
                return r;
        if (j ? !j->warm : !row->warm)
                return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE,
                                "Job %s is not a warm job, and has no cutover", id);
        if (!j || job_is_finished(j))
                return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE, "Job %s is %s already", id,
                                job_state_to_string(j ? j->row->state : row->state));
        if (j->warm->cutover)
                return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE,
                                "The cutover of job %s has begun already; to stop it, cancel the job", id);
        *ret = j;
        return 0;
}

static int refuse_now(const Job *j, sd_bus_error *error) {
        return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE,
                        "The first pass of job %s is not complete; give a time, and the cutover follows "
                        "this pass if the time has come by then",
                        j->row->id);
}

static int refuse_cancel(const Job *j, sd_bus_error *error) {
        return bus_error_setf(
                        error, HYPER_BUS_ERROR_WRONG_STATE, "No cutover of job %s is planned", j->row->id);
}

/* What @when means, in microseconds; 0: no cutover. */
static int read_when(const Job *j, const char *when, usec_t now, usec_t *ret, sd_bus_error *error) {
        if (streq(when, "cancel")) {
                *ret = 0;
                return j->warm->cutover_at > 0 ? 0 : refuse_cancel(j, error);
        }
        if (streq(when, "now")) {
                *ret = now;
                return j->warm->passes > 0 ? 0 : refuse_now(j, error);
        }
        if (parse_rfc3339(when, ret) >= 0 && *ret > 0 && *ret <= INT64_MAX)
                return 0;
        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "The time of the cutover must be \"now\", \"cancel\", or a time such as "
                        "2026-05-01T02:00:00Z");
}

/* How long the pass that is under way will probably take. */
static usec_t remaining_time(const Job *j) {
        double part = j->row->percent > 0 ? 1 - j->row->percent / 100 : 1;

        return (usec_t) (j->warm->estimate_seconds * part * (double) USEC_PER_SEC);
}

/* The cutover may begin later than the caller expects. */
static int make_warning(const Job *j, usec_t at, usec_t now, char **ret) {
        char span[TIMESPAN_SIZE];

        *ret = NULL;
        if (at == 0 || job_waits(j))
                return 0;
        if (j->warm->passes == 0)
                *ret = strdup("The first pass is not complete: the cutover begins when it is, if its time "
                              "has come by then.");
        else if (at > now + remaining_time(j))
                return 0;
        else
                *ret = strprintf("Pass %u is under way: the cutover begins when it is complete, probably in "
                                 "%s.",
                                j->warm->passes + 1, format_timespan(span, remaining_time(j)));
        return *ret ? 0 : -ENOMEM;
}

static void tell_cutover(const Job *j) {
        JobEvent e = JOB_EVENT_INIT(EVENT_NOTE);
        char time[RFC3339_SIZE];
        _cleanup_free_ char *message = j->warm->cutover_at > 0
                        ? strprintf("The cutover is to begin at %s",
                                          format_rfc3339(time, j->warm->cutover_at))
                        : strdup("No cutover is planned any more: it begins on request");

        e.job_id = j->row->id;
        e.message = message;
        int r = message ? j->manager->send_event(&e) : -ENOMEM;
        if (r < 0)
                log_warning_errno(r, "Failed to log the cutover of job %s: %m", j->row->id);
}

int manager_set_cutover(
                Manager *m, const char *id, const char *when, char **ret_warning, sd_bus_error *error) {
        _cleanup_free_ char *warning = NULL;
        usec_t now = m->clock(), at;
        Job *j = NULL;

        /* A pass may just have ended, or the next one be about to begin. */
        commit_group_settle(m->group);
        int r = find_job(m, id, &j, error);
        if (r >= 0)
                r = read_when(j, when, now, &at, error);
        if (r >= 0)
                r = make_warning(j, at, now, &warning);
        if (r < 0)
                return r;
        WarmState warm = *j->warm;
        warm.cutover_at = at;
        r = job_set_warm(j, &warm, warm_state_next(&warm, now));
        if (r < 0)
                return r == -ENOMEM ? r
                                    : bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                                      "The cutover of job %s could not be recorded: %s", id,
                                                      store_error_text(m->store));
        job_index_put(&m->index, j, now);
        job_bus_warm_changed(j);
        tell_cutover(j);
        job_tell_waiting(j);
        queue_wake(m);
        *ret_warning = TAKE_PTR(warning);
        return 0;
}
