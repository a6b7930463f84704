/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-gather.h"

#include "api/hosts/hosts-client.h"
#include "api/http/reply.h"
#include "basic/log.h"
#include "basic/string-util.h"

static void gather_free(void *userdata) {
        Gather *g = userdata;

        g->kind->free(g->userdata);
        strv_free(g->ids);
        free(g);
}

static bool asks_one(Request *r) {
        return strstr(request_route(r)->path, "{id}");
}

static int on_answer(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        Gather *g = request_userdata(r);
        const char *id = g->ids[PTR_TO_SIZE(userdata)];
        int k = 0;

        g->n_out--;
        if (error && asks_one(r))
                return hosts_reply_host_error(r, error);
        if (error)
                log_debug("Host %s is left out of %s: %s", id, request_path(r), strempty(error->message));
        else
                k = g->kind->take(g, id, reply);
        if (k < 0)
                return k;
        return g->n_out == 0 ? g->kind->finish(g) : 0;
}

static int ask_all(Gather *g) {
        size_t n = strv_length(g->ids);

        if (n == 0)
                return g->kind->finish(g);
        g->n_out = n;
        for (size_t i = 0; i < n; i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
                int k = hosts_host_call_new(g->request, g->ids[i], g->kind->member, &m);

                if (k >= 0)
                        k = manager_call(g->request, m, on_answer, SIZE_TO_PTR(i));
                if (k < 0)
                        return k;
        }
        return 0;
}

static int on_hosts(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        Gather *g = request_userdata(r);
        HostView h;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = hosts_list_enter(reply);
        while (k >= 0) {
                k = hosts_list_next(reply, &h);
                if (k <= 0)
                        break;
                g->n_hosts++;
                if (!streq(h.state, "CONNECTED"))
                        continue;
                g->n_connected++;
                k = strv_extend(&g->ids, h.id);
        }
        return k < 0 ? k : ask_all(g);
}

int hosts_gather(Request *r, const GatherKind *kind) {
        Gather *g = new0(Gather, 1);
        int k;

        if (!g)
                return -ENOMEM;
        g->request = r;
        g->kind = kind;
        request_set_userdata(r, g, gather_free);
        if (!asks_one(r))
                return hosts_list(r, on_hosts);
        /* If it does not exist, or is not connected, its call fails. */
        k = strv_extend(&g->ids, request_param(r, "id"));
        return k < 0 ? k : ask_all(g);
}
