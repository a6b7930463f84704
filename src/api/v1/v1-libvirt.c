/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-libvirt.h"

#include "api/bus-client.h"
#include "api/hosts/hosts-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/v1/v1-browse.h"
#include "api/v1/v1-page.h"
#include "api/v1/v1-provider.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "json/json-table.h"

#define NAME_LENGTH_MAX 255u

/* --- the host -------------------------------------------------------------------------------------- */

/* The ID of the libvirt of this machine at hyper-hostd. 0, or a negative errno, which was answered. */
static int find_host(Request *r, const char **ret) {
        const V1Providers *all;
        int k = v1_providers_get(r, &all);

        for (size_t i = 0; k >= 0 && i < all->n; i++)
                if (streq(all->list[i]->id, V1_LIBVIRT_ID) && all->list[i]->host) {
                        *ret = all->list[i]->host;
                        return 0;
                }
        if (k >= 0) {
                (void) request_reply_error(r, 503,
                                "The libvirt of this machine was not added: see 'hyperctl host add "
                                "qemu:///system'.");
                k = -ENXIO;
        }
        return k;
}

/* --- lists ----------------------------------------------------------------------------------------- */

/* The members of an item, in the order in which the bus has them. */
typedef struct Member {
        const char *key;
        char type; /* of the bus; 0 ends a table */
} Member;

typedef struct List {
        const char *method, *types, *item;
        const Member *members;
        const char *filter; /* the member that ?pool= is compared with; or NULL */
} List;

static const List networks = { "ListNetworks", "(sssssbb)", "sssssbb",
        (const Member[]){ { "name", 's' }, { "uuid", 's' }, { "bridge", 's' }, { "mode", 's' },
                        { "state", 's' }, { "autostart", 'b' }, { "persistent", 'b' }, {} },
        NULL };
static const List pools = { "ListPools", "(ssssstttb)", "ssssstttb",
        (const Member[]){ { "name", 's' }, { "uuid", 's' }, { "type", 's' }, { "path", 's' },
                        { "state", 's' }, { "capacity_bytes", 't' }, { "allocation_bytes", 't' },
                        { "available_bytes", 't' }, { "autostart", 'b' }, {} },
        NULL };
static const List volumes = { "ListVolumes", "(ssssstt)", "ssssstt",
        (const Member[]){ { "pool", 's' }, { "name", 's' }, { "path", 's' }, { "type", 's' },
                        { "format", 's' }, { "capacity_bytes", 't' }, { "allocation_bytes", 't' }, {} },
        "pool" };

typedef struct ListRequest {
        const List *list;
        V1Page page;
        const char *pool;
} ListRequest;

const QueryField v1_libvirt_query[] = {
        V1_PAGE_FIELDS(offsetof(ListRequest, page)),
        { "pool", QUERY_STRING, offsetof(ListRequest, pool), .max = NAME_LENGTH_MAX,
                        .description = "Of volumes: only those of this pool." },
        {},
};

static const SchemaField list_fields[] = {
        { "data", SCHEMA_ARRAY_ANY, .description = "With \"name\", and what libvirt knows of it." },
        { "pagination", SCHEMA_OBJECT, .schema = &v1_pagination_schema },
        {},
};
static const Schema list_schema = { .name = "LibvirtList", .fields = list_fields };
const Reply v1_libvirt_replies[] = { REPLY_OBJECT(200, "A page.", list_schema), {} };

static json_t *read_member(sd_bus_message *m, char type) {
        const char *text;
        uint64_t number;
        int yes;

        if (type == 's')
                return sd_bus_message_read(m, "s", &text) > 0 ? json_string(text) : NULL;
        if (type == 't')
                return sd_bus_message_read(m, "t", &number) > 0
                                ? json_integer((json_int_t) (number & INT64_MAX))
                                : NULL;
        return sd_bus_message_read(m, "b", &yes) > 0 ? json_boolean(yes) : NULL;
}

