/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-provider-connect.h"

#include "api/bus-client.h"
#include "api/hosts/hosts-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/hypersdk/hypersdk-reply.h"
#include "api/reading.h"
#include "api/v1/v1-connect.h"
#include "api/v1/v1-gather.h"
#include "api/v1/v1-json.h"
#include "basic/string-util.h"
#include "shared/error-table.h"
#include "store/jobs-page.h"
#include "json/json-table.h"

#define JOBS_STEP 200u

static const SchemaField connect_fields[] = {
        { "provider", SCHEMA_STRING, .description = "vsphere or libvirt; also \"type\"." },
        { "id", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "1 to 32 of a-z, 0-9 and -. By default the type and a number." },
        { "endpoint", SCHEMA_STRING,
                        .description = "vSphere: a host, host:port or https URL; libvirt: a URI, or a host "
                                       "that is reached over ssh." },
        { "username", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        { "password", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "Required for vSphere." },
        { "datacenter", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "Where VMs are looked for first." },
        { "fingerprint", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "SHA-256 of the certificate." },
        { "ca_certificate", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "In PEM form." },
        { "insecure", SCHEMA_BOOLEAN, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "Trust the certificate that the server shows now, and no other from then on." },
        { "save", SCHEMA_BOOLEAN, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "False: only try." },
        {},
};
const Schema v1_connect_body = { .name = "ConnectProvider", .fields = connect_fields };
const Reply v1_connect_replies[] = {
        REPLY_OBJECT(201, "It is connected.", v1_provider_schema),
        REPLY_OBJECT(200, "It has replaced the one of this ID.", v1_provider_schema),
        {},
};

static const SchemaField test_fields[] = { { "connected", SCHEMA_BOOLEAN }, { "version", SCHEMA_STRING },
        { "message", SCHEMA_STRING }, {} };
static const Schema test_schema = { .name = "TestedProvider", .fields = test_fields };
const Reply v1_test_replies[] = { REPLY_OBJECT(200, "It can be connected.", test_schema), {} };

static const SchemaField removed_fields[] = { { "id", SCHEMA_STRING }, { "message", SCHEMA_STRING }, {} };
static const Schema removed_schema = { .name = "RemovedProvider", .fields = removed_fields };
const Reply v1_removed_replies[] = { REPLY_OBJECT(200, "It is removed.", removed_schema), {} };

typedef struct ConnectRequest {
        V1Connect body;
        bool replaces, trusts; /* a provider of this ID; the certificate that was shown */
        char *version;
} ConnectRequest;

static void connect_request_free(void *userdata) {
        ConnectRequest *q = userdata;

        v1_connect_done(&q->body);
        free(q->version);
        free(q);
}

/* --- the ID ---------------------------------------------------------------------------------------- */

static const V1Provider *find(const V1Providers *all, const char *id) {
        for (size_t i = 0; i < all->n; i++)
                if (streq(all->list[i]->id, id))
                        return all->list[i];
        return NULL;
}

/* The ID of the body, or the first free one of this type. */
static int choose_id(Request *r, ConnectRequest *q) {
        const char *type = v1_provider_type_to_string(q->body.type);
        const V1Providers *all;
        const V1Provider *p;
        int k = v1_providers_get(r, &all);

        if (k < 0)
                return k;
        for (unsigned n = 1; !q->body.id; n++) {
                char *id = strprintf("%s-%u", type, n);

                if (!id)
                        return -ENOMEM;
                if (find(all, id))
                        free(id);
                else
                        q->body.id = id;
        }
        p = find(all, q->body.id);
        q->replaces = p;
        if (!p || (p->type == q->body.type && p->type == V1_PROVIDER_VSPHERE))
                return 0;
        (void) request_reply_error(r, 409,
                        "id: provider %s exists already. Remove it first, or choose another ID.",
                        q->body.id);
        return -EEXIST;
}

/* --- vSphere --------------------------------------------------------------------------------------- */

static int reply_item(Request *r, const char *id, unsigned status, const char *version) {
        const V1Providers *all;
        int k = v1_providers_get(r, &all);

        for (size_t i = 0; k >= 0 && i < all->n; i++) {
                V1Provider *p = all->list[i];

                if (!streq(p->id, id))
                        continue;
                k = v1_provider_note(p, NULL, 0);
                if (k >= 0 && version)
                        k = free_and_strdup(&p->version, version);
                return k < 0 ? k : request_reply_json(r, status, v1_provider_json(p));
        }
        return k < 0 ? k : -ENOENT;
}

static int on_added(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const ConnectRequest *q = request_userdata(r);

        if (error)
                return request_reply_bus_error(r, error);
        return reply_item(r, q->body.id, q->replaces ? 200 : 201, q->version);
}

/* The password goes beside the definition, where the bus does not show it. */
static int add_source(Request *r, ConnectRequest *q) {
        const V1Connect *c = &q->body;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *definition = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:b}", "name",
                        c->id, "vcenter_url", c->endpoint, "username", c->username, "datacenter",
                        c->datacenter, "ca", c->ca, "thumbprint", c->fingerprint, "replace", q->replaces);
        _cleanup_free_ char *text = definition ? json_dumps(definition, JSON_COMPACT) : NULL;
        int k = text ? manager_call_new(r, "AddSource", &m) : -ENOMEM;

        if (k >= 0)
                k = sd_bus_message_sensitive(m);
        if (k >= 0)
                k = sd_bus_message_append(m, "ss", text, c->password);
        return k < 0 ? k : manager_call(r, m, on_added, NULL);
}

