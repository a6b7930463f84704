/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-provider.h"

#include "api/job-json.h"
#include "api/v1/v1-inventory-file.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "store/hosts.h"
#include "store/sources.h"
#include "json/json-table.h"

/* --- those that exist ------------------------------------------------------------------------------ */

static void providers_free(void *userdata) {
        V1Providers *all = userdata;
        int r = all->directory ? v1_inventory_file_write(all->directory, all) : 0;

        if (r < 0)
                log_warning_errno(r, "Failed to write what was seen of vSphere to %s: %m", all->directory);
        free(all->directory);
        for (size_t i = 0; i < all->n; i++)
                v1_provider_unref(all->list[i]);
        free(all->list);
        free(all);
}

static V1Provider *find(V1Providers *all, V1ProviderType type, const char *id, usec_t created_at) {
        for (size_t i = 0; i < all->n; i++) {
                V1Provider *p = all->list[i];

                if (p->type == type && p->created_at == created_at && streq(p->id, id))
                        return p;
        }
        return NULL;
}

/* The one of this definition: what was seen of one that was removed since, or replaced, is not valid. */
static int keep(V1Providers *all, const V1Provider *new) {
        V1Provider *p = find(all, new->type, new->id, new->created_at);

        if (p) {
                p->exists = true;
                return 0;
        }
        if (!GREEDY_REALLOC(all->list, all->allocated, all->n + 1))
                return -ENOMEM;
        p = new0(V1Provider, 1);
        if (!p)
                return -ENOMEM;
        *p = (V1Provider){ .n_ref = 1,
                .type = new->type,
                .id = strdup(new->id),
                .host = new->host ? strdup(new->host) : NULL,
                .endpoint = new->endpoint ? strdup(new->endpoint) : NULL,
                .username = new->username ? strdup(new->username) : NULL,
                .created_at = new->created_at,
                .exists = true };
        all->list[all->n++] = p;
        return p->id ? 0 : -ENOMEM;
}

static int keep_sources(Api *a, V1Providers *all) {
        _cleanup_(source_rows_done) SourceRows rows = {};
        Store *store;
        int k = api_store(a, &store);

        if (k >= 0)
                k = store_sources_list(store, &rows);
        for (size_t i = 0; k >= 0 && i < rows.n; i++) {
                const SourceRow *row = &rows.rows[i];

                k = keep(all,
                                &(V1Provider){ .type = V1_PROVIDER_VSPHERE,
                                                .id = row->name,
                                                .endpoint = row->url,
                                                .username = row->username,
                                                .created_at = row->created_at });
        }
        return k == -ENOENT ? 0 : k;
}

static int keep_hosts(Api *a, V1Providers *all) {
        _cleanup_(host_rows_done) HostRows rows = {};
        bool has_local = false;
        Store *store;
        int k = api_hosts_store(a, &store);

        if (k >= 0)
                k = store_hosts_list(store, &rows);
        for (size_t i = 0; k >= 0 && i < rows.n; i++) {
                const HostRow *row = &rows.rows[i];
                bool local = streq(row->uri, V1_LIBVIRT_URI);

                has_local |= local;
                k = keep(all,
                                &(V1Provider){ .type = V1_PROVIDER_LIBVIRT,
                                                .id = local ? (char *) V1_LIBVIRT_ID : row->id,
                                                .host = row->id,
                                                .endpoint = row->shown_uri,
                                                .created_at = row->created_at });
        }
        if (k < 0 && k != -ENOENT)
                return k;
        return has_local ? 0
                         : keep(all,
                                           &(V1Provider){ .type = V1_PROVIDER_LIBVIRT,
                                                           .id = (char *) V1_LIBVIRT_ID,
                                                           .endpoint = (char *) V1_LIBVIRT_URI });
}

static void drop_gone(V1Providers *all) {
        size_t n = 0;

        for (size_t i = 0; i < all->n; i++)
                if (all->list[i]->exists)
                        all->list[n++] = all->list[i];
                else
                        v1_provider_unref(all->list[i]);
        all->n = n;
}

static int compare(const void *a, const void *b) {
        const V1Provider *const *x = a, *const *y = b;
        int c = strcmp((*x)->id, (*y)->id);

        return c != 0 ? c : (*x)->type - (*y)->type;
}

