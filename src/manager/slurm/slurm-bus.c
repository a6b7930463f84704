/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bus policy lets nobody but hyper-slurmd call these methods, and a check of the user here makes sure.
 * What it tells comes from Slurm, and decides nothing about a job that somebody holds. */

#include "manager/slurm/slurm-bus.h"

#include <sysexits.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/attempt-end.h"
#include "manager/job-cancel.h"
#include "shared/error-table.h"
#include "spec/job-demand.h"
#include "spec/job-id.h"
#include "store/slurm-jobs.h"

#define BATCH_MAX 256u
#define WORD_MAX 64u
/* How often Slurm may end a job before an attempt has begun. */
#define FAILURES_MAX 3u
/* When a job has ended, so does its script. */
#define SCRIPT_TIME (60 * USEC_PER_SEC)

static int verify_caller(SlurmFeed *f, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        uid_t uid = SLURM_UID_INVALID;
        int r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);

        if (r >= 0)
                r = sd_bus_creds_get_euid(creds, &uid);
        if (r < 0 || (uid != 0 && (uid != f->uid || f->uid == SLURM_UID_INVALID)))
                return bus_error_setf(
                                error, HYPER_BUS_ERROR_ACCESS_DENIED, "Only hyper-slurmd may call this");
        return slurm_feed_meet(f, message);
}

/* --- what Slurm has, and what it gets ---------------------------------------------------------------- */

/* False: it is not wanted any more, or it is another one of the same job. */
static bool is_wanted(Manager *m, const SlurmRow *row, uint32_t number, const char *state) {
        if (!(job_demand_unpack(row->demand).capabilities & DEMAND_SLURM))
                return false;
        if (!job_state_is_terminal(row->job_state))
                return row->number == 0 || row->number == number;
        return row->number == number && row->job_state != JOB_CANCELLED && !streq(state, "PENDING") &&
                        m->clock() < row->finished_at + SCRIPT_TIME;
}