/* 400 with the fingerprint that is to be sent back after a look at it. */
static int reply_fingerprint(Request *r, const char *message, char *fingerprint) {
        _cleanup_json_ json_t *reply = v1_error_json(400, message, now_realtime());

        if (!reply || json_object_set_new(reply, "fingerprint", json_string(fingerprint)) < 0)
                return -ENOMEM;
        return request_reply_json(r, 400, TAKE_PTR(reply));
}

static int try_source(Request *r, ConnectRequest *q);

static int on_refused(Request *r, ConnectRequest *q, const sd_bus_error *error) {
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY))
                return request_reply_error(r, 504, "The server did not answer within 20 s.");
        if (!sd_bus_error_has_name(error, HYPER_BUS_ERROR_CERTIFICATE_REFUSED))
                return request_reply_bus_error(r, error);
        _cleanup_free_ char *fingerprint = v1_fingerprint_in(strempty(error->message));
        if (!fingerprint)
                return request_reply_bus_error(r, error);
        if (!q->body.insecure || q->trusts)
                return reply_fingerprint(r, error->message, fingerprint);
        q->trusts = true;
        free(q->body.fingerprint);
        q->body.fingerprint = TAKE_PTR(fingerprint);
        q->body.ca = mfree(q->body.ca);
        return try_source(r, q);
}

static int on_tried(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        ConnectRequest *q = request_userdata(r);
        _cleanup_json_ json_t *server = NULL;
        const char *version;
        int k;

        if (error)
                return on_refused(r, q, error);
        k = hypersdk_read_object(m, &server);
        if (k < 0)
                return k;
        version = json_string_value(json_object_get(server, "version"));
        k = free_and_strdup(&q->version, version);
        if (k < 0)
                return k;
        if (!q->body.only_try)
                return add_source(r, q);
        return request_reply_json(r, 200,
                        json_pack("{s:b, s:s?, s:s}", "connected", 1, "version", version, "message",
                                        "It can be connected."));
}

static int try_source(Request *r, ConnectRequest *q) {
        const V1Connect *c = &q->body;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *source = json_pack("{s:s, s:s, s:s}", "vcenter_url", c->endpoint, "username",
                        c->username, "password", c->password);
        const struct {
                const char *key, *value;
        } more[] = { { "datacenter", c->datacenter }, { "ca", c->ca }, { "thumbprint", c->fingerprint } };
        char *text;
        int k = source ? vsphere_call_new(r, "TestSource", &m) : -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(more) && k >= 0; i++)
                if (more[i].value &&
                                json_object_set_new(source, more[i].key, json_string(more[i].value)) < 0)
                        k = -ENOMEM;
        if (k >= 0)
                k = sd_bus_message_sensitive(m);
        text = k >= 0 ? json_dumps(source, JSON_COMPACT) : NULL;
        if (k >= 0)
                k = text ? sd_bus_message_append(m, "s", text) : -ENOMEM;
        if (text)
                explicit_bzero(text, strlen(text));
        free(text);
        if (source)
                explicit_bzero((char *) json_string_value(json_object_get(source, "password")),
                                json_string_length(json_object_get(source, "password")));
        return k < 0 ? k : manager_call_within(r, m, V1_PROVIDER_TIMEOUT, on_tried, NULL);
}

/* --- libvirt --------------------------------------------------------------------------------------- */

static int on_host_added(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const ConnectRequest *q = request_userdata(r);

        if (sd_bus_error_has_name(error, HYPER_BUS_ERROR_LIBVIRT))
                return request_reply_error(r, 502, "%s", error->message);
        if (error)
                return request_reply_bus_error(r, error);
        return reply_item(r, q->body.id, 201, NULL);
}

/* The libvirt of this machine has one ID. */
static int add_host(Request *r, ConnectRequest *q) {
        const V1Connect *c = &q->body;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        bool local = streq(c->endpoint, V1_LIBVIRT_URI);
        int k;

        if (c->only_try)
                return request_reply_error(r, 400, "save: hosts of libvirt cannot only be tried");
        if (local) {
                k = free_and_strdup(&q->body.id, V1_LIBVIRT_ID);
                if (k < 0)
                        return k;
        }
        k = hosts_manager_call_new(r, "AddHost", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "sa{sv}", c->endpoint, 2, "id", "s",
                                local ? V1_LIBVIRT_HOST : c->id, "name", "s", strempty(c->name));
        return k < 0 ? k : manager_call(r, m, on_host_added, NULL);
}

