/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-methods.h"

#include "basic/string-util.h"
#include "hosts/host-call.h"
#include "hosts/hosts.h"
#include "hosts/libvirt-lists.h"

/* --- figures --------------------------------------------------------------------------------------- */

static int ask_info(HostCall *c, virConnectPtr connection) {
        return libvirt_facts(connection, &c->facts, &c->task.error);
}

static int reply_info(HostCall *c) {
        Host *h = c->host;

        host_take_facts(h, &c->facts);
        (void) sd_bus_reply_method_return(c->message, "suttuut", h->facts.hostname, (uint32_t) h->facts.cpu,
                        h->facts.memory, h->facts.memory_used, (uint32_t) h->facts.cores,
                        (uint32_t) h->facts.threads, host_uptime(h));
        return 0;
}

int host_call_info(Host *h, sd_bus_message *message, sd_bus_error *error) {
        const HostCall template = { .ask = ask_info, .reply = reply_info };

        return host_call(h, &template, NULL, message, error);
}

/* A driver without storage has no disks to speak of. */
static int ask_stats(HostCall *c, virConnectPtr connection) {
        int r = libvirt_facts(connection, &c->facts, &c->task.error);

        if (r < 0)
                return r;
        r = libvirt_disk_space(connection, c->numbers, c->numbers + 1, &c->task.error);
        return r == -EOPNOTSUPP ? 0 : r;
}

static int reply_stats(HostCall *c) {
        Host *h = c->host;
        const HostFacts *f = &h->facts;

        host_take_facts(h, &c->facts);
        (void) sd_bus_reply_method_return(c->message, "sduuuttttt", f->hostname, host_cpu_percent(h),
                        (uint32_t) f->cpu, (uint32_t) f->cores, (uint32_t) f->threads, f->memory,
                        f->memory_used > 0 ? f->memory - f->memory_used : 0, c->numbers[0], c->numbers[1],
                        host_uptime(h));
        return 0;
}

int host_call_stats(Host *h, sd_bus_message *message, sd_bus_error *error) {
        const HostCall template = { .ask = ask_stats, .reply = reply_stats };

        return host_call(h, &template, NULL, message, error);
}

static int ask_capabilities(HostCall *c, virConnectPtr connection) {
        return libvirt_capabilities(connection, &c->text, &c->task.error);
}

static int reply_capabilities(HostCall *c) {
        (void) sd_bus_reply_method_return(c->message, "s", c->text);
        return 0;
}

int host_call_capabilities(Host *h, sd_bus_message *message, sd_bus_error *error) {
        const HostCall template = { .ask = ask_capabilities, .reply = reply_capabilities };

        return host_call(h, &template, NULL, message, error);
}

/* --- lists ----------------------------------------------------------------------------------------- */

const HostList host_lists[] = {
        { "ListPools", "(ssssstttb)", libvirt_pools },
        { "ListVolumes", "(ssssstt)", libvirt_volumes },
        { "ListNetworks", "(sssssbb)", libvirt_networks },
        { "ListDisks", "(sssssssstbb)", libvirt_disks },
        { "ListPorts", "(ssssssssstt)", libvirt_ports },
        {},
};

static int ask_list(HostCall *c, virConnectPtr connection) {
        int r = c->list->ask(connection, &c->items, &c->task.error);

        /* A driver without storage or networks has none. */
        return r == -EOPNOTSUPP ? 0 : r;
}

static int append_item(sd_bus_message *m, const char *types, const HostItem *item) {
        size_t text = 0, number = 0;
        int r = 0;

        for (const char *t = types; *t && r >= 0; t++)
                switch (*t) {
                case 's':
                        r = sd_bus_message_append_basic(m, 's', item->texts[text++]);
                        break;
                case 't':
                        r = sd_bus_message_append_basic(m, 't', item->numbers + number++);
                        break;
                case 'b':
                        r = sd_bus_message_append(m, "b", item->numbers[number++] != 0);
                        break;
                }
        return r;
}

/* So many are appended in one step. */
#define ITEMS_STEP 100u

/* The reply with a list, in steps. */
typedef struct ItemsReply {
        StepReply reply;
        HostItems items;
        size_t next;
        char types[32]; /* of an item, without the parentheses */
        sd_bus_message *message;
} ItemsReply;

static ItemsReply *items_reply_of(StepReply *r) {
        return CONTAINER_OF(r, ItemsReply, reply);
}

static int append_items(StepReply *reply) {
        ItemsReply *l = items_reply_of(reply);
        size_t end = MIN(l->next + ITEMS_STEP, l->items.n);
        int r = 0;

        for (; l->next < end && r >= 0; l->next++) {
                HostItem *item = l->items.items + l->next;

                r = sd_bus_message_open_container(l->message, 'r', l->types);
                if (r >= 0)
                        r = append_item(l->message, l->types, item);
                if (r >= 0)
                        r = sd_bus_message_close_container(l->message);
                host_item_done(item);
        }
        return r < 0 ? r : l->next < l->items.n;
}

static int finish_items(StepReply *reply) {
        ItemsReply *l = items_reply_of(reply);
        int r = sd_bus_message_close_container(l->message);

        return r < 0 ? r : sd_bus_send(NULL, l->message, NULL);
}

static void items_reply_free(StepReply *reply) {
        ItemsReply *l = items_reply_of(reply);

        host_items_done(&l->items);
        sd_bus_message_unref(l->message);
        free(l);
}

static const StepReplyType items_reply = {
        .what = "what a host has", .step = append_items, .finish = finish_items, .free = items_reply_free
};

static int reply_list(HostCall *c) {
        const char *types = c->list->types;
        ItemsReply *l = new0(ItemsReply, 1);
        int r;

        if (!l)
                return -ENOMEM;
        l->items = c->items;
        c->items = (HostItems){};
        memcpy(l->types, types + 1, strlen(types) - 2);
        r = sd_bus_message_new_method_return(c->message, &l->message);
        if (r >= 0)
                r = sd_bus_message_open_container(l->message, 'a', types);
        if (r >= 0)
                r = step_reply_start(&l->reply, &items_reply, &c->host->hosts->replies, c->message);
        else
                items_reply_free(&l->reply);
        return r < 0 ? r : 0;
}

int host_call_list(Host *h, sd_bus_message *message, sd_bus_error *error) {
        HostCall template = { .ask = ask_list, .reply = reply_list };

        for (template.list = host_lists; template.list->method; template.list++)
                if (streq(template.list->method, sd_bus_message_get_member(message)))
                        return host_call(h, &template, NULL, message, error);
        return -ENOSYS;
}
