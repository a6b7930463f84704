/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/executor-unit.h"
#include "store/jobs.h"

#include <signal.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/appliance-slots.h"
#include "manager/attempt-end.h"
#include "manager/credentials.h"
#include "manager/job-directory.h"
#include "manager/job-user.h"
#include "manager/manager.h"
#include "manager/progress.h"
#include "manager/put-back.h"
#include "manager/schedule/schedule-timer.h"
#include "manager/systemd-names.h"
#include "manager/unit-append.h"
#include "manager/unit-facts.h"
#include "manager/unit-properties.h"
#include "spec/job-file.h"
#include "spec/job-remains.h"

/* What libvirt may take to start and to stop a domain, again and again if it is restarted meanwhile. */
#define BOOT_OVERHEAD (300 * USEC_PER_SEC)

/* Sending disks to another host takes long enough to be interrupted. */
#define SEND_TRIES 2u

static Job *job_of_unit(Manager *m, const char *unit) {
        _cleanup_free_ char *id = NULL;

        return job_id_from_unit_name(unit, &id) < 0 ? NULL : manager_get_job(m, id);
}

/* --- what systemd tells ---------------------------------------------------------------------------- */

/* It will be told again when the job ends: both changes are made then. */
static void log_not_running(const Job *j, int r) {
        log_error_errno(r, "Failed to record that job %s is running: %m", j->row->id);
}

static void on_running(int r, void *userdata) {
        Job *j = userdata;

        r = job_follow(j, r);
        if (r < 0)
                log_not_running(j, r);
}

static void unit_is_running(Job *j) {
        CommitGroup *g = j->manager->group;
        int r;

        if (j->row->state != JOB_ASSIGNED || j->changes)
                return;
        r = commit_group_enter(g);
        if (r >= 0) {
                r = job_run(j);
                commit_group_leave(g, r < 0 ? NULL : on_running, j);
        }
        if (r < 0)
                log_not_running(j, r);
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        const char *path, *unit, *result;

        if (sd_bus_message_read(message, "uoss", NULL, &path, &unit, &result) < 0)
                return 0;
        schedule_timer_job_done(userdata, unit, streq(result, "done"));
        Job *j = job_of_unit(userdata, unit);
        if (!j || !streq_ptr(j->unit.start_job, path))
                return 0;
        j->unit.start_job = mfree(j->unit.start_job);
        if (j->unit.stage == UNIT_LIVE && streq(result, "done"))
                unit_is_running(j);
        return 0;
}

/* Usually the end was told before, by the unit's state. A daemon-reload removes all units, too, and adds
 * them again: so this is no news of an end, but a reason to look. */
static int on_unit_removed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        const char *unit;
        Manager *m = userdata;

        if (sd_bus_message_read(message, "so", &unit, NULL) < 0)
                return 0;
        Job *j = job_of_unit(m, unit);
        if (!j || j->unit.stage == UNIT_NONE)
                return 0;
        int r = m->list_units(m);
        if (r < 0)
                log_error_errno(r, "Failed to ask systemd for the units of jobs: %m");
        return 0;
}

/* PID 1 was executed anew: subscriptions are gone, and something may have been missed. */
static int on_systemd_owner(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        const char *new_owner;
        Manager *m = userdata;

        if (sd_bus_message_read(message, "sss", NULL, NULL, &new_owner) < 0 || isempty(new_owner))
                return 0;
        (void) sd_bus_call_method_async(m->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                        "Subscribe", NULL, NULL, NULL);
        int r = m->list_units(m);
        if (r < 0)
                log_error_errno(r, "Failed to ask systemd for the units of jobs: %m");
        return 0;
}

static int match_systemd(
                Manager *m, sd_bus_slot **slot, const char *signal, sd_bus_message_handler_t handler) {
        return sd_bus_match_signal_async(
                        m->bus, slot, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, signal, handler, NULL, m);
}