/* --- requests -------------------------------------------------------------------------------------- */

static int read_body(Request *r, V1Connect *ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *text = NULL;
        int k = request_json_object(r, &body);

        request_wipe_body(r);
        if (k >= 0)
                k = v1_connect_decode(body, ret, &errors);
        if (k != -EBADMSG || errors.n_errors == 0)
                return k;
        text = json_errors_text(&errors);
        if (!text)
                return -ENOMEM;
        request_reply_error(r, 400, "%s", text);
        return k;
}

static int connect_provider(Request *r, bool only_try) {
        ConnectRequest *q = new0(ConnectRequest, 1);
        int k;

        if (!q)
                return -ENOMEM;
        request_set_userdata(r, q, connect_request_free);
        k = read_body(r, &q->body);
        if (k < 0)
                return k;
        q->body.only_try |= only_try;
        if (!q->body.only_try)
                k = choose_id(r, q);
        if (k < 0)
                return k;
        return q->body.type == V1_PROVIDER_VSPHERE ? try_source(r, q) : add_host(r, q);
}

int v1_connect_provider(Request *r) {
        return connect_provider(r, false);
}

int v1_test_provider(Request *r) {
        return connect_provider(r, true);
}

/* --- removal --------------------------------------------------------------------------------------- */

/* A removal: whether a job uses the provider is looked for in a thread, since many may wait. */
typedef struct Removal {
        char *id, *host; /* of the provider */
        bool vsphere;
        char *job; /* that uses it; NULL: there is none */
} Removal;

static void removal_free(void *userdata) {
        Removal *v = userdata;

        free(v->id);
        free(v->host);
        free(v->job);
        free(v);
}

static bool uses(const JobRow *row, const Removal *v) {
        _cleanup_json_ json_t *spec = json_loads(strempty(row->spec), 0, NULL);
        const char *name = json_string_value(json_object_get(json_object_get(spec, "source"), "name"));

        return v->vsphere && streq_ptr(name, v->id);
}

/* The job that has not ended and uses it. */
static int find_job(Store *store, void *userdata) {
        JobPageFilter filter = { .statuses = 1u << STATUS_QUEUED | 1u << STATUS_RUNNING,
                .providers = 1u << PROVIDER_VSPHERE,
                .sort = SORT_ID,
                .limit = JOBS_STEP };
        Removal *v = userdata;
        uint64_t total = 1;
        int r = 0;

        for (; r >= 0 && !v->job && filter.offset < total; filter.offset += JOBS_STEP) {
                _cleanup_(job_page_rows_done) JobPageRows rows = {};

                r = store_jobs_page(store, &filter, &rows);
                total = rows.total;
                for (size_t i = 0; r >= 0 && i < rows.n && !v->job; i++)
                        if (uses(rows.rows[i].row, v) && !(v->job = strdup(rows.rows[i].row->id)))
                                r = -ENOMEM;
        }
        return r;
}

static int on_removed(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        if (error)
                return request_reply_bus_error(r, error);
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:s}", "id", request_param(r, "id"), "message",
                                        "The provider is removed."));
}

static int remove_unused(Request *r, int result, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const Removal *v = userdata;
        int k;

        if (result < 0 && result != -ENOENT)
                return result;
        if (v->job)
                return request_reply_error(
                                r, 409, "Job %s uses the provider. Cancel it, or wait for its end.", v->job);
        k = v->vsphere ? manager_call_new(r, "RemoveSource", &m)
                       : hosts_manager_call_new(r, "RemoveHost", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", v->host ? v->host : v->id);
        return k < 0 ? k : manager_call(r, m, on_removed, NULL);
}

int v1_remove_provider(Request *r) {
        static const ReadingOps ops = { find_job, remove_unused, removal_free };
        const char *id = request_param(r, "id");
        const V1Providers *all;
        const V1Provider *p;
        Removal *v;
        int k = v1_providers_get(r, &all);

        if (k < 0)
                return k;
        p = find(all, id);
        if (!p)
                return request_reply_error(r, 404, "There is no provider %s.", id);
        if (p->type == V1_PROVIDER_LOCAL || streq(id, V1_LIBVIRT_ID))
                return request_reply_error(r, 409, "Provider %s is always there.", id);
        v = new0(Removal, 1);
        if (!v)
                return -ENOMEM;
        v->vsphere = p->type == V1_PROVIDER_VSPHERE;
        v->id = strdup(id);
        v->host = p->host ? strdup(p->host) : NULL;
        if (!v->id || (p->host && !v->host)) {
                removal_free(v);
                return -ENOMEM;
        }
        return request_read(r, &ops, v);
}
