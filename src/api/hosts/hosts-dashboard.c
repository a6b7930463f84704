/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-dashboard.h"

#include <math.h>

#include "api/hosts/hosts-client.h"
#include "api/hosts/hosts-gather.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "basic/string-util.h"
#include "json/json-table.h"

/* --- activity -------------------------------------------------------------------------------------- */

typedef struct ActivityQuery {
        unsigned page, limit;
} ActivityQuery;

#define LIMIT_DEFAULT 50u
#define PAGE_MAX 1000u

const QueryField hosts_activity_query[] = {
        { "page", QUERY_UNSIGNED, offsetof(ActivityQuery, page), .min = 1, .max = PAGE_MAX,
                        .description = "Which page, from 1." },
        { "limit", QUERY_UNSIGNED, offsetof(ActivityQuery, limit), .min = 1, .max = 256,
                        .description = "How many on a page." },
        {},
};

static int read_activities(sd_bus_message *m, json_t *list) {
        int k = sd_bus_message_enter_container(m, 'a', "(ttssssss)");

        while (k >= 0) {
                const char *kind, *severity, *host, *uuid, *vm, *text;
                char number[32];
                uint64_t id;
                usec_t at;

                k = sd_bus_message_read(
                                m, "(ttssssss)", &id, &at, &kind, &severity, &host, &uuid, &vm, &text);
                if (k <= 0)
                        return k;
                (void) snprintf(number, sizeof(number), "%" PRIu64, id);
                if (json_array_append_new(list,
                                    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "id", number,
                                                    "type", kind, "message", text, "hostId", host, "vmUuid",
                                                    uuid, "vmName", vm, "timestamp", json_time(at),
                                                    "severity", severity, "details", "")) < 0)
                        return -ENOMEM;
        }
        return k;
}

static int call_activity(Request *r, const ActivityQuery *q, manager_reply_func func) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_manager_call_new(r, "ListActivity", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "tt", (uint64_t) (q->page - 1) * q->limit, (uint64_t) q->limit);
        return k < 0 ? k : manager_call(r, m, func, NULL);
}

static int on_activity(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_json_ json_t *list = json_array();
        ActivityQuery q = { .page = 1, .limit = LIMIT_DEFAULT };
        uint64_t total;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = list ? request_query_decode(r, &q) : -ENOMEM;
        if (k >= 0)
                k = sd_bus_message_read(reply, "t", &total);
        if (k >= 0)
                k = read_activities(reply, list);
        if (k < 0)
                return k;
        return request_reply_json(r, 200,
                        json_pack("{s:O, s:{s:I, s:i, s:i}}", "activities", list, "pagination", "total",
                                        (json_int_t) total, "page", (int) q.page, "limit", (int) q.limit));
}

int hosts_get_activity(Request *r) {
        ActivityQuery q = { .page = 1, .limit = LIMIT_DEFAULT };
        int k = request_query_decode(r, &q);

        return k < 0 ? k : call_activity(r, &q, on_activity);
}

/* --- figures --------------------------------------------------------------------------------------- */

typedef struct Figures {
        uint64_t memory, memory_available, disk, disk_free, cpus;
        double cpu_percent; /* of all, weighted by their processors */
        unsigned n_answers;
} Figures;

static int take_figures(Gather *g, const char *host_id, sd_bus_message *reply) {
        uint64_t memory, available, disk, disk_free, uptime;
        uint32_t cpu, cores, threads;
        const char *hostname;
        Figures *f = g->userdata;
        double percent;
        int k;

        if (!f) {
                f = new0(Figures, 1);
                if (!f)
                        return -ENOMEM;
                g->userdata = f;
        }
        k = sd_bus_message_read(reply, "sduuuttttt", &hostname, &percent, &cpu, &cores, &threads, &memory,
                        &available, &disk, &disk_free, &uptime);
        if (k < 0)
                return k;
        f->memory += memory;
        f->memory_available += available;
        f->disk += disk;
        f->disk_free += disk_free;
        f->cpus += cpu;
        f->cpu_percent += percent * cpu;
        f->n_answers++;
        return 0;
}