int executor_unit_subscribe(Manager *m) {
        static const char owner_changed[] =
                        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" SYSTEMD_NAME "'";
        int r;

        r = match_systemd(m, &m->systemd_slots[0], "JobRemoved", on_job_removed);
        if (r >= 0)
                r = match_systemd(m, &m->systemd_slots[1], "UnitRemoved", on_unit_removed);
        if (r >= 0)
                r = sd_bus_add_match_async(
                                m->bus, &m->systemd_slots[2], owner_changed, on_systemd_owner, NULL, m);
        if (r < 0)
                return r;
        return sd_bus_call_method_async(m->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                        "Subscribe", NULL, NULL, NULL);
}

/* One property of the unit that matters here; others are skipped. */
static int read_property(sd_bus_message *message, Job *j, const char **active_state) {
        const char *name, *s;
        int r = sd_bus_message_read(message, "s", &name);

        if (r < 0)
                return r;
        if (streq(name, "ActiveState"))
                return sd_bus_message_read(message, "v", "s", active_state);
        if (streq(name, "ExecMainCode"))
                return sd_bus_message_read(message, "v", "i", &j->unit.exit_code);
        if (streq(name, "ExecMainStatus"))
                return sd_bus_message_read(message, "v", "i", &j->unit.exit_status);
        if (streq(name, "Result")) {
                r = sd_bus_message_read(message, "v", "s", &s);
                return r < 0 ? r : free_and_strdup(&j->unit.result, s);
        }
        return sd_bus_message_skip(message, "v");
}

static int on_properties_changed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        const char *active = NULL;
        Job *j = userdata;
        int r;

        progress_look(j->manager); /* its status comes with an event */
        if (sd_bus_message_skip(message, "s") < 0 ||
                        sd_bus_message_enter_container(message, 'a', "{sv}") < 0)
                return 0;
        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0)
                if (read_property(message, j, &active) < 0 || sd_bus_message_exit_container(message) < 0)
                        return 0;
        /* Before its start is done, "inactive" only says that the unit was loaded. */
        if (!active || j->unit.start_call || j->unit.start_job)
                return 0;
        if (streq(active, "active") && j->unit.stage == UNIT_LIVE)
                unit_is_running(j);
        else if (streq(active, "inactive") || streq(active, "failed"))
                executor_unit_gone(j, NULL);
        return 0;
}

static int watch_unit(Job *j, const char *unit) {
        _cleanup_free_ char *path = NULL;
        int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path);

        if (r < 0)
                return r;
        j->unit.properties_match = sd_bus_slot_unref(j->unit.properties_match);
        return sd_bus_match_signal_async(j->manager->bus, &j->unit.properties_match, SYSTEMD_NAME, path,
                        "org.freedesktop.DBus.Properties", "PropertiesChanged", on_properties_changed, NULL,
                        j);
}

/* --- what systemd is asked ------------------------------------------------------------------------- */

static int on_overdue(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *j = userdata;
        _cleanup_free_ char *unit = job_unit_name(j->row->id);
        int r;

        if (j->unit.stage != UNIT_LIVE)
                return 0;
        log_warning("The unit of job %s should have ended, and runs; killing it.", j->row->id);
        r = unit ? sd_bus_call_method_async(j->manager->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                   SYSTEMD_MANAGER, "KillUnit", NULL, NULL, "ssi", unit, "main", SIGKILL)
                 : -ENOMEM;
        return r < 0 ? log_error_errno(r, "Failed to kill the unit of job %s: %m", j->row->id) : 0;
}

/* A job can write to the notification socket, and extend the time limits of its unit with
 * EXTEND_TIMEOUT_USEC= (sd_notify(3)). A compromised job must not run longer than @time all the same. */
static void limit_time(Job *j, usec_t time) {
        int r;

        j->unit.overdue = sd_event_source_disable_unref(j->unit.overdue);
        r = sd_event_add_time_relative(j->manager->event, &j->unit.overdue, CLOCK_MONOTONIC,
                        time + j->manager->patience, USEC_PER_SEC, on_overdue, j);
        if (r < 0)
                log_warning_errno(r, "Failed to set the timer that ends job %s: %m", j->row->id);
}

