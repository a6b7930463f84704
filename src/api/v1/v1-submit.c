/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-submit.h"

#include <inttypes.h>
#include <sys/random.h>

#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-submit.h"
#include "api/v1/v1-job-decode.h"
#include "api/v1/v1-job-json.h"
#include "api/v1/v1-jobs.h"
#include "basic/string-util.h"
#include "shared/error-table.h"
#include "store/sources.h"
#include "store/uploads.h"

const Reply v1_submit_replies[] = {
        REPLY_OBJECT(201, "The new job; Location is its path.", v1_job_schema),
        REPLY_OBJECT(200, "The job, which was submitted before with this ID.", v1_job_schema),
        {},
};

/* --- what a job refers to -------------------------------------------------------------------------- */

typedef struct Found {
        char *source_name, *upload_path;
} Found;

static void found_done(Found *f) {
        free(f->source_name);
        free(f->upload_path);
}

static char *names_of(const SourceRows *rows) {
        _cleanup_strv_free_ char **names = NULL;

        for (size_t i = 0; i < rows->n; i++)
                if (strv_extend(&names, rows->rows[i].name) < 0)
                        return NULL;
        return strv_join(names, ", ");
}

static const SourceRow *find_source(const SourceRows *rows, const char *name) {
        for (size_t i = 0; i < rows->n; i++)
                if (streq(rows->rows[i].name, name))
                        return &rows->rows[i];
        return NULL;
}

/* Without a provider_id there must be one provider of this type, and with one there must be that one. */
static int find_provider(Store *store, json_t *object, Found *found, JsonErrors *errors) {
        const char *id = json_string_value(json_object_get(object, "provider_id"));
        _cleanup_(source_rows_done) SourceRows rows = {};
        _cleanup_free_ char *names = NULL;
        int r;

        if (!id && !v1_job_needs_source(object))
                return 0;
        r = store_sources_list(store, &rows);
        if (r < 0)
                return r;
        names = names_of(&rows);
        if (!names)
                return -ENOMEM;
        if (rows.n == 0)
                return json_errors_add(errors, "provider",
                                "must not be vsphere: no vCenter or ESXi host is connected");
        if (id)
                return find_source(&rows, id)
                                ? 0
                                : json_errors_add(errors, "provider_id", "must be one of %s", names);
        if (rows.n > 1)
                return json_errors_add(errors, "provider_id", "must be given, one of %s", names);
        return free_and_strdup(&found->source_name, rows.rows[0].name);
}

/* Those of others do not exist here. */
static int find_upload(Request *r, Store *store, json_t *object, Found *found, JsonErrors *errors) {
        json_t *value = json_object_get(object, "upload_id");
        const char *id = json_string_value(value);
        _cleanup_(upload_row_freep) UploadRow *row = NULL;
        char owner[REQUEST_OWNER_SIZE];
        int k;

        if (!value || json_is_null(value))
                return 0;
        k = id ? store_upload_get(store, id, &row) : -ENOENT;
        if (k == -ENOENT ||
                        (k >= 0 && request_role(r) != ROLE_ADMIN &&
                                        !streq(row->owner, request_owner(r, owner))))
                return json_errors_add(errors, "upload_id", "must be the ID of an upload");
        if (k < 0)
                return k;
        if (row->state != UPLOAD_COMPLETED || isempty(row->path))
                return json_errors_add(errors, "upload_id",
                                "must be the ID of an upload that is completed (POST /upload/complete)");
        return free_and_strdup(&found->upload_path, row->path);
}

static int find_all(Request *r, json_t *object, Found *found, JsonErrors *errors) {
        Store *store = NULL;
        int k = api_store(request_api(r), &store);

        if (k == -ENOENT) { /* no database yet: there is nothing to refer to */
                k = v1_job_needs_source(object) ? json_errors_add(errors, "provider",
                                                                  "must not be vsphere: no vCenter or ESXi "
                                                                  "host is connected")
                                                : 0;
                return k;
        }
        if (k >= 0)
                k = find_provider(store, object, found, errors);
        return k < 0 ? k : find_upload(r, store, object, found, errors);
}

int v1_job_read(Request *r, json_t *object, bool is_template, DialectJob *ret, JsonErrors *errors) {
        _cleanup_(found_done) Found found = {};
        int k = find_all(r, object, &found, errors);

        if (k < 0)
                return k;
        if (errors->n_errors > 0)
                return -EBADMSG;
        const V1JobContext context = { .source_name = found.source_name,
                .upload_path = found.upload_path,
                .is_template = is_template };
        k = v1_job_decode(object, &context, ret, errors);
        return k < 0 ? k : job_submit_sign(r, ret);
}

/* --- errors ---------------------------------------------------------------------------------------- */

int v1_reply_field_errors(Request *r, const JsonErrors *errors) {
        _cleanup_free_ char *text = json_errors_text(errors);

        return text ? request_reply_error(r, MHD_HTTP_BAD_REQUEST, "%s", text) : -ENOMEM;
}

int v1_reply_submit_error(Request *r, const sd_bus_error *error, const char *text) {
        unsigned status = sd_bus_error_has_name(error, HYPER_BUS_ERROR_PATH_REFUSED)
                        ? MHD_HTTP_FORBIDDEN
                        : (unsigned) error_entry_by_bus_name(error->name)->http_status;

        return text ? request_reply_error(r, status, "%s", text) : -ENOMEM;
}

/* --- the request ----------------------------------------------------------------------------------- */

static void origins_free(void *userdata) {
        json_decref(userdata);
}

static int on_submitted(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        _cleanup_free_ char *text = NULL, *location = NULL;
        const char *id;
        bool created;
        int k;

        if (error) {
                text = job_submit_error_text(error, v1_job_fields, request_userdata(r));
                return v1_reply_submit_error(r, error, text);
        }
        k = job_submit_reply_read(m, &id, &created);
        if (k < 0)
                return k;
        location = strprintf("/api/v1/jobs/%s", id);
        k = location ? request_add_header(r, MHD_HTTP_HEADER_LOCATION, location) : -ENOMEM;
        return k < 0 ? k : v1_reply_job(r, created ? MHD_HTTP_CREATED : MHD_HTTP_OK, id);
}

/* "job-" and 12 hexadecimal digits, unless the client has given another one. */
static int name_job(DialectJob *job) {
        _cleanup_free_ char *id = NULL;
        uint64_t random = 0;

        if (job->spec->job_id)
                return 0;
        if (getrandom(&random, sizeof(random), 0) < 0)
                return -errno;
        id = strprintf("job-%012" PRIx64, random >> 16);
        return id ? job_spec_set_id(job->spec, id) : -ENOMEM;
}

static int submit(Request *r, const char *type) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_json_ json_t *body = NULL;
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        if (type && !json_object_get(body, "type") &&
                        json_object_set_new(body, "type", json_string(type)) < 0)
                return -ENOMEM;
        k = v1_job_read(r, body, false, &job, &errors);
        if (k == -EBADMSG)
                return v1_reply_field_errors(r, &errors);
        if (k >= 0)
                k = name_job(&job);
        if (k >= 0)
                k = job_submit_call_new(r, &job, V1_DIALECT, false, &m);
        if (k < 0)
                return k;
        request_set_userdata(r, json_incref(job.origins), origins_free);
        return manager_call(r, m, on_submitted, NULL);
}

int v1_submit_job(Request *r) {
        return submit(r, NULL);
}

int v1_submit_conversion(Request *r) {
        return submit(r, "convert");
}
