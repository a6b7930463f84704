/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/job-view.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "spec/job-state.h"
#include "json/json-table.h"

static void history_free(JobView *v) {
        for (size_t i = 0; i < v->n_history; i++) {
                free(v->history[i].state);
                free(v->history[i].reason);
        }
        v->history = mfree(v->history);
        v->n_history = 0;
}

void job_view_done(JobView *v) {
        history_free(v);
        free(v->id);
        free(v->operation);
        free(v->spec);
        free(v->unit);
        free(v->state);
        free(v->reason);
        free(v->phase);
        free(v->result);
        free(v->warm);
        free(v->submitter);
        *v = (JobView){};
}

/* Properties that are one value, by their type on the bus. */
static const struct {
        const char *name;
        char type;
        size_t offset;
} properties[] = {
        { "Id", 's', offsetof(JobView, id) },
        { "Operation", 's', offsetof(JobView, operation) },
        { "Spec", 's', offsetof(JobView, spec) },
        { "Unit", 's', offsetof(JobView, unit) },
        { "State", 's', offsetof(JobView, state) },
        { "Reason", 's', offsetof(JobView, reason) },
        { "Phase", 's', offsetof(JobView, phase) },
        { "Result", 's', offsetof(JobView, result) },
        { "Warm", 's', offsetof(JobView, warm) },
        { "Submitter", 's', offsetof(JobView, submitter) },
        { "Priority", 'u', offsetof(JobView, priority) },
        { "Attempt", 'u', offsetof(JobView, attempt) },
        { "Percent", 'd', offsetof(JobView, percent) },
        { "BytesDone", 't', offsetof(JobView, done) },
        { "BytesTotal", 't', offsetof(JobView, total) },
        { "Rate", 't', offsetof(JobView, rate) },
        { "RemainingUSec", 't', offsetof(JobView, remaining) },
        { "CreatedUSec", 't', offsetof(JobView, created) },
        { "StartedUSec", 't', offsetof(JobView, started) },
        { "FinishedUSec", 't', offsetof(JobView, finished) },
};

static int read_basic(JobView *v, sd_bus_message *m, char type, size_t offset) {
        const char signature[] = { type, 0 };
        void *field = (char *) v + offset;
        const char *s;
        int r;

        r = sd_bus_message_enter_container(m, 'v', signature);
        if (r < 0)
                return r;
        if (type == 's') {
                r = sd_bus_message_read_basic(m, 's', &s);
                if (r >= 0)
                        r = free_and_strdup(field, s);
        } else
                r = sd_bus_message_read_basic(m, type, field);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_history(JobView *v, sd_bus_message *m) {
        const char *state, *reason;
        size_t allocated = 0;
        uint64_t when;
        int r;

        history_free(v);
        r = sd_bus_message_enter_container(m, 'v', "a(sts)");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "(sts)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(sts)", &state, &when, &reason)) > 0) {
                if (!GREEDY_REALLOC(v->history, allocated, v->n_history + 1))
                        return -ENOMEM;
                v->history[v->n_history++] = (StateChange){
                        .state = strdup(state), .reason = strdup(reason), .when = when
                };
                if (!v->history[v->n_history - 1].state || !v->history[v->n_history - 1].reason)
                        return -ENOMEM;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_property(JobView *v, sd_bus_message *m, const char *name) {
        if (streq(name, "StateHistory"))
                return read_history(v, m);
        for (size_t i = 0; i < ELEMENTSOF(properties); i++)
                if (streq(properties[i].name, name))
                        return read_basic(v, m, properties[i].type, properties[i].offset);
        return sd_bus_message_skip(m, "v");
}

int job_view_read(JobView *v, sd_bus_message *m) {
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read_basic(m, 's', &name);
                if (r >= 0)
                        r = read_property(v, m, name);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int job_view_find(Ctl *ctl, sd_bus *bus, const char *id, char **ret_path, json_t **ret_details) {
        _cleanup_free_ char *what = strprintf("Looking for job %s", id), *copy = NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *path, *details;
        int status, r;

        if (!what)
                return log_oom(), EXIT_OTHER;
        status = client_call(ctl, bus, &reply, what, "GetJob", "s", id);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "os", &path, &details);
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        copy = strdup(path);
        if (!copy)
                return log_oom(), EXIT_OTHER;
        if (ret_details) {
                json_t *value = json_loads(details, 0, NULL);

                if (!value) {
                        log_error("%s failed: the answer is not JSON.", what);
                        return EXIT_OTHER;
                }
                *ret_details = value;
        }
        *ret_path = TAKE_PTR(copy);
        return EXIT_OK;
}

int job_view_fetch(Ctl *ctl, sd_bus *bus, const char *id, const char *path, JobView *v) {
        _cleanup_free_ char *what = strprintf("Asking about job %s", id);
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r;

        if (!what)
                return log_oom(), EXIT_OTHER;
        r = sd_bus_call_method(bus, HYPER_BUS_NAME, path, "org.freedesktop.DBus.Properties", "GetAll",
                        &error, &reply, "s", HYPER_JOB_INTERFACE);
        if (r < 0)
                return client_failure(ctl, &error, r, what);
        r = job_view_read(v, reply);
        return r < 0 ? client_failure(ctl, NULL, r, what) : EXIT_OK;
}

int job_view_exit_status(const JobView *v) {
        switch (v->state ? job_state_from_string(v->state) : _JOB_STATE_INVALID) {
        case JOB_FAILED:
                return EXIT_JOB_FAILED;
        case JOB_CANCELLED:
                return EXIT_JOB_CANCELLED;
        default:
                return EXIT_OK;
        }
}

bool job_view_has_ended(const JobView *v) {
        return v->state && job_state_from_string(v->state) >= 0 &&
                        job_state_is_terminal(job_state_from_string(v->state));
}
