/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/manager-life.h"
#include "store/job-changes.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/limits.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/job-event.h"
#include "manager/caller-login.h"
#include "manager/carbon-feed.h"
#include "manager/credentials.h"
#include "manager/executor-unit-list.h"
#include "manager/executors.h"
#include "manager/file/chunk-bus.h"
#include "manager/file/file-bus.h"
#include "manager/hold-timer.h"
#include "manager/idle.h"
#include "manager/job-bus.h"
#include "manager/job-directory.h"
#include "manager/job-signal.h"
#include "manager/journal-catchup.h"
#include "manager/manager-bus.h"
#include "manager/manager-reload.h"
#include "manager/progress.h"
#include "manager/queue.h"
#include "manager/restore.h"
#include "manager/schedule/schedule-bus.h"
#include "manager/schedule/schedule-run.h"
#include "manager/schedule/schedule-timer.h"
#include "manager/schedule/schedule.h"
#include "manager/session-bus.h"
#include "manager/slurm/slurm-bus.h"
#include "manager/slurm/slurm-feed.h"
#include "manager/source-bus.h"
#include "manager/submit.h"
#include "manager/unit-end.h"
#include "manager/unit-signals.h"
#include "manager/wake-timer.h"
#include "manager/webhook/outbox-bus.h"
#include "manager/webhook/outbox.h"
#include "manager/webhook/webhook.h"
#include "shared/daemon.h"
#include "shared/thread-call.h"
#include "spec/job-fix.h"
#include "spec/job-limits.h"

/* A longer one only delays the answers: a flush takes about a millisecond. */
#define GROUP_AGE_MAX (10 * USEC_PER_MSEC)

/* The journal hears of a change first: it is the source of truth for events. */
static void on_job_changed(Job *j, JobState from, JobState to, const char *reason, void *userdata) {
        job_index_put(&j->manager->index, j, j->clock());
        manager_log_changes(j->manager);
        job_bus_state_changed(j, from, to, reason);
        outbox_wake(j->manager->outbox);
        slurm_feed_job_changed(j);
        hold_timer_update(j);
        if (j->row->limit_set > 0 && (from == JOB_ASSIGNED || from == JOB_RUNNING) && to != JOB_RUNNING) {
                j->manager->limits_changed = true;
                queue_wake(j->manager);
        }
        if (job_state_is_terminal(to))
                schedule_job_ended(j->manager, j, to);
}

static void on_queue(void *userdata) {
        queue_run(userdata);
}

/* What a group has recorded, for all of its members at once. */
static void on_committed(void *userdata) {
        manager_log_changes(userdata);
}

Manager *manager_free(Manager *m) {
        Job *j, *next;

        if (!m)
                return NULL;
        /* Those whose rows are written are answered. */
        if (m->group)
                commit_group_settle(m->group);
        for (size_t i = 0; i < ELEMENTSOF(m->object_slots); i++)
                sd_bus_slot_unref(m->object_slots[i]);
        for (size_t i = 0; i < ELEMENTSOF(m->systemd_slots); i++)
                sd_bus_slot_unref(m->systemd_slots[i]);
        sd_bus_slot_unref(m->reconcile_call);
        sd_bus_slot_unref(m->release_call);
        sd_bus_slot_unref(m->wake_call);
        sd_event_source_disable_unref(m->idle_timer);
        progress_free(m->progress);
        commit_group_free(m->group);
        submissions_free(m);
        step_replies_done(&m->replies);
        schedule_runs_free(m);
        bus_polkit_registry_free(m->polkit);
        caller_cache_done(&m->callers);
        submitter_cache_done(&m->submitters);
        caller_logins_free(m->logins);
        job_index_done(&m->index);
        HASH_ITER(hh, m->jobs, j, next) {
                HASH_DEL(m->jobs, j);
                job_free(j);
        }
        job_free(m->finished);
        carbon_feed_free(m->carbon);
        lookup_pool_free(m->lookups);
        chunks_forget(m, NULL);
        thread_calls_free(m->file_calls);
        outbox_free(m->outbox);
        slurm_feed_free(m->slurm);
        schedule_timers_free(m->timers);
        queue_state_free(m->queue);
        schedule_row_free(m->schedule);
        if (m->store)
                store_limits_set_rules(m->store, NULL);
        settings_free(m->settings);
        sd_bus_unref(m->bus);
        sd_event_unref(m->event);
        free(m->state_directory);
        free(m->runtime_directory);
        free(m->config_directory);
        free(m->journal_directory);
        free(m->guest_program);
        free(m);
        return NULL;
}

