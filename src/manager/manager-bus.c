/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.hyper1.Manager: the object /org/hyper1. */

#include "manager/manager-bus.h"

#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/file/chunk-bus.h"
#include "manager/file/deploy-bus.h"
#include "manager/file/destination.h"
#include "manager/file/file-bus.h"
#include "manager/file/source-inspect.h"
#include "manager/file/upload-bus.h"
#include "manager/job-cancel.h"
#include "manager/job-json.h"
#include "manager/job-log.h"
#include "manager/job-retry.h"
#include "manager/key-bus.h"
#include "manager/key.h"
#include "manager/managed-objects.h"
#include "manager/manager-reload.h"
#include "manager/schedule/schedule-bus.h"
#include "manager/session-bus.h"
#include "manager/source-bus.h"
#include "manager/submit-caller.h"
#include "manager/submit-options.h"
#include "manager/submit.h"
#include "manager/webhook/webhook-bus.h"
#include "manager/webhook/webhook.h"
#include "manager/worker/worker-bus.h"
#include "manager/worker/workers-list.h"
#include "shared/bus-fields.h"
#include "shared/bus-options.h"
#include "shared/error-table.h"
#include "spec/job-spec.h"
#include "spec/submitter.h"
#include "spec/warm-state.h"
#include "store/jobs-list.h"
#include "store/jobs.h"

#define LIST_LIMIT_DEFAULT 100u
#define LIST_LIMIT_MAX 1000u

static const char manage_jobs[] = "org.hyper1.manage-jobs";

/* --- SubmitJob ------------------------------------------------------------------------------------- */

/* The call waits for this. */
static void on_submitted(Manager *m, int r, const char *id, bool created, const JsonErrors *fields,
                sd_bus_error *error, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = userdata;
        _cleanup_free_ char *path = NULL;

        if (r >= 0) {
                path = job_bus_path(id);
                r = path ? sd_bus_reply_method_return(call, "sob", id, path, (int) created) : -ENOMEM;
        }
        if (r < 0)
                r = bus_reply_fields_error(call, r, error, fields);
        if (r < 0)
                log_warning_errno(r, "Failed to answer a client that has submitted a job: %m");
}

static int method_submit_job(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(submit_options_done) SubmitOptions options = {};
        _cleanup_(json_errors_done) JsonErrors fields = {};
        const char *spec;
        Manager *m = userdata;
        int r = bus_verify_polkit(message, manage_jobs, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &spec);
        if (r >= 0)
                r = submit_options_of_call(&m->callers, message, &options, error);
        if (r >= 0)
                r = submit_caller_find(m, message, &options, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = manager_submit(m, spec, &options, on_submitted, sd_bus_message_ref(message), &fields, error);
        if (r >= 0)
                return 1;
        sd_bus_message_unref(message);
        return bus_reply_fields_error(message, r, error, &fields);
}

/* --- GetJob ---------------------------------------------------------------------------------------- */

static int method_get_job(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *details = NULL, *path = NULL;
        Manager *m = userdata;
        const char *id;
        int r = sd_bus_message_read(message, "s", &id);

        if (r < 0)
                return r;
        r = job_id_is_valid(id) ? job_details(m->store, id, &details) : -ENOENT;
        if (r == -ENOENT)
                return no_such_job(error, id);
        if (r < 0)
                return r;
        path = job_bus_path(id);
        return path ? sd_bus_reply_method_return(message, "os", path, details) : -ENOMEM;
}

/* --- ListJobs -------------------------------------------------------------------------------------- */

typedef struct ListFilter {
        JobFilter filter;
        char **ids;
} ListFilter;

static void list_filter_done(ListFilter *f) {
        strv_free(f->ids);
}

static int read_states(sd_bus_message *m, JobFilter *filter, sd_bus_error *error) {
        _cleanup_strv_free_ char **states = NULL;
        int r = sd_bus_message_read_strv(m, &states);

        if (r < 0)
                return r;
        /* An empty list asks for jobs in no state; the store's mask has no way to say that. */
        if (strv_length(states) == 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "states: must name at least one state");
        STRV_FOREACH(s, states) {
                JobState state = job_state_from_string(*s);

                if (state < 0)
                        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                        "states: must be of CREATED, VALIDATED, QUEUED, ASSIGNED, RUNNING, "
                                        "RETRYING, COMPLETED, FAILED, CANCELLED");
                filter->states |= 1u << state;
        }
        return 0;
}

