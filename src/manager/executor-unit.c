/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/executor-unit.h"
#include "store/jobs.h"

#include <signal.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/appliance-slots.h"
#include "manager/credentials.h"
#include "manager/job-directory.h"
#include "manager/job-user.h"
#include "manager/manager.h"
#include "manager/progress.h"
#include "manager/systemd-names.h"
#include "manager/unit-end.h"
#include "manager/unit-properties.h"
#include "manager/unit-signals.h"
#include "manager/unit-start.h"
#include "spec/job-file.h"
#include "spec/job-remains.h"
#include "spec/submitter.h"

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
                r = job_mark_clear(directory, JOB_MARK_STOPPED);
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
                            *user = job_user_name(j->row->id),
                            *submitter = submitter_name_of(j->row->submitter);
        _cleanup_strv_free_ char **credentials = NULL;
        int r;

        if (!directory || !root || !user || !submitter)
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
                .systemd_version = j->manager->systemd_version,
                .submitter = submitter,
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
        return r < 0 ? r : unit_call_start(j, &properties);
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
                unit_gone(j, strerror(-r));
}

int executor_unit_adopt(Job *j, bool running) {
        _cleanup_free_ char *unit = job_unit_name(j->row->id);
        int r = unit ? unit_watch(j, unit) : -ENOMEM;

        if (r < 0)
                return r;
        j->unit.stage = UNIT_LIVE;
        limit_run_time(j);
        if (running)
                unit_note_running(j);
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

void executor_unit_cancel(Job *j) {
        /* A job that is not finished has a proof of boot that is to be stopped, and not to be repeated. */
        bool boots = !job_is_finished(j);

        j->unit.finish_tried = false;
        j->unit.boot_tried = j->unit.boot_tried || boots;
        if (boots || job_holds_slot(j))
                executor_unit_stop(j);
        else if (j->unit.stage == UNIT_NONE)
                unit_gone(j, NULL);
}
