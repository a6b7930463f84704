/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-signal.h"

#include "manager/managed-objects.h"
#include "manager/manager.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/bus-object.h"
#include "shared/bus-util.h"

void job_bus_announce(Job *j, const JobTexts *texts) {
        _cleanup_free_ char *path = job_bus_path(j->row->id);
        sd_bus *bus = j->manager->bus;
        int r = -ENOMEM;

        if (path)
                managed_objects_changed(j->manager, path, false);
        j->texts = texts;
        if (path)
                r = bus_object_emit_added(bus, HYPER_BUS_PATH,
                                &(BusObject){ path, HYPER_JOB_INTERFACE, j->manager->job_vtable, j });
        j->texts = NULL;
        if (r >= 0)
                r = sd_bus_emit_signal(bus, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, "JobNew", "so",
                                j->row->id, path);
        if (r < 0)
                log_warning_errno(r, "Failed to announce job %s on the bus: %m", j->row->id);
}

static int emit_state_changed(Job *j, const char *path, JobState from, JobState to, const char *reason) {
        return sd_bus_emit_signal(j->manager->bus, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE,
                        "JobStateChanged", "sosss", j->row->id, path, job_state_to_string(from),
                        job_state_to_string(to), strempty(reason));
}

static void warn_state(const Job *j, JobState to, int r) {
        log_warning_errno(r, "Failed to tell the bus that job %s is %s: %m", j->row->id,
                        job_state_to_string(to));
}

void job_bus_became(Job *j, JobState from, JobState to, const char *reason) {
        _cleanup_free_ char *path = job_bus_path(j->row->id);
        int r = path ? emit_state_changed(j, path, from, to, reason) : -ENOMEM;

        if (r < 0)
                warn_state(j, to, r);
}

void job_bus_state_changed(Job *j, JobState from, JobState to, const char *reason) {
        _cleanup_free_ char *path = job_bus_path(j->row->id);
        sd_bus *bus = j->manager->bus;
        int r = -ENOMEM;

        if (path)
                managed_objects_changed(j->manager, path, job_state_is_terminal(to));
        /* A job that is tried again after its end is an object again. */
        if (path)
                r = job_state_is_terminal(from) ? sd_bus_emit_object_added(bus, path) : 0;
        if (r >= 0)
                r = sd_bus_emit_properties_changed(bus, path, HYPER_JOB_INTERFACE, "State", "Reason",
                                "Attempt", "Phase", "Percent", "BytesDone", "BytesTotal", "Rate",
                                "RemainingUSec", "StartedUSec", "FinishedUSec", "Result", "Warm", NULL);
        if (r >= 0)
                r = emit_state_changed(j, path, from, to, reason);
        if (r >= 0 && job_state_is_terminal(to))
                r = sd_bus_emit_object_removed(bus, path);
        if (r < 0)
                warn_state(j, to, r);
}

void job_bus_ready(Manager *m, const char *id) {
        int r = sd_bus_emit_signal(m->bus, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, "JobReady", "s", id);

        if (r < 0)
                log_warning_errno(r, "Failed to tell the bus that the limits of job %s are free: %m", id);
}

void job_bus_progress_changed(Job *j) {
        _cleanup_free_ char *path = job_bus_path(j->row->id);
        int r = -ENOMEM;

        if (path)
                managed_objects_changed(j->manager, path, false);
        if (path)
                r = sd_bus_emit_properties_changed(j->manager->bus, path, HYPER_JOB_INTERFACE, "Phase",
                                "Percent", "BytesDone", "BytesTotal", "Rate", "RemainingUSec", NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to tell the bus of the progress of job %s: %m", j->row->id);
}

void job_bus_hold_changed(Job *j) {
        _cleanup_free_ char *path = job_bus_path(j->row->id);
        int r = path ? sd_bus_emit_properties_changed(
                                       j->manager->bus, path, HYPER_JOB_INTERFACE, "Reason", NULL)
                     : -ENOMEM;

        if (r < 0)
                log_warning_errno(r, "Failed to tell the bus of the hold of job %s: %m", j->row->id);
}

void job_bus_warm_changed(Job *j) {
        _cleanup_free_ char *path = job_bus_path(j->row->id);
        int r = path ? sd_bus_emit_properties_changed(
                                       j->manager->bus, path, HYPER_JOB_INTERFACE, "Warm", NULL)
                     : -ENOMEM;

        if (r < 0)
                log_warning_errno(r, "Failed to tell the bus of the cutover of job %s: %m", j->row->id);
}