/* Reads the next item. 1, 0 if there is none, or negative errno. */
static int read_item(sd_bus_message *m, const List *l, json_t **ret) {
        _cleanup_json_ json_t *item = json_object();
        int k = sd_bus_message_enter_container(m, 'r', l->item);

        if (k <= 0)
                return k;
        for (const Member *member = l->members; member->type; member++)
                if (json_object_set_new(item, member->key, read_member(m, member->type)) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(item);
        k = sd_bus_message_exit_container(m);
        return k < 0 ? k : 1;
}

static bool is_shown(const ListRequest *q, const json_t *item) {
        return !q->pool || !q->list->filter ||
                        streq_ptr(json_string_value(json_object_get(item, q->list->filter)), q->pool);
}

static int on_list(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const ListRequest *q = request_userdata(r);
        _cleanup_json_ json_t *data = json_array(), *reply = json_object(), *item = NULL;
        uint64_t total = 0;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_enter_container(m, 'a', q->list->types);
        while (k >= 0 && (k = read_item(m, q->list, &item)) > 0) {
                if (is_shown(q, item) && total++ >= q->page.offset &&
                                json_array_size(data) < q->page.limit && json_array_append(data, item) < 0)
                        k = -ENOMEM;
                json_decref(TAKE_PTR(item));
        }
        if (k >= 0)
                k = v1_page_add(reply, &q->page, TAKE_PTR(data), total);
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(reply));
}

static int list(Request *r, const List *l) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        ListRequest *q = new0(ListRequest, 1);
        const char *host;
        int k;

        if (!q)
                return -ENOMEM;
        request_set_userdata(r, q, free);
        *q = (ListRequest){ .list = l, .page = V1_PAGE_INIT };
        k = request_query_decode(r, q);
        if (k >= 0)
                k = find_host(r, &host);
        if (k >= 0)
                k = hosts_host_call_new(r, host, l->method, &m);
        return k < 0 ? k : manager_call(r, m, on_list, NULL);
}

int v1_list_networks(Request *r) {
        return list(r, &networks);
}

int v1_list_pools(Request *r) {
        return list(r, &pools);
}

int v1_list_volumes(Request *r) {
        return list(r, &volumes);
}

/* --- domains --------------------------------------------------------------------------------------- */

typedef struct DomainQuery {
        const char *name;
} DomainQuery;

const QueryField v1_domain_query[] = {
        { "name", QUERY_STRING, offsetof(DomainQuery, name), .max = NAME_LENGTH_MAX,
                        .description = "The name or UUID; required." },
        {},
};

int v1_get_domain(Request *r) {
        DomainQuery q = {};
        int k = request_query_decode(r, &q);

        if (k < 0)
                return k;
        if (isempty(q.name))
                return request_reply_error(r, 400, "name: is required");
        return v1_browse_named(r, V1_LIBVIRT_ID, q.name);
}

static const SchemaField domain_body_fields[] = {
        { "name", SCHEMA_STRING, .description = "The name or UUID." },
        {},
};
const Schema v1_domain_body = { .name = "DomainName", .fields = domain_body_fields };

static const SchemaField snapshot_body_fields[] = {
        { "name", SCHEMA_STRING, .description = "The name or UUID of the virtual machine." },
        { "snapshot", SCHEMA_STRING, .description = "1 to 100 letters, digits, or . _ -" },
        {},
};
const Schema v1_snapshot_body = { .name = "SnapshotName", .fields = snapshot_body_fields };

static const SchemaField done_fields[] = { { "name", SCHEMA_STRING }, { "action", SCHEMA_STRING },
        { "message", SCHEMA_STRING }, { "snapshot", SCHEMA_STRING, SCHEMA_OPTIONAL }, {} };
static const Schema done_schema = { .name = "DomainAction", .fields = done_fields };
const Reply v1_domain_action_replies[] = { REPLY_OBJECT(200, "It is done, or has begun.", done_schema), {} };

/* The last parts of paths, and the methods of the bus. */
typedef struct Action {
        const char *path, *method;
        bool on_snapshot;
} Action;

static const Action actions[] = {
        { "/domain/start", "Start" },
        { "/domain/shutdown", "Shutdown" },
        { "/domain/reboot", "Reboot" },
        { "/domain/destroy", "Destroy" },
        { "/domain/reset", "Reset" },
        { "/snapshot/create", "CreateSnapshot", true },
        { "/snapshot/revert", "RevertSnapshot", true },
        { "/snapshot/delete", "DeleteSnapshot", true },
};

typedef struct ActionRequest {
        json_t *body;
        const char *name, *snapshot; /* of the body */
        const Action *action;
} ActionRequest;

static void action_request_free(void *userdata) {
        ActionRequest *q = userdata;

        json_decref(q->body);
        free(q);
}