static void limit_run_time(Job *j) {
        if (j->row->timeout_seconds > 0)
                limit_time(j, j->row->timeout_seconds * USEC_PER_SEC);
}

/* systemd went away with the question (a daemon-reexec): the unit may have been started or not. */
static bool is_no_answer(const sd_bus_error *error) {
        return sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
                        SD_BUS_ERROR_DISCONNECTED, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                        SD_BUS_ERROR_SERVICE_UNKNOWN);
}

static int on_start_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *path;
        Job *j = userdata;
        int r;

        j->unit.start_call = sd_bus_slot_unref(j->unit.start_call);
        if (error && !is_no_answer(error)) {
                executor_unit_gone(j, error->message);
                return 0;
        }
        if (j->unit.stage == UNIT_STARTING)
                j->unit.stage = UNIT_LIVE;
        if (error) {
                r = j->manager->list_units(j->manager);
                return r < 0 ? log_error_errno(r, "Failed to ask systemd for the units of jobs: %m") : 0;
        }
        if (sd_bus_message_read(reply, "o", &path) >= 0)
                (void) free_and_strdup(&j->unit.start_job, path);
        return 0;
}

static int call_start(Job *j, const UnitProperties *properties) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_free_ char *unit = job_unit_name(j->row->id);
        sd_bus *bus = j->manager->bus;
        int r;

        if (!unit)
                return -ENOMEM;
        r = watch_unit(j, unit);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(call, "ss", unit, "fail");
        if (r >= 0)
                r = unit_properties_append(properties, call);
        if (r >= 0)
                r = sd_bus_message_append(call, "a(sa(sv))", 0);
        if (r < 0)
                return r;
        return sd_bus_call_async(bus, &j->unit.start_call, call, on_start_reply, j, 0);
}

static bool may_use_vddk(const JobSpec *spec) {
        int method = spec->parameters.conversion_method;

        return spec->source.type == ENDPOINT_VSPHERE &&
                        (method == VSPHERE_METHOD_AUTO || method == VSPHERE_METHOD_VDDK);
}

/* Writes what the unit reads: the plan, and an empty directory for its root. */
static int write_plan(Job *j, const JobSpec *spec, const JobFiles *files, const char *user,
                const char *directory, const char *root) {
        const Settings *settings = j->manager->settings;
        bool vddk = may_use_vddk(spec);
        const JobPlan plan = {
                .job_id = j->row->id,
                .attempt = j->row->attempt,
                .warm_pass = j->warm ? j->warm->passes + 1 : 0,
                .cutover = j->warm && j->warm->cutover,
                .user = (char *) user,
                .spec = (JobSpec *) spec,
                .bound = files->bound,
                .source_files = files->source_files,
                .part_dir = files->part_dir,
                .virtio_win = spec->parameters.fix != 0 ? j->manager->settings->guest.virtio_win : NULL,
                .appliances = settings->guest.max_running,
                .appliance_memory = settings->guest.memory,
                .disks_parallel = settings->jobs.disks_parallel,
                .vddk_libdir = vddk ? settings->vsphere.vddk_libdir : NULL,
                .vddk_plugin = vddk ? settings->vsphere.vddk_plugin : NULL,
        };
        int r = job_spec_has_guest(spec)
                        ? appliance_slots_make(j->manager->state_directory, settings->guest.max_running)
                        : 0;

        if (r >= 0)
                r = job_directory_make_readable(directory);
        if (r >= 0)
                r = job_directory_clear_result(directory);
        if (r >= 0)
                r = job_mark_clear(directory, JOB_REMAINS_FILE);
        if (r >= 0)
                r = job_mark_release(directory);
        if (r >= 0)
                r = remove_tree(root);
        if (r >= 0)
                r = job_root_make(root);
        return r < 0 ? r : job_plan_write(&plan, directory);
}