typedef struct VmCounts {
        json_int_t total, running, stopped, cpus;
} VmCounts;

static int count_vms(Request *r, VmCounts *ret) {
        _cleanup_free_ VmCount *by_state = NULL;
        Store *store;
        VmCounts c = {};
        size_t n = 0;
        int k = api_hosts_store(request_api(r), &store);

        if (k >= 0)
                k = store_vms_count(store, NULL, &by_state, &n);
        for (size_t i = 0; i < n && k >= 0; i++) {
                const char *state = vm_state_to_string(by_state[i].state);

                c.total += (json_int_t) by_state[i].n;
                if (streq(state, "ACTIVE")) {
                        c.running += (json_int_t) by_state[i].n;
                        c.cpus += (json_int_t) by_state[i].vcpus;
                } else if (streq(state, "STOPPED"))
                        c.stopped += (json_int_t) by_state[i].n;
        }
        if (k >= 0)
                *ret = c;
        return k;
}

static double percent_of(double part, double whole) {
        return whole > 0 ? round(part / whole * 10000) / 100 : 0;
}

static double gibibytes(uint64_t bytes) {
        return round((double) bytes / (1 << 30) * 100) / 100;
}

static json_t *stats_json(Gather *g) {
        static const Figures none = {};
        const Figures *f = g->userdata ? g->userdata : &none;
        uint64_t used = f->memory - f->memory_available;
        json_int_t away = (json_int_t) (g->n_hosts - f->n_answers);
        VmCounts c;

        if (count_vms(g->request, &c) < 0)
                return NULL;
        return json_pack("{s:{s:i, s:i, s:I, s:I, s:I}, s:{s:f, s:f, s:f, s:I, s:I, s:f, s:I, s:I}, s:{s:s, "
                         "s:o, s:i, s:I}}",
                        "infrastructure", "totalHosts", (int) g->n_hosts, "connectedHosts",
                        (int) g->n_connected, "totalVMs", c.total, "runningVMs", c.running, "stoppedVMs",
                        c.stopped, "resources", "totalMemoryGB", gibibytes(f->memory), "usedMemoryGB",
                        gibibytes(used), "memoryUtilization", percent_of((double) used, (double) f->memory),
                        "totalCPUs", (json_int_t) f->cpus, "allocatedCPUs", c.cpus, "cpuUtilization",
                        f->cpus > 0 ? round(f->cpu_percent / (double) f->cpus * 100) / 100 : 0.0,
                        "diskBytes", (json_int_t) f->disk, "diskFreeBytes", (json_int_t) f->disk_free,
                        "health", "systemStatus", away > 0 ? "warning" : "healthy", "lastSync",
                        json_time(now_realtime()), "errors", 0, "warnings", away);
}

static int finish_stats(Gather *g) {
        return request_reply_json(g->request, 200, stats_json(g));
}

int hosts_get_dashboard_stats(Request *r) {
        static const GatherKind kind = { "GetStats", take_figures, finish_stats, free };

        return hosts_gather(r, &kind);
}

/* --- both ------------------------------------------------------------------------------------------ */

static int on_overview(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_json_ json_t *list = json_array();
        Gather *g = request_userdata(r);
        uint64_t total;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = list ? sd_bus_message_read(reply, "t", &total) : -ENOMEM;
        if (k >= 0)
                k = read_activities(reply, list);
        if (k < 0)
                return k;
        return request_reply_json(r, 200,
                        json_pack("{s:o, s:O, s:o}", "stats", stats_json(g), "activities", list, "timestamp",
                                        json_time(now_realtime())));
}

static int ask_activity(Gather *g) {
        static const ActivityQuery first = { .page = 1, .limit = 10 };

        return call_activity(g->request, &first, on_overview);
}

int hosts_get_dashboard_overview(Request *r) {
        static const GatherKind kind = { "GetStats", take_figures, ask_activity, free };

        return hosts_gather(r, &kind);
}