static int on_acted(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const ActionRequest *q = request_userdata(r);

        if (error)
                return request_reply_bus_error(r, error);
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:s, s:s, s:s*}", "name", q->name, "action",
                                        strrchr(q->action->path, '/') + 1, "message",
                                        "libvirt has accepted it.", "snapshot", q->snapshot));
}

static int on_domain(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const ActionRequest *q = request_userdata(r);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *next = NULL;
        const char *path, *uuid;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(m, "os", &path, &uuid);
        if (k >= 0)
                k = hosts_call_new(r, path, HYPER_HOSTS_VM_INTERFACE, q->action->method, &next);
        if (k >= 0 && q->snapshot)
                k = sd_bus_message_append(next, "s", q->snapshot);
        return k < 0 ? k : manager_call(r, next, on_acted, NULL);
}

static const Action *find_action(Request *r) {
        for (size_t i = 0; i < ELEMENTSOF(actions); i++)
                if (endswith(request_route(r)->path, actions[i].path))
                        return &actions[i];
        return NULL;
}

static int call_domain(Request *r, const char *name, manager_reply_func func) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *host;
        int k = find_host(r, &host);

        if (k >= 0)
                k = hosts_manager_call_new(r, "GetVm", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "ss", host, name);
        return k < 0 ? k : manager_call(r, m, func, NULL);
}

int v1_act_on_domain(Request *r) {
        ActionRequest *q = new0(ActionRequest, 1);
        int k;

        if (!q)
                return -ENOMEM;
        request_set_userdata(r, q, action_request_free);
        q->action = find_action(r);
        k = q->action ? request_json_object(r, &q->body) : -ENOENT;
        if (k < 0)
                return k;
        q->name = json_string_value(json_object_get(q->body, "name"));
        if (isempty(q->name))
                return request_reply_error(r, 400, "name: is required");
        if (q->action->on_snapshot) {
                q->snapshot = json_string_value(json_object_get(q->body, "snapshot"));
                if (isempty(q->snapshot))
                        return request_reply_error(r, 400, "snapshot: is required");
        }
        return call_domain(r, q->name, on_domain);
}

/* --- snapshots ------------------------------------------------------------------------------------- */

typedef struct SnapshotsQuery {
        V1Page page;
        const char *name;
} SnapshotsQuery;

const QueryField v1_snapshots_query[] = {
        V1_PAGE_FIELDS(offsetof(SnapshotsQuery, page)),
        { "name", QUERY_STRING, offsetof(SnapshotsQuery, name), .max = NAME_LENGTH_MAX,
                        .description = "The name or UUID of the virtual machine; required." },
        {},
};

static int on_snapshots(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const SnapshotsQuery *q = request_userdata(r);
        _cleanup_json_ json_t *list = NULL, *reply = json_object();
        json_t *page = json_array();
        size_t from, to;
        const char *text;
        int k = error ? 0 : sd_bus_message_read(m, "s", &text);

        list = !error && k >= 0 ? json_loads(text, 0, NULL) : NULL;
        v1_page_bounds(&q->page, json_array_size(list), &from, &to);
        for (size_t i = from; i < to && k >= 0; i++)
                if (json_array_append(page, json_array_get(list, i)) < 0)
                        k = -ENOMEM;
        if (error || k < 0) {
                json_decref(page);
                return error ? request_reply_bus_error(r, error) : k;
        }
        k = v1_page_add(reply, &q->page, page, json_array_size(list));
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(reply));
}

static int on_domain_of_snapshots(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *next = NULL;
        const char *path, *uuid;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(m, "os", &path, &uuid);
        if (k >= 0)
                k = hosts_call_new(r, path, HYPER_HOSTS_VM_INTERFACE, "ListSnapshots", &next);
        return k < 0 ? k : manager_call(r, next, on_snapshots, NULL);
}

int v1_list_snapshots(Request *r) {
        SnapshotsQuery *q = new0(SnapshotsQuery, 1);
        int k;

        if (!q)
                return -ENOMEM;
        request_set_userdata(r, q, free);
        q->page = V1_PAGE_INIT;
        k = request_query_decode(r, q);
        if (k < 0)
                return k;
        return isempty(q->name) ? request_reply_error(r, 400, "name: is required")
                                : call_domain(r, q->name, on_domain_of_snapshots);
}
