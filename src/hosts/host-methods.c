/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-methods.h"

#include "basic/string-util.h"
#include "hosts/host-call.h"
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

static int append_items(sd_bus_message *m, const char *types, const HostItems *items) {
        char inner[32] = {};
        int r;

        /* Without the parentheses of the structure. */
        memcpy(inner, types + 1, strlen(types) - 2);
        r = sd_bus_message_open_container(m, 'a', types);
        for (size_t i = 0; i < items->n && r >= 0; i++) {
                r = sd_bus_message_open_container(m, 'r', inner);
                if (r >= 0)
                        r = append_item(m, inner, items->items + i);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int reply_list(HostCall *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(c->message, &reply);

        if (r >= 0)
                r = append_items(reply, c->list->types, &c->items);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        return r < 0 ? r : 0;
}

int host_call_list(Host *h, sd_bus_message *message, sd_bus_error *error) {
        HostCall template = { .ask = ask_list, .reply = reply_list };

        for (template.list = host_lists; template.list->method; template.list++)
                if (streq(template.list->method, sd_bus_message_get_member(message)))
                        return host_call(h, &template, NULL, message, error);
        return -ENOSYS;
}