static int try_start(Job *j, const JobSpec *spec, const JobFiles *files) {
        _cleanup_(unit_properties_done) UnitProperties properties = {};
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id),
                            *root = job_root_path(j->manager->runtime_directory, j->row->id),
                            *user = job_user_name(j->row->id);
        _cleanup_strv_free_ char **credentials = NULL;
        int r;

        if (!directory || !root || !user)
                return -ENOMEM;
        r = write_plan(j, spec, files, user, directory, root);
        if (r >= 0)
                r = credentials_list(
                                j->manager->state_directory, CREDENTIALS_OF_JOB, j->row->id, &credentials);
        if (r < 0)
                return r;
        bool vddk = may_use_vddk(spec);
        const UnitRequest request = {
                .job_id = j->row->id,
                .user = user,
                .directory = directory,
                .root = root,
                .source_files = files->source_files,
                .part_dir = files->part_dir,
                .sockets = files->sockets,
                .tls_files = files->tls_files,
                .devices = files->devices,
                .credentials = credentials,
                .network = files->network,
                .define = spec->destination.type == ENDPOINT_KVM &&
                                !kvm_spec_is_remote(&spec->destination.kvm),
                .guest = job_spec_has_guest(spec),
                .guest_memory = j->manager->settings->guest.memory,
                .in_place = job_spec_is_in_place(spec),
                .virtio_win = j->manager->settings->guest.virtio_win,
                .vddk_libdir = vddk ? j->manager->settings->vsphere.vddk_libdir : NULL,
                .vddk_plugin = vddk ? j->manager->settings->vsphere.vddk_plugin : NULL,
                .warm = j->warm,
                .timeout_seconds = spec->policy.timeout_seconds,
                .priority = j->row->priority,
        };
        r = unit_properties_for_job(&request, &properties);
        return r < 0 ? r : call_start(j, &properties);
}

void executor_unit_start(Job *j, const JobSpec *spec, const JobFiles *files) {
        int r;

        j->unit.stage = UNIT_STARTING;
        j->unit.stop_sent = j->unit.finish_tried = j->unit.put_back_tried = j->unit.boot_tried = false;
        j->unit.result = mfree(j->unit.result);
        j->unit.exit_code = j->unit.exit_status = 0;
        r = progress_follow(j->manager);
        if (r < 0)
                log_warning_errno(r, "Failed to follow the journal; progress will not be seen: %m");
        limit_run_time(j);
        r = try_start(j, spec, files);
        if (r < 0)
                executor_unit_gone(j, strerror(-r));
}

int executor_unit_adopt(Job *j, bool running) {
        _cleanup_free_ char *unit = job_unit_name(j->row->id);
        int r = unit ? watch_unit(j, unit) : -ENOMEM;

        if (r < 0)
                return r;
        j->unit.stage = UNIT_LIVE;
        limit_run_time(j);
        if (running)
                unit_is_running(j);
        r = progress_follow(j->manager);
        if (r < 0)
                log_warning_errno(r, "Failed to follow the journal; progress will not be seen: %m");
        return 0;
}

static int on_stop_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        /* A unit that is gone already is told of by UnitRemoved. */
        if (error && !streq(error->name, "org.freedesktop.systemd1.NoSuchUnit"))
                log_error("Failed to stop the unit of a job: %s", error->message);
        return 0;
}

void executor_unit_stop(Job *j) {
        _cleanup_free_ char *unit = job_unit_name(j->row->id);
        int r = -ENOMEM;

        if (j->unit.stop_sent)
                return;
        if (unit)
                r = sd_bus_call_method_async(j->manager->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                SYSTEMD_MANAGER, "StopUnit", on_stop_reply, NULL, "ss", unit, "replace");
        if (r < 0)
                log_error_errno(r, "Failed to stop the unit of job %s: %m", j->row->id);
        else {
                j->unit.stop_sent = true;
                limit_time(j, unit_stop_time(j->warm));
        }
}