int manager_new(const ManagerOptions *o, Manager **ret) {
        _cleanup_(manager_freep) Manager *m = new0(Manager, 1);
        int r;

        if (!m) {
                settings_free(o->settings);
                return -ENOMEM;
        }
        job_index_init(&m->index);
        TAILQ_INIT(&m->submissions);
        TAILQ_INIT(&m->runs);
        LIST_INIT(&m->chunks);
        LIST_INIT(&m->verifications);
        m->event = sd_event_ref(o->event);
        step_replies_init(&m->replies, m->event, m);
        m->bus = sd_bus_ref(o->bus);
        m->store = o->store;
        m->settings = o->settings;
        store_limits_set_rules(m->store, &m->settings->limits);
        m->clock = o->clock;
        m->send_event = o->send_event ?: job_event_send;
        m->send_events = o->send_events ?: job_events_send;
        m->observer = on_job_changed;
        m->job_vtable = job_vtable;
        m->schedule_vtable = schedule_vtable;
        m->list_units = executor_unit_list;
        m->unit_gone = unit_gone;
        m->started_at = m->clock();
        m->patience = UNIT_PATIENCE;
        m->state_directory = strdup(o->state_directory);
        m->runtime_directory = strdup(o->runtime_directory);
        m->config_directory = strdup(o->config_directory);
        m->journal_directory = o->journal_directory ? strdup(o->journal_directory) : NULL;
        m->guest_program = strdup(o->guest_program ?: GUEST_PROGRAM);
        if (!m->state_directory || !m->runtime_directory || !m->config_directory || !m->guest_program ||
                        (o->journal_directory && !m->journal_directory))
                return -ENOMEM;
        r = queue_state_new(m->event, on_queue, m, &m->queue);
        if (r >= 0)
                r = progress_new(&m->progress);
        if (r >= 0)
                r = schedule_timers_new(&m->timers);
        if (r < 0)
                return r;
        r = commit_group_new(
                        m->event, m->store, o->group_age_max ?: GROUP_AGE_MAX, on_committed, m, &m->group);
        if (r >= 0)
                r = lookup_pool_new(m->event, &m->lookups);
        if (r >= 0)
                r = carbon_feed_new(m, &m->carbon);
        if (r >= 0)
                r = thread_calls_new(m->event, FILE_CALLS_MAX, &m->file_calls);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

/* A row whose spec cannot be read any more cannot run; what it was is still there to be looked at. */
static int fail_unreadable(Manager *m, const JobRow *row) {
        JobTransition t = { .from = row->state,
                .to = JOB_FAILED,
                .timestamp = m->clock(),
                .reason = "Failed: its spec in the database cannot be read by this version" };
        JobTransition run = { .from = JOB_ASSIGNED, .to = JOB_RUNNING, .timestamp = t.timestamp };

        log_error("The spec of job %s in the database is malformed.", row->id);
        if (job_state_may_become(row->state, JOB_FAILED))
                return store_job_transition(m->store, row->id, &t, 1);
        return store_job_transition(m->store, row->id, (JobTransition[]){ run, t }, 2);
}

/* A job that is older than limits gets its own. */
static int limit_job(Manager *m, const JobSpec *spec, JobRow *row) {
        _cleanup_free_ char *names = NULL;
        int r = row->limit_set == 0 ? job_limits_from_spec(spec, &m->settings->storage, &names) : 0;

        return r < 0 || !names ? r : store_job_limit(m->store, row->id, names, &row->limit_set);
}

static int load_jobs(Manager *m) {
        const JobFilter filter = {
                .states = ~(1u << JOB_COMPLETED | 1u << JOB_FAILED | 1u << JOB_CANCELLED) &
                                ((1u << _JOB_STATE_MAX) - 1),
                .order = JOB_ORDER_OLDEST,
        };
        _cleanup_(job_rows_done) JobRows rows = {};
        int r = store_jobs_list(m->store, &filter, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++) {
                _cleanup_(job_spec_freep) JobSpec *spec = NULL;
                Job *j;

                r = manager_parse_spec(rows.rows[i], &spec);
                if (r == -EBADMSG)
                        r = fail_unreadable(m, rows.rows[i]);
                else if (r >= 0)
                        r = limit_job(m, spec, rows.rows[i]);
                if (r >= 0 && spec)
                        r = manager_add_job_of_spec(m, TAKE_PTR(rows.rows[i]), spec, &j);
        }
        return r;
}

int manager_start(Manager *m) {
        int r;

        manager_publish_limits(m);
        r = load_jobs(m);

        if (r < 0)
                return log_error_errno(r, "Failed to read the jobs from the database: %s",
                                store_error_text(m->store));
        journal_catch_up(m);
        r = manager_bus_register(m);
        if (r >= 0)
                r = job_bus_register(m);
        if (r >= 0)
                r = outbox_new(m, &m->outbox);
        if (r >= 0)
                r = outbox_bus_register(m->outbox);
        if (r >= 0)
                r = slurm_feed_new(m, &m->slurm);
        if (r >= 0)
                r = slurm_bus_register(m->slurm);
        if (r >= 0)
                r = schedule_bus_register(m);
        if (r >= 0)
                r = source_bus_register(m);
        if (r >= 0)
                r = session_bus_register(m);
        if (r < 0)
                return log_error_errno(r, "Failed to put the objects on the bus: %m");
        /* Subscribe before looking: a unit that ends in between is told of. */
        r = unit_signals_subscribe(m);
        for (const Executor *const *e = executors; r >= 0 && *e; e++)
                r = (*e)->list(m);
        if (r >= 0)
                r = wake_timer_remove(m);
        if (r >= 0)
                r = idle_start(m);
        if (r < 0)
                return log_error_errno(r, "Failed to ask systemd for the units of jobs: %m");
        r = manager_sync_webhooks(m);
        if (r < 0)
                log_error_errno(r, "Failed to put the webhooks of the configuration in force: %m");
        r = manager_sweep_webhook_secrets(m);
        if (r < 0)
                log_warning_errno(r, "Failed to look after the secrets of webhooks: %m");
        r = manager_sweep_secrets(m);
        if (r < 0)
                log_warning_errno(r, "Failed to remove secrets that nothing names any more: %m");
        outbox_wake(m->outbox);
        slurm_feed_wake(m->slurm);
        for (Job *j = m->jobs; j; j = j->hh.next)
                hold_timer_update(j);
        r = restore_after_boot(m);
        if (r < 0)
                log_error_errno(r,
                                "Failed to set the timers of schedules after the boot: %m. "
                                "'systemctl restart hyper-schedules' tries again.");
        return 0;
}
