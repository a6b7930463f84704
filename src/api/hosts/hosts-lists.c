/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-lists.h"

#include "api/hosts/hosts-gather.h"
#include "api/http/reply.h"
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

static int read_item(sd_bus_message *m, const List *l, const char *host_id, json_t *list) {
        _cleanup_json_ json_t *item =
                        json_pack("{s:s, s:n, s:n}", "host_id", host_id, "created_at", "updated_at");

        for (const Member *member = l->members; item && member->type; member++)
                if (json_object_set_new(item, member->key, read_member(m, member->type)) < 0)
                        return -ENOMEM;
        if (!item || l->finish(item, host_id) < 0 || json_array_append(list, item) < 0)
                return -ENOMEM;
        return 0;
}

static int take_items(Gather *g, const List *l, const char *host_id, sd_bus_message *reply) {
        char inner[32] = {};
        int k = sd_bus_message_enter_container(reply, 'a', l->types);

        memcpy(inner, l->types + 1, strlen(l->types) - 2); /* without its parentheses */
        while (k >= 0) {
                k = sd_bus_message_enter_container(reply, 'r', inner);
                if (k <= 0)
                        return k;
                k = read_item(reply, l, host_id, g->list);
                if (k >= 0)
                        k = sd_bus_message_exit_container(reply);
        }
        return k;
}

static int finish_list(Gather *g) {
        return request_reply_json(g->request, 200, TAKE_PTR(g->list));
}

static const char *text_of(const json_t *item, const char *key) {
        return strempty(json_string_value(json_object_get(item, key)));
}

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

static int take_pools(Gather *g, const char *host_id, sd_bus_message *reply) {
        return take_items(g, &pools, host_id, reply);
}

int hosts_get_pools(Request *r) {
        static const GatherKind kind = { "ListPools", take_pools, finish_list, NULL };

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

static int take_volumes(Gather *g, const char *host_id, sd_bus_message *reply) {
        return take_items(g, &volumes, host_id, reply);
}

int hosts_get_volumes(Request *r) {
        static const GatherKind kind = { "ListVolumes", take_volumes, finish_list, NULL };

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

static int take_disks(Gather *g, const char *host_id, sd_bus_message *reply) {
        return take_items(g, &disks, host_id, reply);
}

int hosts_get_disk_attachments(Request *r) {
        static const GatherKind kind = { "ListDisks", take_disks, finish_list, NULL };

        return hosts_gather(r, &kind);
}

/* --- networks -------------------------------------------------------------------------------------- */

static const List networks = {
        .types = "(sssssbb)",
        .members = (const Member[]){ { "name", 's' }, { "uuid", 's' }, { "bridge_name", 's' },
                        { "mode", 's' }, { "state", 's' }, { "autostart", 'b' }, { "persistent", 'b' }, {} },
        .finish = finish_pool,
};

static int take_networks(Gather *g, const char *host_id, sd_bus_message *reply) {
        return take_items(g, &networks, host_id, reply);
}

int hosts_get_networks(Request *r) {
        static const GatherKind kind = { "ListNetworks", take_networks, finish_list, NULL };

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

static int take_ports(Gather *g, const char *host_id, sd_bus_message *reply) {
        return take_items(g, &ports, host_id, reply);
}

int hosts_get_ports(Request *r) {
        static const GatherKind kind = { "ListPorts", take_ports, finish_list, NULL };

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

/* Those of one VM, if the path names one, by name or UUID. */
static int drop_others(Gather *g) {
        const char *name = request_param(g->request, "name");

        for (size_t i = json_array_size(g->list); i > 0; i--) {
                const json_t *item = json_array_get(g->list, i - 1);

                if (!streq(text_of(item, "vm_uuid"), name) && !streq(text_of(item, "vm_name"), name))
                        (void) json_array_remove(g->list, i - 1);
        }
        return 0;
}

static int take_attachments(Gather *g, const char *host_id, sd_bus_message *reply) {
        int k = take_items(g, &attachments, host_id, reply);

        return k < 0 || !strstr(request_route(g->request)->path, "{name}") ? k : drop_others(g);
}

int hosts_get_port_attachments(Request *r) {
        static const GatherKind kind = { "ListPorts", take_attachments, finish_list, NULL };

        return hosts_gather(r, &kind);
}
