/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "api/access/request-submitter.h"
#include "api/http/reply.h"
#include "api/job-submit.h"
#include "basic/string-util.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "store/jobs.h"

int job_submit_append_secrets(sd_bus_message *m, json_t *secrets) {
        const char *key;
        json_t *value;
        int r;

        if (json_object_size(secrets) == 0)
                return 0;
        /* So that sd-bus wipes the message's memory when it is done with it. */
        r = sd_bus_message_sensitive(m);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "secrets");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "a{ss}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{ss}");
        json_object_foreach(secrets, key, value) {
                if (r < 0)
                        break;
                r = sd_bus_message_append(m, "{ss}", key, strempty(json_string_value(value)));
        }
        for (int i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_warnings(sd_bus_message *m, char **warnings) {
        int r;

        if (!warnings)
                return 0;
        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "warnings");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, warnings);
        for (int i = 0; i < 2 && r >= 0; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

/* The manager checks paths by it. Who may submit and is not admin is an operator. */
const char *job_submit_role(Request *request) {
        return role_to_string(request_role(request) == ROLE_ADMIN ? ROLE_ADMIN : ROLE_OPERATOR);
}

int job_submit_append_options(Request *request, sd_bus_message *m, const DialectJob *job,
                const char *dialect, bool any_worker) {
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}{sv}", "dialect", "s", dialect, "role", "s",
                                job_submit_role(request));
        if (r >= 0)
                r = request_append_submitter(request, m);
        if (r >= 0 && job)
                r = sd_bus_message_append(m, "{sv}", "request", "s", job->request_text);
        if (r >= 0 && any_worker)
                r = sd_bus_message_append(m, "{sv}", "any-worker", "b", 1);
        if (r >= 0 && job)
                r = append_warnings(m, job->warnings);
        if (r >= 0 && job)
                r = job_submit_append_secrets(m, job->spec->secrets);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int job_submit_sign(Request *request, const DialectJob *job) {
        const char *name = request_dialect(request)->tls ? request_user_name(request) : NULL;

        if (isempty(name))
                return 0;
        return json_path_set(job->spec->document, "audit_info.requested_by", json_string(name));
}

int job_submit_call_new(Request *request, const DialectJob *job, const char *dialect, bool any_worker,
                sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_free_ char *spec = NULL;
        int r = job_submit_sign(request, job);

        if (r < 0)
                return r;
        spec = json_dumps(job->spec->document, JSON_COMPACT);
        if (!spec)
                return -ENOMEM;
        r = manager_call_new(request, "SubmitJob", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", spec);
        if (r >= 0)
                r = job_submit_append_options(request, m, job, dialect, any_worker);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

int job_submit_reply_read(sd_bus_message *reply, const char **ret_id, bool *ret_created) {
        const char *id;
        int created, r;

        r = sd_bus_message_read(reply, "sob", &id, NULL, &created);
        if (r < 0)
                return r;
        *ret_id = id;
        *ret_created = created;
        return 0;
}

char *job_submit_error_text(const sd_bus_error *error, const FieldMap *map, json_t *origins) {
        _cleanup_(json_errors_done) JsonErrors fields = {}, named = {};

        if (isempty(error->message))
                return strdup(error_entry_by_bus_name(error->name)->text);
        if (bus_error_fields_read(error, &fields) < 0)
                return NULL;
        return dialect_errors_rename(map, origins, &fields, &named) < 0 ? NULL : json_errors_text(&named);
}

int job_find(Request *request, const char *id, JobRow **ret) {
        Store *store;
        int r;

        r = api_store(request_api(request), &store);
        if (r >= 0)
                r = store_job_get(store, id, ret);
        if (r == -ENOENT)
                (void) request_reply_error(request, 404, "Job %s not found", id);
        return r;
}