/* What a proof of boot may take at most, with libvirt's part of it. */
static usec_t boot_time(const Job *j, const JobPlan *plan) {
        usec_t limit = plan ? plan->spec->parameters.boot_timeout * USEC_PER_SEC : 0;

        /* Four times as much without KVM. */
        return (limit > 0 ? limit : j->manager->settings->hosts.boot_timeout * 4) + BOOT_OVERHEAD;
}

/* Runs the unit that does nothing but @tasks, each of which is tried once: executor_unit_gone() is called
 * when it has ended. On failure, which is logged, nothing will end. 0 or negative errno. */
static int start_finish(Job *j, const JobPlan *plan, FinishTasks tasks) {
        _cleanup_(unit_properties_done) UnitProperties properties = {};
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id);
        _cleanup_strv_free_ char **credentials = NULL;
        int r = directory ? 0 : -ENOMEM;

        if ((tasks & FINISH_OUTPUT) && plan && kvm_spec_is_remote(&plan->spec->destination.kvm)) {
                tasks |= FINISH_SEND;
                j->unit.send_tries++;
        }
        j->unit.finish_tried = j->unit.finish_tried || (tasks & FINISH_OUTPUT);
        j->unit.put_back_tried = j->unit.put_back_tried || (tasks & FINISH_PUT_BACK);
        j->unit.boot_tried = j->unit.boot_tried || (tasks & FINISH_BOOT);
        j->unit.result = mfree(j->unit.result);
        if (r >= 0 && j->warm)
                r = credentials_list(
                                j->manager->state_directory, CREDENTIALS_OF_JOB, j->row->id, &credentials);
        if (r >= 0)
                r = unit_properties_for_finish(
                                j->row->id, directory, tasks, boot_time(j, plan), credentials, &properties);
        if (r >= 0)
                r = call_start(j, &properties);
        if (r < 0)
                return log_error_errno(r, "Failed to tidy up after job %s: %m", j->row->id);
        j->unit.stage = UNIT_FINISH;
        return 0;
}

/* --- its end --------------------------------------------------------------------------------------- */

/* The work is complete, but finish was not, or the domain is not defined: that was cut off together with the
 * machine. Or the proof of boot, which has a unit of its own, has not begun. */
static FinishTasks missing_tasks(const Job *j, const JobPlan *plan, const AttemptFacts *f) {
        bool undefined = f->published && f->needs_domain && !f->domain,
             unproven = f->needs_boot && !f->boot && !f->domain->error;
        FinishTasks tasks = 0;

        if (!f->result || f->result->outcome != OUTCOME_COMPLETED)
                return 0;
        if ((!f->published || undefined) &&
                        (!j->unit.finish_tried ||
                                        (j->unit.send_tries > 0 && j->unit.send_tries < SEND_TRIES)))
                tasks |= FINISH_OUTPUT;
        if (plan && plan->spec->parameters.boot_check && (tasks || unproven) && !j->unit.boot_tried)
                tasks |= FINISH_BOOT;
        return tasks;
}

/* What is still to be done for a job that was cancelled or has failed: its unit has done it, unless it could
 * not. */
static FinishTasks open_tasks(Job *j, const JobPlan *plan) {
        FinishTasks tasks = 0;

        if (j->row->state == JOB_CANCELLED && plan->part_dir && !j->unit.finish_tried &&
                        unit_path_exists(j, plan->part_dir))
                tasks |= FINISH_OUTPUT;
        if (j->row->state != JOB_COMPLETED && j->warm && !j->unit.put_back_tried)
                tasks |= FINISH_PUT_BACK;
        return tasks;
}

static void warn_of_remains(Job *j, const JobPlan *plan) {
        if (j->row->state == JOB_CANCELLED && plan->part_dir && unit_path_exists(j, plan->part_dir))
                log_warning("The unfinished output %s of the cancelled job %s could not be removed; its log "
                            "says why (journalctl HYPER_JOB_ID=%s).",
                                plan->part_dir, j->row->id, j->row->id);
}