static int look_again(Api *a, V1Providers *all) {
        int k;

        for (size_t i = 0; i < all->n; i++)
                all->list[i]->exists = false;
        k = keep(all, &(V1Provider){ .type = V1_PROVIDER_LOCAL, .id = (char *) V1_LOCAL_ID });
        if (k >= 0)
                k = keep_sources(a, all);
        if (k >= 0)
                k = keep_hosts(a, all);
        if (k < 0)
                return k;
        drop_gone(all);
        qsort(all->list, all->n, sizeof(V1Provider *), compare);
        return v1_provider_note(find(all, V1_PROVIDER_LOCAL, V1_LOCAL_ID, 0), NULL, 0);
}

/* With what the daemon knew when it last ended. */
static int get_kept(Api *a, V1Providers **ret) {
        const char *directory = api_cache_directory(a);
        V1Providers *all = api_kept(a);
        int r = 0;

        if (!all) {
                all = new0(V1Providers, 1);
                if (!all)
                        return -ENOMEM;
                r = directory ? v1_inventory_file_read(directory, all) : 0;
                if (r < 0 && r != -ENOENT)
                        log_warning_errno(
                                        r, "Failed to read what was seen of vSphere from %s: %m", directory);
                all->directory = directory ? strdup(directory) : NULL;
                api_keep(a, all, providers_free);
        }
        *ret = all;
        return 0;
}

int v1_providers_get(Request *r, const V1Providers **ret) {
        V1Providers *all;
        int k = get_kept(request_api(r), &all);

        if (k >= 0)
                k = look_again(request_api(r), all);
        if (k < 0)
                return k;
        *ret = all;
        return 0;
}

int v1_providers_kept(Api *a, const V1Providers **ret) {
        bool is_new = !api_kept(a);
        V1Providers *all;
        int k = get_kept(a, &all);

        if (k >= 0 && is_new)
                k = look_again(a, all);
        if (k < 0)
                return k;
        *ret = all;
        return 0;
}

bool v1_provider_is_meant(const V1Provider *p, const char *words) {
        const char *type = v1_provider_type_to_string(p->type);

        for (const char *w = words; w; w = strchr(w, ',')) {
                w += *w == ',';
                size_t n = strcspn(w, ",");

                if ((strlen(type) == n && memcmp(w, type, n) == 0) ||
                                (strlen(p->id) == n && memcmp(w, p->id, n) == 0))
                        return true;
        }
        return !words;
}

int v1_provider_note(V1Provider *p, const char *error, unsigned status) {
        usec_t now = now_realtime();

        p->tried_at = now;
        p->error = mfree(p->error);
        p->error_status = status;
        p->n_failed = error ? p->n_failed + 1 : 0;
        if (!error) {
                if (!p->connected)
                        p->connected_at = now;
                p->connected = true;
                p->last_seen = now;
                return 0;
        }
        p->connected = false;
        p->error = strdup(error);
        return p->error ? 0 : -ENOMEM;
}

/* --- what clients get ------------------------------------------------------------------------------ */

json_t *v1_provider_json(const V1Provider *p) {
        const char *type = v1_provider_type_to_string(p->type);
        bool counted = p->has_vms || (p->type == V1_PROVIDER_LIBVIRT && p->connected);

        return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:b, s:o, s:o}", "id",
                        p->id, "provider", type, "type", type, "name", p->id, "endpoint",
                        json_text(p->endpoint), "username", json_text(p->username), "status",
                        p->connected               ? "connected"
                                        : p->error ? "error"
                                                   : "disconnected",
                        "connected", p->connected, "error", json_text(p->error), "version",
                        json_text(p->version), "vm_count", counted ? json_count(p->vm_count) : json_null(),
                        "insecure", false, "connected_at",
                        p->connected ? json_time(p->connected_at) : json_null(), "last_seen",
                        json_time(p->last_seen));
}

static const SchemaField provider_fields[] = {
        { "id", SCHEMA_STRING },
        { "provider", SCHEMA_STRING, .description = "vsphere, libvirt or local" },
        { "type", SCHEMA_STRING, .description = "The same." },
        { "name", SCHEMA_STRING, .description = "The ID." },
        { "endpoint", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "username", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "status", SCHEMA_STRING, .description = "connected, disconnected or error" },
        { "connected", SCHEMA_BOOLEAN },
        { "error", SCHEMA_STRING, SCHEMA_NULLABLE, "Why it is not connected." },
        { "version", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "vm_count", SCHEMA_INTEGER, SCHEMA_NULLABLE, "When its VMs were last read." },
        { "insecure", SCHEMA_BOOLEAN, .description = "False: certificates are always verified." },
        { "connected_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "last_seen", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        {},
};
const Schema v1_provider_schema = { .name = "Provider", .fields = provider_fields };
