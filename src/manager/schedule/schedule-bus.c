/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Schedules on the bus: the methods of org.hyper1.Manager about them, and the objects
 * org.hyper1.Schedule. */

#include "manager/schedule/schedule-bus.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/schedule-event.h"
#include "manager/manager.h"
#include "manager/schedule/schedule-run.h"
#include "manager/schedule/schedule-signal.h"
#include "manager/schedule/schedule-timer.h"
#include "manager/schedule/schedule-times.h"
#include "manager/schedule/schedule.h"
#include "manager/submit-caller.h"
#include "manager/submit-options.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "shared/step-reply.h"
#include "spec/submitter.h"

#define LIST_LIMIT_DEFAULT 100u
#define LIST_LIMIT_MAX 1000u
#define LIST_STEP 200u

static const char manage_schedules[] = "org.hyper1.manage-schedules";

/* As for a job, but that its runs are for this machine. 1; 0: @message is dispatched again; or negative errno
 * with @error set. */
static int read_options(Manager *m, sd_bus_message *message, SubmitOptions *ret, sd_bus_error *error) {
        int r = submit_options_of_call(&m->callers, message, ret, error);

        if (r >= 0 && ret->any_worker)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "options.any-worker: must be false, the jobs of a schedule are done by this "
                                "machine");
        return r < 0 ? r : submit_caller_find(m, message, ret, error);
}

/* --- org.hyper1.Manager ---------------------------------------------------------------------------- */

int method_create_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(submit_options_done) SubmitOptions options = {};
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_free_ char *id = NULL, *path = NULL;
        const char *definition;
        Manager *m = userdata;
        int r = bus_verify_polkit(message, manage_schedules, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &definition);
        if (r >= 0)
                r = read_options(m, message, &options, error);
        if (r == 0)
                return 1;
        if (r > 0)
                r = manager_create_schedule(m, definition, &options, &id, &fields, error);
        if (r < 0)
                return bus_reply_fields_error(message, r, error, &fields);
        path = schedule_bus_path(id);
        return path ? sd_bus_reply_method_return(message, "so", id, path) : -ENOMEM;
}

int method_update_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(submit_options_done) SubmitOptions options = {};
        _cleanup_(json_errors_done) JsonErrors fields = {};
        const char *id, *changes;
        Manager *m = userdata;
        int r = bus_verify_polkit(message, manage_schedules, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "ss", &id, &changes);
        if (r >= 0)
                r = read_options(m, message, &options, error);
        if (r == 0)
                return 1;
        if (r > 0)
                r = manager_update_schedule(m, id, changes, &options, &fields, error);
        return r < 0 ? bus_reply_fields_error(message, r, error, &fields)
                     : sd_bus_reply_method_return(message, NULL);
}

static int change_by_id(sd_bus_message *message, Manager *m, const char *id, const char *change,
                sd_bus_error *error) {
        const SubmitOptions options = { .dialect = "bus" };
        _cleanup_(json_errors_done) JsonErrors fields = {};
        int r = bus_verify_polkit(message, manage_schedules, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        if (!id && (r = sd_bus_message_read(message, "s", &id)) < 0)
                return r;
        r = change ? manager_update_schedule(m, id, change, &options, &fields, error)
                   : manager_delete_schedule(m, id, error);
        return r < 0 ? bus_reply_fields_error(message, r, error, &fields)
                     : sd_bus_reply_method_return(message, NULL);
}

static const char enable[] = "{\"enabled\":true}", disable[] = "{\"enabled\":false}";

int method_delete_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return change_by_id(message, userdata, NULL, NULL, error);
}

int method_enable_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return change_by_id(message, userdata, NULL, enable, error);
}

int method_disable_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return change_by_id(message, userdata, NULL, disable, error);
}

/* {"timer": b} only. */
static int read_trigger_options(sd_bus_message *message, bool *ret_timer, sd_bus_error *error) {
        int r = sd_bus_message_enter_container(message, 'a', "{sv}"), timer = false;

        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read(message, "s", &key);
                if (r >= 0 && (!streq(key, "timer") || sd_bus_message_read(message, "v", "b", &timer) < 0))
                        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                        "options: must have nothing but timer, a boolean");
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        *ret_timer = timer;
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int trigger(
                sd_bus_message *message, Manager *m, const char *id, bool has_options, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        bool timer = false;
        int r = bus_verify_polkit(message, manage_schedules, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        if (has_options) {
                r = sd_bus_message_read(message, "s", &id);
                if (r >= 0)
                        r = read_trigger_options(message, &timer, error);
                if (r < 0)
                        return r;
        }
        r = schedule_trigger(m, id, timer, message, &fields, error);
        if (r < 0)
                return bus_reply_fields_error(message, r, error, &fields);
        return r > 0 ? r : sd_bus_reply_method_return(message, "s", "");
}

int method_trigger_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return trigger(message, userdata, NULL, true, error);
}

