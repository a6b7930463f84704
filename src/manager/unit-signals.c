/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/unit-signals.h"
#include "store/jobs.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/manager.h"
#include "manager/progress.h"
#include "manager/schedule/schedule-timer.h"
#include "manager/systemd-names.h"

static Job *job_of_unit(Manager *m, const char *unit) {
        _cleanup_free_ char *id = NULL;

        return job_id_from_unit_name(unit, &id) < 0 ? NULL : manager_get_job(m, id);
}

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

void unit_note_running(Job *j) {
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
                unit_note_running(j);
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

int unit_signals_subscribe(Manager *m) {
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
                unit_note_running(j);
        else if (streq(active, "inactive") || streq(active, "failed"))
                j->manager->unit_gone(j, NULL);
        return 0;
}

int unit_watch(Job *j, const char *unit) {
        _cleanup_free_ char *path = NULL;
        int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path);

        if (r < 0)
                return r;
        j->unit.properties_match = sd_bus_slot_unref(j->unit.properties_match);
        return sd_bus_match_signal_async(j->manager->bus, &j->unit.properties_match, SYSTEMD_NAME, path,
                        "org.freedesktop.DBus.Properties", "PropertiesChanged", on_properties_changed, NULL,
                        j);
}
