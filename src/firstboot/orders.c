/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "firstboot/orders.h"

#include <stdio.h>
#include <string.h>

#define HEX "0123456789abcdefABCDEF"

/* --- decoding -------------------------------------------------------------------------------------- */

/* They become arguments of programs: only these characters. */
static bool is_made_of(const char *s, const char *characters, size_t max) {
        size_t n = strlen(s);

        return n > 0 && n <= max && strspn(s, characters) == n;
}

static bool copy_address(const char *s, char ret[16]) {
        if (!s || !is_made_of(s, "0123456789.", 15))
                return false;
        strcpy(ret, s);
        return true;
}

static bool add_interface(FirstBootOrders *o, const char *id, const char *mac) {
        Interface *i = &o->interfaces[o->n];

        if (o->n >= INTERFACES_MAX || !id || !mac || strlen(id) != 38 || !is_made_of(id, HEX "{}-", 38))
                return false;
        if (strcmp(mac, "-") != 0 && (strlen(mac) != 17 || !is_made_of(mac, HEX ":", 17)))
                return false;
        memset(i, 0, sizeof(*i));
        strcpy(i->id, id);
        if (strcmp(mac, "-") != 0)
                strcpy(i->mac, mac);
        o->n++;
        return true;
}

static bool add_to(FirstBootOrders *o, const char *word, const char *first, const char *second) {
        Interface *i = o->n > 0 ? &o->interfaces[o->n - 1] : NULL;

        if (strcmp(word, "interface") == 0)
                return add_interface(o, first, second);
        if (!i)
                return false;
        if (strcmp(word, "address") == 0)
                return i->n_addresses < ADDRESSES_MAX && copy_address(first, i->addresses[i->n_addresses]) &&
                                copy_address(second, i->masks[i->n_addresses]) && ++i->n_addresses;
        if (strcmp(word, "gateway") == 0)
                return i->n_gateways < ADDRESSES_MAX && copy_address(first, i->gateways[i->n_gateways]) &&
                                ++i->n_gateways;
        if (strcmp(word, "dns") == 0)
                return i->n_servers < ADDRESSES_MAX && copy_address(first, i->servers[i->n_servers]) &&
                                ++i->n_servers;
        return false;
}

/* The next word of a line; ends it with NUL. */
static char *next_word(char **p) {
        char *word = *p + strspn(*p, " ");

        if (!*word)
                return NULL;
        *p = word + strcspn(word, " ");
        if (**p)
                *(*p)++ = 0;
        return word;
}

bool first_boot_orders_parse(char *text, FirstBootOrders *ret) {
        ret->n = 0;
        while (*text) {
                size_t n = strcspn(text, "\r\n");
                char *line = text;

                text += n + (text[n] != 0);
                line[n] = 0;
                char *word = next_word(&line);
                if (!word)
                        continue;
                char *first = next_word(&line);
                if (!add_to(ret, word, first, next_word(&line)))
                        return false;
        }
        return true;
}

/* --- assignment ------------------------------------------------------------------------------------ */

static bool same(const char *a, const char *b) {
        for (; *a && *b; a++, b++)
                if ((*a | 0x20) != (*b | 0x20))
                        return false;
        return *a == *b;
}

bool orders_know(const FirstBootOrders *o, const char *id) {
        for (size_t i = 0; i < o->n; i++)
                if (same(o->interfaces[i].id, id))
                        return true;
        return false;
}

static bool is_assigned(const Adapter *adapters, size_t n, const Interface *i) {
        for (size_t k = 0; k < n; k++)
                if (adapters[k].like == i)
                        return true;
        return false;
}

void orders_assign(const FirstBootOrders *o, Adapter *adapters, size_t n) {
        const Interface *last_interface = NULL;
        Adapter *last_adapter = NULL;
        size_t interfaces = 0, left = 0;

        for (size_t k = 0; k < n; k++)
                for (size_t i = 0; i < o->n && !adapters[k].like; i++)
                        if (o->interfaces[i].mac[0] && same(o->interfaces[i].mac, adapters[k].mac))
                                adapters[k].like = &o->interfaces[i];
        for (size_t i = 0; i < o->n; i++)
                if (!is_assigned(adapters, n, &o->interfaces[i])) {
                        last_interface = &o->interfaces[i];
                        interfaces++;
                }
        for (size_t k = 0; k < n; k++)
                if (!adapters[k].like) {
                        last_adapter = &adapters[k];
                        left++;
                }
        if (interfaces == 1 && left == 1)
                last_adapter->like = last_interface;
}

/* --- commands -------------------------------------------------------------------------------------- */

#define NAME "name=%lu "

static bool address_command(const Adapter *a, size_t i, char ret[COMMAND_MAX]) {
        const Interface *like = a->like;

        if (i == 0)
                snprintf(ret, COMMAND_MAX,
                                "interface ipv4 set address " NAME
                                "source=static address=%s mask=%s gateway=%s%s",
                                a->index, like->addresses[0], like->masks[0],
                                like->n_gateways > 0 ? like->gateways[0] : "none",
                                like->n_gateways > 0 ? " gwmetric=1" : "");
        else
                snprintf(ret, COMMAND_MAX, "interface ipv4 add address " NAME "address=%s mask=%s", a->index,
                                like->addresses[i], like->masks[i]);
        return true;
}

static bool server_command(const Adapter *a, size_t i, char ret[COMMAND_MAX]) {
        if (i == 0)
                snprintf(ret, COMMAND_MAX,
                                "interface ipv4 set dnsservers " NAME
                                "source=static address=%s register=primary validate=no",
                                a->index, a->like->servers[0]);
        else
                snprintf(ret, COMMAND_MAX,
                                "interface ipv4 add dnsservers " NAME "address=%s index=%u validate=no",
                                a->index, a->like->servers[i], (unsigned) i + 1);
        return true;
}

bool orders_command(const Adapter *a, size_t i, char ret[COMMAND_MAX]) {
        const Interface *like = a->like;

        if (!like || like->n_addresses == 0)
                return false;
        if (i < like->n_addresses)
                return address_command(a, i, ret);
        i -= like->n_addresses;
        if (like->n_gateways > 0 && i < like->n_gateways - 1) {
                snprintf(ret, COMMAND_MAX, "interface ipv4 add address " NAME "gateway=%s gwmetric=%u",
                                a->index, like->gateways[i + 1], (unsigned) i + 2);
                return true;
        }
        i -= like->n_gateways > 0 ? like->n_gateways - 1 : 0;
        return i < like->n_servers && server_command(a, i, ret);
}
