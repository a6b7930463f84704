/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/subscription.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/hosts.h"
#include "hosts/stats-json.h"

Subscription *subscription_free(Subscription *s) {
        if (!s)
                return NULL;
        free(s->key);
        free(s->host_id);
        free(s->clients);
        return mfree(s);
}

static int send_stats(const Subscription *s, const Client *c, const char *text) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = sd_bus_message_new_signal(
                        c->hosts->bus, &m, HYPER_HOSTS_BUS_PATH, HYPER_HOSTS_MANAGER_INTERFACE, "VmStats");

        if (r >= 0)
                r = sd_bus_message_append(m, "sss", s->host_id, s->vm_name, text);
        return r < 0 ? r : sd_bus_send_to(c->hosts->bus, m, c->name, NULL);
}

void subscription_publish(const Subscription *s, Client *const *clients, size_t n) {
        _cleanup_free_ char *text = vm_stats_to_json(s->vm);
        int r = text ? 0 : -ENOMEM;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = send_stats(s, clients[i], text);
        if (r < 0)
                log_warning_errno(r, "Failed to send the statistics of VM %s on host %s: %m", s->vm_name,
                                s->host_id);
}