static int read_order(sd_bus_message *m, JobFilter *filter, sd_bus_error *error) {
        static const struct {
                const char *name;
                JobOrder order;
        } orders[] = { { "newest", JOB_ORDER_NEWEST }, { "oldest", JOB_ORDER_OLDEST },
                { "queue", JOB_ORDER_QUEUE } };
        const char *s;
        int r = sd_bus_message_read(m, "s", &s);

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(orders); i++)
                if (streq(s, orders[i].name)) {
                        filter->order = orders[i].order;
                        return 0;
                }
        return r < 0 ? r
                     : bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                       "order: must be newest, oldest or queue");
}

static int read_limit(sd_bus_message *m, JobFilter *filter, sd_bus_error *error) {
        int r = sd_bus_message_read(m, "t", &filter->limit);

        if (r >= 0 && (filter->limit < 1 || filter->limit > LIST_LIMIT_MAX))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "limit: must be 1 to %u",
                                LIST_LIMIT_MAX);
        return r;
}

static int read_filter_entry(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error) {
        ListFilter *f = userdata;
        int r;

        if (streq(key, "states"))
                return read_states(m, &f->filter, error);
        if (streq(key, "order"))
                return read_order(m, &f->filter, error);
        if (streq(key, "limit"))
                return read_limit(m, &f->filter, error);
        if (streq(key, "offset"))
                return sd_bus_message_read(m, "t", &f->filter.offset);
        f->ids = strv_free(f->ids);
        r = sd_bus_message_read_strv(m, &f->ids);
        return r < 0 || f->ids || (f->ids = new0(char *, 1)) ? r : -ENOMEM;
}

static const BusOptions list_filter = {
        .options = (const BusOption[]){ { "states", "as" }, { "ids", "as" }, { "order", "s" },
                        { "offset", "t" }, { "limit", "t" }, {} },
        .prefix = "",
        .what = "filter",
        .read = read_filter_entry,
};

static int read_filter(sd_bus_message *m, ListFilter *f, sd_bus_error *error) {
        f->filter.limit = LIST_LIMIT_DEFAULT;
        int r = bus_read_options(m, &list_filter, f, error);
        f->filter.ids = f->ids;
        return r;
}

/* Of a warm job, what it does between its passes, too. */
static const char *phase_of(const JobRow *row) {
        const char *phase = NULL;
        WarmState warm;

        if (row->warm && warm_state_decode(row->warm, &warm) >= 0)
                phase = warm_phase(&warm, row->state, row->phase, row->due_at);
        return phase ? phase : job_phase_to_string(row->phase);
}

/* Why it is in its state, or for what it waits. */
static char *waits_text(const JobRow *row) {
        _cleanup_free_ char *names = row->waits_for ? strdup(row->waits_for) : NULL;

        if (!row->waits_for)
                return strdup(strempty(row->reason));
        for (char *p = names; p && (p = strchr(p, '\n'));)
                *p = ',';
        return names ? strprintf("Waits for %s", names) : NULL;
}

static int append_row(sd_bus_message *reply, const JobRow *row) {
        _cleanup_free_ char *path = job_bus_path(row->id), *submitter = submitter_name_of(row->submitter),
                            *waits = waits_text(row);

        if (!path || !submitter || !waits)
                return -ENOMEM;
        return sd_bus_message_append(reply, "(sosssdttsttts)", row->id, path, row->operation,
                        job_state_to_string(row->state), strempty(phase_of(row)),
                        row->percent < 0 ? -1.0 : row->percent, (uint64_t) row->created_at,
                        (uint64_t) row->finished_at, waits, row->rate, job_remaining_usec(row),
                        row->bytes_total, submitter);
}

