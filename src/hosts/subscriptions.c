/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/subscriptions.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/bus-objects.h"
#include "hosts/hosts.h"
#include "hosts/stats.h"
#include "hosts/subscription.h"
#include "shared/error-table.h"

/* A subscription is one VM by the name that its clients use; it stays while the VM is off, gone, or its host
 * is away, and ends when its last client unsubscribes or leaves the bus. */

#define CLIENTS_MAX 256u
#define SUBSCRIPTIONS_MAX 8192u

static Client *client_free(Client *c) {
        if (!c)
                return NULL;
        sd_bus_track_unref(c->track);
        free(c->name);
        return mfree(c);
}
DEFINE_CLEANUP_FUNC(Client *, client_free);

/* --- leaving --------------------------------------------------------------------------------------- */

static void remove_subscription(Hosts *hosts, Subscription *s) {
        HASH_DEL(hosts->subscriptions, s);
        subscription_free(s);
}

static void leave(Subscription *s, Client *c) {
        for (size_t i = 0; i < s->n_clients; i++)
                if (s->clients[i] == c) {
                        s->clients[i] = s->clients[--s->n_clients];
                        c->n_subscriptions--;
                        return;
                }
}

static void forget_client(Client *c) {
        Hosts *hosts = c->hosts;
        Subscription *s, *next;

        HASH_ITER(hh, hosts->subscriptions, s, next) {
                leave(s, c);
                if (s->n_clients == 0)
                        remove_subscription(hosts, s);
        }
        HASH_DEL(hosts->clients, c);
        client_free(c);
}

static int on_client_gone(sd_bus_track *track, void *userdata) {
        forget_client(userdata);
        return 0;
}

void hosts_drop_subscriptions(Hosts *hosts) {
        Client *c, *next;

        HASH_ITER(hh, hosts->clients, c, next) {
                forget_client(c);
        }
}

int hosts_unsubscribe(Hosts *hosts, const char *host_id, const char *vm, sd_bus_message *message) {
        _cleanup_free_ char *key = strprintf("%s/%s", host_id, vm);
        Subscription *s;
        Client *c;

        if (!key)
                return -ENOMEM;
        HASH_FIND_STR(hosts->subscriptions, key, s);
        HASH_FIND_STR(hosts->clients, sd_bus_message_get_sender(message), c);
        if (s && c) {
                leave(s, c);
                if (s->n_clients == 0)
                        remove_subscription(hosts, s);
                if (c->n_subscriptions == 0)
                        forget_client(c);
        }
        return 0;
}

/* --- joining --------------------------------------------------------------------------------------- */

static int find_client(Hosts *hosts, sd_bus_message *message, Client **ret) {
        const char *name = sd_bus_message_get_sender(message);
        _cleanup_(client_freep) Client *c = NULL;
        Client *known;
        int r;

        HASH_FIND_STR(hosts->clients, name, known);
        if (known) {
                *ret = known;
                return 0;
        }
        if (HASH_COUNT(hosts->clients) >= CLIENTS_MAX)
                return -EBUSY;
        c = new0(Client, 1);
        if (!c)
                return -ENOMEM;
        c->hosts = hosts;
        c->name = strdup(name);
        if (!c->name)
                return -ENOMEM;
        r = sd_bus_track_new(hosts->bus, &c->track, on_client_gone, c);
        if (r >= 0)
                r = sd_bus_track_add_sender(c->track, message);
        if (r < 0)
                return r;
        HASH_ADD_KEYPTR(hh, hosts->clients, c->name, strlen(c->name), c);
        *ret = TAKE_PTR(c);
        return 0;
}

static int find_subscription(Host *h, const char *vm, Subscription **ret) {
        _cleanup_(subscription_freep) Subscription *s = NULL;
        _cleanup_free_ char *key = strprintf("%s/%s", h->row.id, vm);
        Subscription *known;
        Hosts *hosts = h->hosts;

        if (!key)
                return -ENOMEM;
        HASH_FIND_STR(hosts->subscriptions, key, known);
        if (known) {
                *ret = known;
                return 0;
        }
        if (HASH_COUNT(hosts->subscriptions) >= SUBSCRIPTIONS_MAX)
                return -EBUSY;
        s = new0(Subscription, 1);
        if (!s)
                return -ENOMEM;
        s->key = TAKE_PTR(key);
        s->vm_name = s->key + strlen(h->row.id) + 1;
        s->host_id = strdup(h->row.id);
        if (!s->host_id)
                return -ENOMEM;
        s->vm = host_find_vm_by_any(h, vm);
        HASH_ADD_KEYPTR(hh, hosts->subscriptions, s->key, strlen(s->key), s);
        *ret = TAKE_PTR(s);
        return 0;
}

static int join(Subscription *s, Client *c) {
        for (size_t i = 0; i < s->n_clients; i++)
                if (s->clients[i] == c)
                        return 0;
        if (!GREEDY_REALLOC(s->clients, s->n_allocated, s->n_clients + 1))
                return -ENOMEM;
        s->clients[s->n_clients++] = c;
        c->n_subscriptions++;
        return 0;
}

int hosts_subscribe(Hosts *hosts, Host *h, const char *vm, sd_bus_message *message, sd_bus_error *error) {
        Client *c = NULL;
        Subscription *s = NULL;
        int r;

        /* The VMs of a host that is not connected are not known. */
        if (h->row.state == HOST_CONNECTED && !h->looking && !host_find_vm_by_any(h, vm))
                return bus_no_such_vm(error, h, vm);
        r = find_client(hosts, message, &c);
        if (r >= 0)
                r = find_subscription(h, vm, &s);
        if (r >= 0) {
                r = join(s, c);
                if (s->n_clients == 0)
                        remove_subscription(hosts, s);
        }
        if (c && c->n_subscriptions == 0)
                forget_client(c);
        if (r == -EBUSY)
                return bus_error_setf(
                                error, HYPER_BUS_ERROR_UNAVAILABLE, "There are too many subscriptions.");
        if (r < 0)
                return r;
        /* One that comes later costs no poll of its own. */
        if (s->vm && stats_are_fresh(s->vm))
                subscription_publish(s, &c, 1);
        else
                stats_poll(h);
        return 0;
}