static int append_known(Manager *m, sd_bus_message *reply, const SlurmRows *rows) {
        int r = sd_bus_message_open_container(reply, 'a', "(sussb)");

        for (size_t i = 0; r >= 0 && i < rows->n; i++)
                r = sd_bus_message_append(reply, "(sussb)", rows->rows[i].id, rows->rows[i].number,
                                strempty(rows->rows[i].state), strempty(rows->rows[i].reason),
                                (int) is_wanted(m, &rows->rows[i], rows->rows[i].number,
                                                strempty(rows->rows[i].state)));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int method_known_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(slurm_rows_done) SlurmRows rows = {};
        SlurmFeed *f = userdata;
        int r = verify_caller(f, message, error);

        if (r >= 0)
                r = store_slurm_known(f->manager->store, &rows);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = append_known(f->manager, reply, &rows);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int append_limits(sd_bus_message *reply, const char *limits) {
        _cleanup_free_ char *copy = strdup(strempty(limits));
        char *rest = copy, *name;
        int r = copy ? sd_bus_message_open_container(reply, 'a', "s") : -ENOMEM;

        while (r >= 0 && (name = strsep(&rest, "\n")))
                if (*name)
                        r = sd_bus_message_append(reply, "s", name);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_next(sd_bus_message *reply, const SlurmRow *row) {
        int r = sd_bus_message_open_container(reply, 'r', "suuuas");

        if (r >= 0)
                r = sd_bus_message_append(reply, "suuu", row->id, (uint32_t) row->priority,
                                (uint32_t) job_demand_unpack(row->demand).memory_gb,
                                (uint32_t) row->timeout_seconds);
        if (r >= 0)
                r = append_limits(reply, row->limits);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* No more than Slurm may have. */
static int read_next(Manager *m, unsigned limit, SlurmRows *ret) {
        _cleanup_(slurm_rows_done) SlurmRows known = {};
        int r = store_slurm_known(m->store, &known);

        if (r < 0 || known.n >= m->settings->slurm.max_jobs)
                return r;
        return store_slurm_next(m->store,
                        MIN(MIN(limit, BATCH_MAX), m->settings->slurm.max_jobs - (unsigned) known.n), ret);
}

static int method_next_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(slurm_rows_done) SlurmRows rows = {};
        SlurmFeed *f = userdata;
        uint32_t limit;
        int r = verify_caller(f, message, error);

        if (r >= 0)
                r = sd_bus_message_read(message, "u", &limit);
        if (r >= 0)
                r = read_next(f->manager, limit, &rows);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(suuuas)");
        for (size_t i = 0; r >= 0 && i < rows.n; i++)
                r = append_next(reply, &rows.rows[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* --- what Slurm says ----------------------------------------------------------------------------------- */

typedef struct Said {
        const char *id, *state, *reason;
        uint32_t number;
        int over;
        int32_t exit_status;
} Said;

static void on_failed(Job *j, int r, void *userdata) {
        if (r < 0)
                log_error_errno(r, "Failed to record that Slurm could not run job %s: %m", j->row->id);
        else if (job_is_finished(j))
                manager_forget_job(j->manager, j);
}

static char *why_failed(const Said *s) {
        _cleanup_free_ char *how = s->exit_status > 0 ? strprintf(", exit status %d", s->exit_status)
                        : s->exit_status < 0          ? strprintf(", signal %d", -s->exit_status)
                                                      : strdup("");

        return how ? strprintf("Slurm's job %u ended with %s%s%s%s before an attempt began, as %u others did "
                               "before it: see hyper-slurmd(8)",
                                     s->number, s->state, isempty(s->reason) ? "" : ", ", s->reason, how,
                                     FAILURES_MAX - 1)
                   : NULL;
}

static int fail_job(Job *j, const Said *s) {
        AttemptFacts facts = attempt_facts(j);
        _cleanup_free_ char *why = why_failed(s);

        if (!why)
                return -ENOMEM;
        facts.attempt = 0; /* none has begun */
        facts.phase = PHASE_INITIALIZATION;
        facts.lost_code = "slurm_failed";
        facts.lost_message = why;
        facts.lost_final = true;
        return attempt_end(j, &facts, on_failed, NULL);
}

/* Slurm's job is over, and nobody holds ours. */
static int settle(Manager *m, const SlurmRow *row, const Said *s) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Job *j = manager_get_job(m, row->id);

        if (!j || (j->row->state != JOB_QUEUED && j->row->state != JOB_RETRYING))
                return 0;
        if (streq(s->state, "CANCELLED")) {
                _cleanup_free_ char *why = strprintf("Slurm's job %u was cancelled", s->number);
                int r = why ? manager_cancel_job_because(m, row->id, why, &error) : -ENOMEM;

                if (r < 0)
                        log_warning("%s", strna(error.message));
                return r;
        }
        return row->failures >= FAILURES_MAX && j->row->state == JOB_QUEUED ? fail_job(j, s) : 0;
}

static int put(Manager *m, SlurmRow *row, const Said *s) {
        int r = free_and_strdup(&row->state, s->state);

        if (r >= 0)
                r = free_and_strdup(&row->reason, s->reason);
        return r < 0 ? r : store_slurm_put(m->store, row);
}

static int record_end(Manager *m, SlurmRow *row, const Said *s) {
        int r;

        if (row->number != s->number)
                return 0; /* one that we did not want */
        row->number = 0;
        row->failures = row->job_attempt > row->attempt ? 0
                                                        : row->failures + (s->exit_status != EX_TEMPFAIL);
        r = put(m, row, s);
        return r < 0 ? r : settle(m, row, s);
}

static int record(Manager *m, const Said *s, bool *ret_wanted) {
        _cleanup_(slurm_row_done) SlurmRow row = {};
        int r;

        *ret_wanted = true;
        if (!job_id_is_valid(s->id) || (s->number == 0 && !streq(s->state, "REFUSED")) ||
                        strlen(s->state) > WORD_MAX || strlen(s->reason) > WORD_MAX)
                return -EINVAL;
        r = store_slurm_get(m->store, s->id, &row);
        if (r == -ENOENT) {
                *ret_wanted = s->over;
                return 0;
        }
        if (r < 0)
                return r;
        if (s->number == 0)
                return row.number == 0 ? put(m, &row, s) : 0;
        if (s->over)
                return record_end(m, &row, s);
        *ret_wanted = is_wanted(m, &row, s->number, s->state);
        if (!*ret_wanted) {
                bool known = row.number == s->number;

                row.number = 0;
                return known ? put(m, &row, s) : 0;
        }
        if (row.number == 0)
                row.attempt = row.job_attempt;
        row.number = s->number;
        return put(m, &row, s);
}

static int record_all(Manager *m, sd_bus_message *message, sd_bus_message *reply) {
        Said s = {};
        int r = sd_bus_message_enter_container(message, 'a', "(sussbi)");

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "u");
        while (r >= 0 &&
                        (r = sd_bus_message_read(message, "(sussbi)", &s.id, &s.number, &s.state, &s.reason,
                                         &s.over, &s.exit_status)) > 0) {
                bool wanted;

                r = record(m, &s, &wanted);
                if (r >= 0 && !wanted)
                        r = sd_bus_message_append(reply, "u", s.number);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int method_record_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        SlurmFeed *f = userdata;
        int r = verify_caller(f, message, error);

        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        commit_group_settle(f->manager->group); /* what workers have just got, or ended */
        r = record_all(f->manager, message, reply);
        commit_group_settle(f->manager->group);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

const sd_bus_vtable slurm_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("KnownJobs", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sussb)", jobs),
                        method_known_jobs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("NextJobs", SD_BUS_ARGS("u", limit), SD_BUS_RESULT("a(suuuas)", jobs),
                        method_next_jobs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RecordJobs", SD_BUS_ARGS("a(sussbi)", jobs), SD_BUS_RESULT("au", unwanted),
                        method_record_jobs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("SlurmPending", SD_BUS_NO_ARGS, 0),
        SD_BUS_VTABLE_END,
};

int slurm_bus_register(SlurmFeed *f) {
        return sd_bus_add_object_vtable(f->manager->bus, &f->object_slot, HYPER_BUS_PATH,
                        HYPER_SLURM_INTERFACE, slurm_vtable, f);
}