static int method_list_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(list_filter_done) ListFilter f = {};
        _cleanup_(job_rows_done) JobRows rows = {};
        Manager *m = userdata;
        int r = read_filter(message, &f, error);

        if (r >= 0)
                r = store_jobs_list(m->store, &f.filter, &rows);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "t", rows.total);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sosssdttsttts)");
        for (size_t i = 0; r >= 0 && i < rows.n; i++)
                r = append_row(reply, rows.rows[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* --- the others ------------------------------------------------------------------------------------ */

static int method_cancel_job(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        const char *id;
        int r = bus_verify_polkit(message, manage_jobs, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &id);
        if (r >= 0)
                r = manager_cancel_job(m, id, error);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int method_retry_job(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(submit_options_done) SubmitOptions options = {};
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_free_ char *path = NULL;
        Manager *m = userdata;
        const char *id;
        int r = bus_verify_polkit(message, manage_jobs, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &id);
        if (r >= 0)
                r = submit_options_of_call(&m->callers, message, &options, error);
        if (r >= 0)
                r = manager_retry_job(m, id, &options, &fields, error);
        if (r < 0)
                return bus_reply_fields_error(message, r, error, &fields);
        path = job_bus_path(id);
        return path ? sd_bus_reply_method_return(message, "o", path) : -ENOMEM;
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *why = NULL;
        Manager *m = userdata;
        int r = bus_verify_polkit(message, manage_jobs, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = manager_reload(m, &why);
        if (r < 0 && why)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "%s", why);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int method_get_config(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        _cleanup_json_ json_t *config = settings_to_json(m->settings);
        _cleanup_free_ char *text = config ? json_dumps(config, JSON_COMPACT) : NULL;

        return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
}

static int get_max_running(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;

        return sd_bus_message_append(reply, "u", (uint32_t) m->settings->jobs.max_running);
}

static int get_restart_needed(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;

        return sd_bus_message_append_strv(reply, m->settings->restart_needed);
}

static int get_jobs(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        uint64_t counts[_JOB_STATE_MAX];
        Manager *m = userdata;
        int r = store_jobs_count(m->store, counts);

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{st}");
        for (JobState s = 0; r >= 0 && s < _JOB_STATE_MAX; s++)
                r = sd_bus_message_append(reply, "{st}", job_state_to_string(s), counts[s]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Reads are for everybody on this machine, changes for whom polkit allows them. */
const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("SubmitJob", SD_BUS_ARGS("s", spec, "a{sv}", options),
                        SD_BUS_RESULT("s", id, "o", job, "b", created), method_submit_job,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("GetJob", SD_BUS_ARGS("s", id), SD_BUS_RESULT("o", job, "s", details),
                        method_get_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_ARGS("a{sv}", filter),
                        SD_BUS_RESULT("t", total, "a(sosssdttsttts)", jobs), method_list_jobs,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetJobLog", SD_BUS_ARGS("s", id, "a{sv}", options),
                        SD_BUS_RESULT("s", entries, "s", next), method_get_job_log,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("InspectSource", SD_BUS_ARGS("s", source, "a{sv}", options),
                        SD_BUS_RESULT("s", inspection), method_inspect_source,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("InspectDestination",
                        SD_BUS_ARGS("s", destination, "t", size, "a{sv}", options),
                        SD_BUS_RESULT("s", inspection), method_inspect_destination,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CancelJob", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT, method_cancel_job,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RetryJob", SD_BUS_ARGS("s", id, "a{sv}", options), SD_BUS_RESULT("o", job),
                        method_retry_job, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("AddWebhook", SD_BUS_ARGS("s", definition, "a{sv}", options),
                        SD_BUS_RESULT("u", index), method_add_webhook,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("RemoveWebhook", SD_BUS_ARGS("u", index), SD_BUS_NO_RESULT,
                        method_remove_webhook, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListWebhooks", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", webhooks),
                        method_list_webhooks, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("TestWebhook", SD_BUS_ARGS("s", test), SD_BUS_RESULT("s", result),
                        method_test_webhook, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListDeliveries", SD_BUS_ARGS("u", index, "a{sv}", options),
                        SD_BUS_RESULT("s", deliveries), method_list_deliveries, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateSchedule", SD_BUS_ARGS("s", definition, "a{sv}", options),
                        SD_BUS_RESULT("s", id, "o", schedule), method_create_schedule,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("UpdateSchedule", SD_BUS_ARGS("s", id, "s", changes, "a{sv}", options),
                        SD_BUS_NO_RESULT, method_update_schedule,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("DeleteSchedule", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
                        method_delete_schedule, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("EnableSchedule", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
                        method_enable_schedule, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DisableSchedule", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
                        method_disable_schedule, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("TriggerSchedule", SD_BUS_ARGS("s", id, "a{sv}", options),
                        SD_BUS_RESULT("s", job_id), method_trigger_schedule, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetSchedule", SD_BUS_ARGS("s", id),
                        SD_BUS_RESULT("o", schedule, "s", details), method_get_schedule,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListSchedules", SD_BUS_ARGS("t", offset, "t", limit),
                        SD_BUS_RESULT("t", total, "a(sossbtttss)", schedules), method_list_schedules,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RestoreSchedules", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                        method_restore_schedules, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RegisterWorker", SD_BUS_ARGS("s", worker), SD_BUS_RESULT("b", created),
                        method_register_worker, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("UnregisterWorker", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
                        method_unregister_worker, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Heartbeat", SD_BUS_ARGS("s", id),
                        SD_BUS_RESULT("as", jobs, "as", cancelled), method_heartbeat,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetWorker", SD_BUS_ARGS("s", id), SD_BUS_RESULT("s", worker),
                        method_get_worker, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListWorkers", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", workers),
                        method_list_workers, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Dequeue", SD_BUS_ARGS("s", worker), SD_BUS_RESULT("b", found, "s", spec),
                        method_dequeue, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ReportEvents", SD_BUS_ARGS("s", job, "s", worker, "s", events),
                        SD_BUS_NO_RESULT, method_report_events, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ReportResult", SD_BUS_ARGS("s", job, "s", worker, "s", result),
                        SD_BUS_NO_RESULT, method_report_result, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListLimits", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(suu)", limits),
                        method_list_limits, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("QueueStatus", SD_BUS_NO_ARGS,
                        SD_BUS_RESULT("t", total, "a{ut}", by_priority), method_queue_status,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("AddKey", SD_BUS_ARGS("s", definition), SD_BUS_RESULT("s", id, "s", key),
                        method_add_key, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("RemoveKey", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT, method_remove_key,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListKeys", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", keys), method_list_keys,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("AddSource", SD_BUS_ARGS("s", definition, "s", password), SD_BUS_NO_RESULT,
                        method_add_source, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("RemoveSource", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
                        method_remove_source, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListSources", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", sources),
                        method_list_sources, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListSessions", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", sessions),
                        method_list_sessions, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("EndSession", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT, method_end_session,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DeployVm", SD_BUS_ARGS("s", definition), SD_BUS_RESULT("s", vm),
                        method_deploy_vm, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("OpenFile", SD_BUS_ARGS("s", path), SD_BUS_RESULT("h", file),
                        method_open_file, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListFiles", SD_BUS_ARGS("s", path),
                        SD_BUS_RESULT("b", root, "a(sbtt)", entries), method_list_files,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateUpload", SD_BUS_ARGS("s", definition, "s", owner),
                        SD_BUS_RESULT("s", upload), method_create_upload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetUpload", SD_BUS_ARGS("s", id, "s", owner), SD_BUS_RESULT("s", upload),
                        method_get_upload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("BeginChunk", SD_BUS_ARGS("s", id, "s", owner, "t", index),
                        SD_BUS_RESULT("h", file, "t", offset, "t", length), method_begin_chunk,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("EndChunk", SD_BUS_ARGS("s", id, "t", index, "b", written),
                        SD_BUS_RESULT("s", upload), method_end_chunk, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CompleteUpload", SD_BUS_ARGS("s", id, "s", owner, "s", sha256),
                        SD_BUS_RESULT("s", upload), method_complete_upload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DeleteUpload", SD_BUS_ARGS("s", id, "s", owner), SD_BUS_NO_RESULT,
                        method_delete_upload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetConfig", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", config), method_get_config,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("JobNew", SD_BUS_ARGS("s", id, "o", job), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobStateChanged",
                        SD_BUS_ARGS("s", id, "o", job, "s", old_state, "s", new_state, "s", reason), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobReady", SD_BUS_ARGS("s", id), 0),
        SD_BUS_SIGNAL_WITH_ARGS("ScheduleNew", SD_BUS_ARGS("s", id, "o", schedule), 0),
        SD_BUS_SIGNAL_WITH_ARGS("ScheduleChanged", SD_BUS_ARGS("s", id, "o", schedule), 0),
        SD_BUS_SIGNAL_WITH_ARGS("ScheduleRemoved", SD_BUS_ARGS("s", id, "o", schedule), 0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("MaxRunning", "u", get_max_running, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("RestartNeeded", "as", get_restart_needed, 0, 0),
        SD_BUS_PROPERTY("Jobs", "a{st}", get_jobs, 0, 0),
        SD_BUS_VTABLE_END,
};

int manager_bus_register(Manager *m) {
        int r = sd_bus_add_object_vtable(m->bus, &m->object_slots[0], HYPER_BUS_PATH,
                        HYPER_MANAGER_INTERFACE, manager_vtable, m);

        if (r >= 0)
                r = sd_bus_add_object_manager(m->bus, &m->object_slots[1], HYPER_BUS_PATH);
        return r < 0 ? r : managed_objects_register(m);
}