int method_get_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        _cleanup_free_ char *details = NULL, *path = NULL;
        Manager *m = userdata;
        const char *id;
        int r = sd_bus_message_read(message, "s", &id);

        if (r < 0)
                return r;
        r = schedule_id_is_valid(id) ? store_schedule_get(m->store, id, &row) : -ENOENT;
        if (r == -ENOENT)
                return schedule_not_found(id, error);
        if (r >= 0)
                r = schedule_details(m->store, row, &details);
        if (r < 0)
                return r;
        path = schedule_bus_path(id);
        return path ? sd_bus_reply_method_return(message, "os", path, details) : -ENOMEM;
}

static int append_schedule(sd_bus_message *reply, const ScheduleRow *row) {
        _cleanup_free_ char *path = schedule_bus_path(row->id),
                            *submitter = submitter_name_of(row->submitter);

        return path && submitter ? sd_bus_message_append(reply, "(sossbtttss)", row->id, path, row->name,
                                                   row->expression, (int) row->enabled,
                                                   (uint64_t) row->last_run_at, (uint64_t) row->next_at,
                                                   row->run_count, strempty(row->last_status), submitter)
                                 : -ENOMEM;
}

/* The rows are read at once, so that none is missed, and appended in steps. */
typedef struct SchedulesList {
        StepReply reply;
        ScheduleRows rows;
        size_t next;
        sd_bus_message *message;
} SchedulesList;

static SchedulesList *list_of(StepReply *r) {
        return CONTAINER_OF(r, SchedulesList, reply);
}

/* 1: there are more, 0: that was all. */
static int append_some(StepReply *reply) {
        SchedulesList *l = list_of(reply);
        int r = 0;

        for (unsigned n = 0; r >= 0 && n < LIST_STEP && l->next < l->rows.n; n++)
                r = append_schedule(l->message, l->rows.rows[l->next++]);
        return r < 0 ? r : l->next < l->rows.n;
}

static int list_finish(StepReply *reply) {
        SchedulesList *l = list_of(reply);
        int r = sd_bus_message_close_container(l->message);

        return r < 0 ? r : sd_bus_send(NULL, l->message, NULL);
}

static void list_free(StepReply *reply) {
        SchedulesList *l = list_of(reply);

        schedule_rows_done(&l->rows);
        sd_bus_message_unref(l->message);
        free(l);
}

static const StepReplyType schedules_list = {
        .what = "schedules", .step = append_some, .finish = list_finish, .free = list_free
};

int method_list_schedules(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        uint64_t offset, limit;
        SchedulesList *l;
        int r = sd_bus_message_read(message, "tt", &offset, &limit);

        if (r < 0)
                return r;
        if (limit > LIST_LIMIT_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "limit: must be 0 to %u",
                                LIST_LIMIT_MAX);
        l = new0(SchedulesList, 1);
        if (!l)
                return -ENOMEM;
        r = store_schedules_list(m->store, offset, limit > 0 ? limit : LIST_LIMIT_DEFAULT, &l->rows);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &l->message);
        if (r >= 0)
                r = sd_bus_message_append(l->message, "t", l->rows.total);
        if (r >= 0)
                r = sd_bus_message_open_container(l->message, 'a', "(sossbtttss)");
        if (r >= 0)
                return step_reply_start(&l->reply, &schedules_list, &m->replies, message);
        list_free(&l->reply);
        return r;
}