/* Nothing of the finished job runs any more. @j is freed, unless something of it still has to be put in
 * order. */
static void leave(Job *j) {
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id);
        _cleanup_(job_plan_freep) JobPlan *plan = NULL;

        if (directory && job_plan_read(directory, &plan) >= 0) {
                FinishTasks tasks = open_tasks(j, plan);
                if (tasks && start_finish(j, plan, tasks) >= 0)
                        return;
                warn_of_remains(j, plan);
        }
        if (directory && put_back_is_open(j, directory))
                manager_drop_job(j->manager, j);
        else
                manager_forget_job(j->manager, j);
}

/* The end could not be recorded. The queue tries again: not at once, for ever. */
static void end_failed(Job *j, int r) {
        log_error_errno(r, "Failed to record the end of an attempt of job %s, trying again: %m", j->row->id);
        if (!j->unsettled)
                queue_wake(j->manager);
        j->unsettled = true;
}

static void on_ended(Job *j, int r, void *userdata) {
        if (r < 0)
                return end_failed(j, r);
        j->unsettled = false;
        if (job_is_finished(j))
                leave(j);
}

/* The attempt is over, unless finish still has to be run. @j may be freed. */
static int end_attempt(Job *j, const char *start_error) {
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id);
        _cleanup_(job_result_freep) JobResult *result = NULL;
        _cleanup_(job_plan_freep) JobPlan *plan = NULL;
        _cleanup_kvm_outcome_ KvmOutcome *domain = NULL;
        _cleanup_kvm_boot_ KvmBoot *boot = NULL;
        AttemptFacts facts = attempt_facts(j);
        int r;

        if (!directory)
                return -ENOMEM;
        /* A cancel that we were cut off from recording; the output was not published then. */
        if (job_mark_is_claimed(directory, JOB_MARK_CANCELLED) > 0) {
                r = job_follow(j, job_cancel(j, "Cancelled on request"));
                if (r < 0)
                        return r;
                r = job_mark_set(directory, JOB_MARK_CANCELLED);
                if (r < 0)
                        return r;
                j->unsettled = false;
                leave(j);
                return 0;
        }
        r = job_plan_read(directory, &plan);
        if (r == -ENOMEM)
                return r;
        facts.start_error = start_error;
        r = unit_facts_add(j, plan, directory, &facts, &result, &domain, &boot);
        if (r < 0)
                return r;
        FinishTasks tasks = missing_tasks(j, plan, &facts);
        if (tasks && start_finish(j, plan, tasks) >= 0) {
                j->unsettled = false;
                return 0;
        }
        return attempt_end(j, &facts, on_ended, NULL);
}

void executor_unit_gone(Job *j, const char *start_error) {
        Manager *m = j->manager;
        int r;

        /* That it runs may not be durable yet. */
        if (j->changes)
                commit_group_settle(m->group);
        j->unit.stage = UNIT_NONE;
        j->unit.start_call = sd_bus_slot_unref(j->unit.start_call);
        j->unit.properties_match = sd_bus_slot_unref(j->unit.properties_match);
        j->unit.start_job = mfree(j->unit.start_job);
        if (job_is_finished(j)) {
                j->unsettled = false;
                leave(j);
        } else {
                r = end_attempt(j, start_error);
                if (r < 0) {
                        if (start_error)
                                (void) job_note_error(j, _PHASE_INVALID, start_error);
                        return end_failed(j, r);
                }
        }
        queue_wake(m);
}

/* --- the executor ---------------------------------------------------------------------------------- */

void executor_unit_cancel(Job *j) {
        /* A job that is not finished has a proof of boot that is to be stopped, and not to be repeated. */
        bool boots = !job_is_finished(j);

        j->unit.finish_tried = false;
        j->unit.boot_tried = j->unit.boot_tried || boots;
        if (boots || job_holds_slot(j))
                executor_unit_stop(j);
        else if (j->unit.stage == UNIT_NONE)
                executor_unit_gone(j, NULL);
}
