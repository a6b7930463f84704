/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-lists.h"

#include "api/hosts/hosts-gather.h"
#include "api/http/list-reply.h"
#include "basic/string-util.h"
#include "json/json-table.h"

/* The members of an item, in the order in which the bus has them. */
typedef struct Member {
        const char *key;
        char type; /* of the bus; 0 ends a table */
} Member;

typedef struct List {
        const char *types; /* of an item, as org.hyper1.Hosts.Host has it */
        const Member *members;
        /* The members that are made of others. 0 or -ENOMEM. */
        int (*finish)(json_t *item, const char *host_id);
} List;

static json_t *read_member(sd_bus_message *m, char type) {
        const char *text;
        uint64_t number;
        int yes;

        switch (type) {
        case 's':
                return sd_bus_message_read(m, "s", &text) > 0 ? json_string(text) : NULL;
        case 't':
                return sd_bus_message_read(m, "t", &number) > 0
                                ? json_integer((json_int_t) (number & INT64_MAX))
                                : NULL;
        case 'b':
                return sd_bus_message_read(m, "b", &yes) > 0 ? json_boolean(yes) : NULL;
        default:
                return NULL;
        }
}

/* So many are read in one step. */
#define STEP 100u

/* The answer of a host, which is read when it is sent on. */
typedef struct Answer {
        char *host_id;
        sd_bus_message *message;
} Answer;

typedef struct Items {
        const List *list;
        char *vm; /* whose items are asked for, by name or UUID; NULL: all */
        Answer *answers;
        size_t n, allocated, next;
        bool entered; /* the list of the next answer */
} Items;

static void items_free(void *userdata) {
        Items *items = userdata;

        for (size_t i = 0; items && i < items->n; i++) {
                free(items->answers[i].host_id);
                sd_bus_message_unref(items->answers[i].message);
        }
        if (items) {
                free(items->answers);
                free(items->vm);
        }
        free(items);
}

static const char *text_of(const json_t *item, const char *key) {
        return strempty(json_string_value(json_object_get(item, key)));
}

static bool is_asked_for(const Items *items, const json_t *item) {
        return !items->vm || streq(text_of(item, "vm_uuid"), items->vm) ||
                        streq(text_of(item, "vm_name"), items->vm);
}

static int read_item(sd_bus_message *m, const Items *items, const char *host_id, json_t *list) {
        _cleanup_json_ json_t *item =
                        json_pack("{s:s, s:n, s:n}", "host_id", host_id, "created_at", "updated_at");

        for (const Member *member = items->list->members; item && member->type; member++)
                if (json_object_set_new(item, member->key, read_member(m, member->type)) < 0)
                        return -ENOMEM;
        if (!item || items->list->finish(item, host_id) < 0)
                return -ENOMEM;
        return !is_asked_for(items, item) || json_array_append(list, item) >= 0 ? 0 : -ENOMEM;
}

/* The next item of an answer. 1, 0 if there is none, or negative errno. */
static int read_next(Items *items, const Answer *a, json_t *list) {
        const char *types = items->list->types;
        char inner[32] = {};
        int k = items->entered ? 0 : sd_bus_message_enter_container(a->message, 'a', types);

        items->entered = true;
        memcpy(inner, types + 1, strlen(types) - 2); /* without its parentheses */
        if (k >= 0)
                k = sd_bus_message_enter_container(a->message, 'r', inner);
        if (k <= 0)
                return k;
        k = read_item(a->message, items, a->host_id, list);
        if (k >= 0)
                k = sd_bus_message_exit_container(a->message);
        return k < 0 ? k : 1;
}

static int items_step(void *userdata, json_t **ret) {
        _cleanup_json_ json_t *list = json_array();
        Items *items = userdata;

        if (!list)
                return -ENOMEM;
        for (unsigned n = 0; n < STEP && items->next < items->n; n++) {
                int k = read_next(items, &items->answers[items->next], list);

                if (k < 0)
                        return k;
                if (k == 0) {
                        items->entered = false;
                        items->next++;
                }
        }
        *ret = TAKE_PTR(list);
        return items->next < items->n;
}

static int get_items(Gather *g, Items **ret) {
        bool one = strstr(request_route(g->request)->path, "{name}");
        Items *items = g->userdata;

        if (!items) {
                g->userdata = items = new0(Items, 1);
                if (!items)
                        return -ENOMEM;
                items->list = g->kind->data;
                if (one && !(items->vm = strdup(request_param(g->request, "name"))))
                        return -ENOMEM;
        }
        *ret = items;
        return 0;
}

static int take_items(Gather *g, const char *host_id, sd_bus_message *reply) {
        Items *items;
        int k = get_items(g, &items);

        if (k < 0)
                return k;
        if (!GREEDY_REALLOC(items->answers, items->allocated, items->n + 1))
                return -ENOMEM;
        items->answers[items->n] = (Answer){ .host_id = strdup(host_id) };
        if (!items->answers[items->n].host_id)
                return -ENOMEM;
        items->answers[items->n++].message = sd_bus_message_ref(reply);
        return 0;
}

static int finish_items(Gather *g) {
        Items *items;
        int k = get_items(g, &items);

        if (k < 0)
                return k;
        g->userdata = NULL;
        return request_reply_list(g->request, NULL, NULL, items_step, items, items_free);
}

