/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/executor-unit-list.h"
#include "store/jobs.h"

#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/executor-unit.h"
#include "manager/job-directory.h"
#include "manager/manager.h"
#include "manager/put-back.h"
#include "manager/schedule/schedule-run.h"
#include "manager/schedule/schedule-timer.h"
#include "manager/unit-end.h"
#include "spec/job-file.h"

#define UNIT_PATTERN "hyper-job-*.service"

/* A unit of a job that is over: one that was cancelled just before we ended. It gets a job in memory again,
 * so that its end is seen. */
static int add_finished(Manager *m, const char *id, Job **ret) {
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        JobRow *row = NULL;
        int r = manager_load_spec(m, id, &spec);

        if (r >= 0)
                r = store_job_get(m->store, id, &row);
        return r < 0 ? r : manager_add_job_of_spec(m, row, spec, ret);
}

static int mark_cancelled(Manager *m, const Job *j) {
        _cleanup_free_ char *directory = job_directory_path(m->state_directory, j->row->id);

        if (!directory)
                return -ENOMEM;
        return j->row->state == JOB_CANCELLED ? job_mark_set(directory, JOB_MARK_CANCELLED) : 0;
}

static int meet_unit(Manager *m, const char *unit, const char *active_state, bool has_job) {
        _cleanup_free_ char *id = NULL;
        Job *j;
        int r = job_id_from_unit_name(unit, &id);

        if (r < 0)
                return 0;
        j = manager_get_job(m, id);
        if (!j) {
                r = add_finished(m, id, &j);
                if (r == -ENOENT) {
                        log_warning("%s runs for a job that is not in the database; leaving it alone.",
                                        unit);
                        return 0;
                }
                if (r < 0)
                        return r;
        }
        j->unit.seen = true;
        /* Known, unless the answer to its start was lost. */
        if (j->unit.stage != UNIT_NONE && (j->unit.stage != UNIT_LIVE || j->row->state != JOB_ASSIGNED))
                return 0;
        /* Over, and about to be collected: what it left behind says how it ended. */
        if (!has_job && (streq(active_state, "inactive") || streq(active_state, "failed")))
                return 0;

        r = executor_unit_adopt(j, streq(active_state, "active"));
        if (r >= 0 && job_is_finished(j)) {
                r = mark_cancelled(m, j);
                executor_unit_stop(j);
        }
        return r;
}

/* Jobs that were being carried out when we last looked, and whose unit is gone. A start that is not answered
 * yet is not over. */
static void end_the_gone(Manager *m) {
        Job *j, *next;

        HASH_ITER(hh, m->jobs, j, next) {
                bool carried_out = j->unit.stage != UNIT_NONE || j->row->state == JOB_ASSIGNED ||
                                j->row->state == JOB_RUNNING;

                if (carried_out && !job_is_held(j) && !j->unit.seen && !j->unit.start_call && !j->unsettled)
                        unit_gone(j, NULL);
        }
}

/* A directory without a job that needs it: a cancelled one's unfinished output may still have to go. */
static int visit_directory(Manager *m, const char *id) {
        _cleanup_free_ char *directory = job_directory_path(m->state_directory, id);
        Job *j = manager_get_job(m, id);
        int r;

        if (j)
                return 0;
        if (!directory)
                return -ENOMEM;
        if (put_back_is_early(m, directory))
                return 0;
        r = add_finished(m, id, &j);
        if (r == -ENOENT) /* the submission was not finished: nobody was told of this job */
                return remove_tree(directory);
        if (r < 0)
                return r;
        r = mark_cancelled(m, j);
        unit_gone(j, NULL);
        return r;
}

void executor_unit_tidy_up(Manager *m) {
        _cleanup_strv_free_ char **ids = NULL;
        int r = job_directories_list(m->state_directory, &ids);

        if (r < 0)
                log_warning_errno(r, "Failed to look through %s/jobs: %m", m->state_directory);
        STRV_FOREACH(id, ids) {
                r = visit_directory(m, *id);
                if (r < 0)
                        log_warning_errno(r, "Failed to tidy up after job %s: %m", *id);
        }
}

static int on_name_acquired(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        Manager *m = userdata;
        uint32_t outcome;

        if (error || sd_bus_message_read(reply, "u", &outcome) < 0 || outcome != 1) {
                log_error("Failed to get the bus name " HYPER_BUS_NAME ": %s",
                                error ? error->message : "another process has it");
                return sd_event_exit(m->event, EXIT_FAILURE);
        }
        m->watched = true;
        (void) sd_notify(false, "READY=1\nSTATUS=Ready.");
        return 0;
}

static int first_time(Manager *m) {
        int r;

        m->ready = true;
        executor_unit_tidy_up(m);
        /* Those that the manager before us has promised, or whose turn has come when it died. */
        schedule_runs_continue(m, NULL);
        r = schedule_timers_finish(m);
        if (r < 0)
                log_error_errno(r, "Failed to look for schedules without a timer: %s",
                                store_error_text(m->store));
        return sd_bus_request_name_async(m->bus, NULL, HYPER_BUS_NAME, 0, on_name_acquired, m);
}

static int on_units(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *unit, *active;
        Manager *m = userdata;
        uint32_t job;
        int r;

        m->reconcile_call = sd_bus_slot_unref(m->reconcile_call);
        if (error) {
                log_warning("Failed to list the units of jobs: %s", error->message);
                /* Once it runs again (a daemon-reexec takes it away for a moment), systemd is asked anew. */
                if (m->ready)
                        return sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT) ? executor_unit_list(m)
                                                                                  : 0;
                return sd_event_exit(m->event, EXIT_FAILURE);
        }
        /* What happened since the question was put may be missing in the answer. */
        if (m->reconcile_again)
                return executor_unit_list(m);

        commit_group_settle(m->group); /* what has changed is in memory */
        for (Job *j = m->jobs; j; j = j->hh.next)
                j->unit.seen = false;
        r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        while (r >= 0 &&
                        (r = sd_bus_message_read(reply, "(ssssssouso)", &unit, NULL, NULL, &active, NULL,
                                         NULL, NULL, &job, NULL, NULL)) > 0)
                r = meet_unit(m, unit, active, job > 0);
        if (r >= 0) {
                end_the_gone(m);
                r = m->ready ? 0 : first_time(m);
        }
        if (r < 0) {
                log_error_errno(r, "Failed to take over the units of jobs: %m");
                return sd_event_exit(m->event, EXIT_FAILURE);
        }
        queue_wake(m);
        return 0;
}

int executor_unit_list(Manager *m) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        static char *const patterns[] = { (char *) UNIT_PATTERN, NULL };
        int r;

        m->reconcile_again = m->reconcile_call;
        if (m->reconcile_call)
                return 0;
        r = sd_bus_message_new_method_call(m->bus, &call, "org.freedesktop.systemd1",
                        "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                        "ListUnitsByPatterns");
        if (r >= 0)
                r = sd_bus_message_append(call, "as", 0);
        if (r >= 0)
                r = sd_bus_message_append_strv(call, (char **) patterns);
        return r < 0 ? r : sd_bus_call_async(m->bus, &m->reconcile_call, call, on_units, m, 0);
}

const Executor executor_unit = {
        .name = "unit",
        .start = executor_unit_start,
        .stop = executor_unit_cancel,
        .adopt = executor_unit_adopt,
        .list = executor_unit_list,
};