/* Answers when all timers are made; what systemd has against one is logged. */
int method_restore_schedules(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        int r = bus_verify_polkit(message, manage_schedules, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        schedule_catch_up(m);
        schedule_runs_continue(m, NULL);
        return schedule_timers_restore(m, message);
}

/* --- org.hyper1.Schedule --------------------------------------------------------------------------- */

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        ScheduleRow *row = ((Manager *) userdata)->schedule;
        const char *s = streq(property, "Id")              ? row->id
                        : streq(property, "Name")          ? row->name
                        : streq(property, "Description")   ? row->description
                        : streq(property, "Schedule")      ? row->expression
                        : streq(property, "OverlapPolicy") ? schedule_overlap_to_string(row->overlap)
                        : streq(property, "LastJobId")     ? row->last_job_id
                        : streq(property, "LastStatus")    ? row->last_status
                                                           : row->spec;

        return sd_bus_message_append(reply, "s", strempty(s));
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        ScheduleRow *row = ((Manager *) userdata)->schedule;

        return sd_bus_message_append(reply, "t",
                        streq(property, "NextRunUSec")                   ? (uint64_t) row->next_at
                                        : streq(property, "LastRunUSec") ? (uint64_t) row->last_run_at
                                                                         : row->run_count);
}

static int get_boolean(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        ScheduleRow *row = ((Manager *) userdata)->schedule;

        return sd_bus_message_append(
                        reply, "b", (int) (streq(property, "Enabled") ? row->enabled : row->catch_up));
}

static int get_on_calendar(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        ScheduleRow *row = ((Manager *) userdata)->schedule;
        _cleanup_strv_free_ char **lines = NULL;
        int r = schedule_calendar(row, NULL, &lines);

        return r < 0 ? r : sd_bus_message_append_strv(reply, lines);
}

static int method_enable(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;

        return change_by_id(message, m, m->schedule->id, enable, error);
}

static int method_disable(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;

        return change_by_id(message, m, m->schedule->id, disable, error);
}

/* (The row goes away with what these do: its id is copied.) */
static int method_delete(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        _cleanup_free_ char *id = strdup(m->schedule->id);

        return id ? change_by_id(message, m, id, NULL, error) : -ENOMEM;
}

static int method_trigger(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        _cleanup_free_ char *id = strdup(m->schedule->id);

        return id ? trigger(message, m, id, false, error) : -ENOMEM;
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

const sd_bus_vtable schedule_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Enable", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_enable,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Disable", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_disable,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Trigger", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", job_id), method_trigger,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Delete", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_delete,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Id", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Name", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Description", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Schedule", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("OnCalendar", "as", get_on_calendar, 0, CHANGES),
        SD_BUS_PROPERTY("Enabled", "b", get_boolean, 0, CHANGES),
        SD_BUS_PROPERTY("OverlapPolicy", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("CatchUp", "b", get_boolean, 0, CHANGES),
        SD_BUS_PROPERTY("NextRunUSec", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("LastRunUSec", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("RunCount", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("LastJobId", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("LastStatus", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Job", "s", get_string, 0, CHANGES),
        SD_BUS_VTABLE_END,
};

/* The row is read for one call, and stays until the next: sd-bus keeps the pointer no longer than it handles
 * a message. It is read each time, since a job's end changes it, too. */
static int schedule_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                void **ret_found, sd_bus_error *error) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        _cleanup_free_ char *id = NULL;
        Manager *m = userdata;
        int r = sd_bus_path_decode(path, HYPER_SCHEDULE_PATH_PREFIX, &id);

        if (r <= 0 || !schedule_id_is_valid(id))
                return r < 0 ? r : 0;
        r = store_schedule_get(m->store, id, &row);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        schedule_row_free(m->schedule);
        m->schedule = TAKE_PTR(row);
        *ret_found = m;
        return 1;
}

/* For GetManagedObjects, and Introspect, which "busctl tree" asks. */
static int schedule_enumerate(
                sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
        _cleanup_strv_free_ char **ids = NULL, **nodes = NULL;
        Manager *m = userdata;
        size_t n = 0;
        int r = store_schedules_ids(m->store, true, &ids);

        if (r < 0)
                return r;
        nodes = new0(char *, strv_length(ids) + 1);
        if (!nodes)
                return -ENOMEM;
        STRV_FOREACH(id, ids) {
                nodes[n] = schedule_bus_path(*id);
                if (!nodes[n++])
                        return -ENOMEM;
        }
        *ret_nodes = TAKE_PTR(nodes);
        return 1;
}

int schedule_bus_register(Manager *m) {
        int r = sd_bus_add_fallback_vtable(m->bus, &m->object_slots[5], HYPER_SCHEDULE_PATH_PREFIX,
                        HYPER_SCHEDULE_INTERFACE, schedule_vtable, schedule_find, m);

        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(
                        m->bus, &m->object_slots[6], HYPER_SCHEDULE_PATH_PREFIX, schedule_enumerate, m);
}