#define ITEMS_KIND(member, list) \
        { (member), take_items, finish_items, items_free, (list) }

/* Ids that say where a thing is: no host's id has a slash. */
static int set_id(json_t *item, const char *key, const char *host_id, const char *a, const char *b) {
        _cleanup_free_ char *id = b ? strprintf("%s/%s/%s", host_id, a, b) : strprintf("%s/%s", host_id, a);

        return id && json_object_set_new(item, key, json_string(id)) >= 0 ? 0 : -ENOMEM;
}

/* --- storage --------------------------------------------------------------------------------------- */

static int finish_pool(json_t *item, const char *host_id) {
        return set_id(item, "id", host_id, text_of(item, "name"), NULL);
}

static const List pools = {
        .types = "(ssssstttb)",
        .members = (const Member[]){ { "name", 's' }, { "uuid", 's' }, { "type", 's' }, { "path", 's' },
                        { "state", 's' }, { "capacity_bytes", 't' }, { "allocation_bytes", 't' },
                        { "available_bytes", 't' }, { "autostart", 'b' }, {} },
        .finish = finish_pool,
};

int hosts_get_pools(Request *r) {
        static const GatherKind kind = ITEMS_KIND("ListPools", &pools);

        return hosts_gather(r, &kind);
}

static int finish_volume(json_t *item, const char *host_id) {
        const char *pool = text_of(item, "pool_name");
        int k = set_id(item, "storage_pool_id", host_id, pool, NULL);

        return k < 0 ? k : set_id(item, "id", host_id, pool, text_of(item, "name"));
}

static const List volumes = {
        .types = "(ssssstt)",
        .members = (const Member[]){ { "pool_name", 's' }, { "name", 's' }, { "path", 's' }, { "type", 's' },
                        { "format", 's' }, { "capacity_bytes", 't' }, { "allocation_bytes", 't' }, {} },
        .finish = finish_volume,
};

int hosts_get_volumes(Request *r) {
        static const GatherKind kind = ITEMS_KIND("ListVolumes", &volumes);

        return hosts_gather(r, &kind);
}

static int finish_disk(json_t *item, const char *host_id) {
        if (json_object_set(item, "disk_id", json_object_get(item, "path")) < 0)
                return -ENOMEM;
        return set_id(item, "id", host_id, text_of(item, "vm_uuid"), text_of(item, "device_name"));
}

static const List disks = {
        .types = "(sssssssstbb)",
        .members = (const Member[]){ { "vm_uuid", 's' }, { "vm_name", 's' }, { "device_name", 's' },
                        { "bus_type", 's' }, { "device", 's' }, { "type", 's' }, { "format", 's' },
                        { "path", 's' }, { "size_bytes", 't' }, { "read_only", 'b' }, { "shareable", 'b' },
                        {} },
        .finish = finish_disk,
};

int hosts_get_disk_attachments(Request *r) {
        static const GatherKind kind = ITEMS_KIND("ListDisks", &disks);

        return hosts_gather(r, &kind);
}

/* --- networks -------------------------------------------------------------------------------------- */

static const List networks = {
        .types = "(sssssbb)",
        .members = (const Member[]){ { "name", 's' }, { "uuid", 's' }, { "bridge_name", 's' },
                        { "mode", 's' }, { "state", 's' }, { "autostart", 'b' }, { "persistent", 'b' }, {} },
        .finish = finish_pool,
};

int hosts_get_networks(Request *r) {
        static const GatherKind kind = ITEMS_KIND("ListNetworks", &networks);

        return hosts_gather(r, &kind);
}

/* A port of a network of libvirt's; others lead to a bridge or a device of the host. */
static int finish_port(json_t *item, const char *host_id) {
        int k = streq(text_of(item, "type"), "network")
                        ? set_id(item, "network_id", host_id, text_of(item, "source"), NULL)
                        : json_object_set_new(item, "network_id", json_null());

        return k < 0 ? -ENOMEM
                     : set_id(item, "id", host_id, text_of(item, "vm_uuid"), text_of(item, "mac_address"));
}

static const Member port_members[] = { { "vm_uuid", 's' }, { "vm_name", 's' }, { "mac_address", 's' },
        { "model_name", 's' }, { "type", 's' }, { "source", 's' }, { "port_group", 's' },
        { "device_name", 's' }, { "link_state", 's' }, { "rx_bytes", 't' }, { "tx_bytes", 't' }, {} };

static const List ports = { .types = "(ssssssssstt)", .members = port_members, .finish = finish_port };

int hosts_get_ports(Request *r) {
        static const GatherKind kind = ITEMS_KIND("ListPorts", &ports);

        return hosts_gather(r, &kind);
}

/* Each port belongs to one VM, so it has one attachment. */
static int finish_attachment(json_t *item, const char *host_id) {
        int k = finish_port(item, host_id);

        if (k < 0)
                return k;
        return json_object_set(item, "port_id", json_object_get(item, "id"));
}

static const List attachments = {
        .types = "(ssssssssstt)", .members = port_members, .finish = finish_attachment
};

int hosts_get_port_attachments(Request *r) {
        static const GatherKind kind = ITEMS_KIND("ListPorts", &attachments);

        return hosts_gather(r, &kind);
}
