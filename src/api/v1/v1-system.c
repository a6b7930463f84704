/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-system.h"

#include "api/http/reply.h"
#include "api/job-json.h"
#include "api/v1/v1-alerts.h"
#include "api/v1/v1-machine.h"
#include "api/v1/v1-settings.h"
#include "basic/string-util.h"
#include "store/jobs-list.h"
#include "store/jobs-page.h"
#include "store/workers.h"
#include "json/json-table.h"

#define WORKER_ACTIVE (60 * USEC_PER_SEC)

static const SchemaField component_fields[] = {
        { "name", SCHEMA_STRING },
        { "status", SCHEMA_STRING, .description = "ok, warning or error" },
        { "message", SCHEMA_STRING },
        {},
};
static const Schema component_schema = { .name = "Component", .fields = component_fields };

static const SchemaField health_fields[] = {
        { "status", SCHEMA_STRING, .description = "healthy, degraded or unhealthy" },
        { "version", SCHEMA_STRING },
        { "hostname", SCHEMA_STRING },
        { "uptime_seconds", SCHEMA_INTEGER, .description = "Of this machine." },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "cpu", SCHEMA_OBJECT, .description = "{\"cores\", \"percent\", \"load\"}" },
        { "memory", SCHEMA_OBJECT, SCHEMA_NULLABLE,
                        "{\"total_bytes\", \"used_bytes\", \"available_bytes\", \"percent\"}" },
        { "disks", SCHEMA_ARRAY_ANY, .description = "Of the directories of files.roots." },
        { "pressure", SCHEMA_OBJECT, .description = "{\"cpu\", \"memory\", \"io\"}, each may be null" },
        { "jobs", SCHEMA_OBJECT, .description = "The number of jobs by status, and max_running." },
        { "workers", SCHEMA_OBJECT, .description = "{\"total\", \"active\"}" },
        { "websocket_clients", SCHEMA_INTEGER, .description = "And other streams." },
        { "components", SCHEMA_ARRAY, .schema = &component_schema },
        {},
};
static const Schema health_schema = { .name = "SystemHealth", .fields = health_fields };
const Reply v1_system_health_replies[] = { REPLY_OBJECT(200, "The load and the state.", health_schema), {} };

static json_t *jobs_json(Store *store, unsigned max_running) {
        static const JobStatus order[] = { STATUS_QUEUED, STATUS_RUNNING, STATUS_COMPLETED, STATUS_FAILED,
                STATUS_CANCELLED };
        uint64_t counts[_JOB_STATE_MAX] = {}, by_status[_STATUS_MAX] = {};
        json_t *o = json_object();

        if (store)
                (void) store_jobs_count(store, counts);
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                by_status[job_status_of_state(s)] += counts[s];
        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                if (json_object_set_new(o, job_status_to_string(order[i]), json_count(by_status[order[i]])) <
                                0)
                        return json_decref(o), NULL;
        if (json_object_set_new(o, "max_running", json_integer(max_running)) < 0)
                return json_decref(o), NULL;
        return o;
}

static json_t *workers_json(Store *store) {
        uint64_t total = 0, active = 0;

        if (store)
                (void) store_workers_count(store, now_realtime() - WORKER_ACTIVE, &total, &active);
        return json_pack("{s:o, s:o}", "total", json_count(total), "active", json_count(active));
}

/* --- components ------------------------------------------------------------------------------------ */

/* A component for each kind of alert of this machine: the worst one counts. */
static const struct {
        const char *name, *alert;
} components[] = {
        { "database", "database_error" },
        { "disk_space", "disk_space" },
        { "certificate", "certificate_expiring" },
        { "clock", "clock_unsynchronized" },
        { "workers", "worker_lost" },
};

static bool is_critical(const json_t *alert) {
        return streq_ptr(json_string_value(json_object_get(alert, "severity")), "critical");
}

/* 0: no alert, 1: a warning, 2: a critical one. */
static int component_json(const json_t *alerts, size_t i, json_t **ret) {
        const char *message = "There is no alert.";
        const json_t *alert;
        int worst = 0;
        size_t k;

        json_array_foreach(alerts, k, alert) {
                int level = is_critical(alert) ? 2 : 1;

                if (level <= worst ||
                                !streq_ptr(json_string_value(json_object_get(alert, "name")),
                                                components[i].alert))
                        continue;
                worst = level;
                message = strempty(json_string_value(json_object_get(alert, "message")));
        }
        *ret = json_pack("{s:s, s:s, s:s}", "name", components[i].name, "status",
                        worst == 0                   ? "ok"
                                        : worst == 1 ? "warning"
                                                     : "error",
                        "message", message);
        return worst;
}

json_t *v1_system_health_json(Api *a) {
        static const char *const words[] = { "healthy", "degraded", "unhealthy" };
        _cleanup_(settings_freep) Settings *settings = v1_settings();
        _cleanup_json_ json_t *alerts = v1_alerts_json(a, now_realtime()), *list = json_array();
        Store *store = NULL;
        int worst = 0;

        if (!settings || !alerts || !list)
                return NULL;
        (void) api_store(a, &store);
        for (size_t i = 0; i < ELEMENTSOF(components); i++) {
                json_t *component;
                int level = component_json(alerts, i, &component);

                worst = MAX(worst, level);
                if (json_array_append_new(list, component) < 0)
                        return NULL;
        }
        return json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:O}", "status",
                        words[worst], "version", PACKAGE_VERSION, "hostname", api_hostname(a),
                        "uptime_seconds", (json_int_t) (v1_uptime() / USEC_PER_SEC), "timestamp",
                        json_time(now_realtime()), "cpu", v1_cpu_json(), "memory", v1_memory_json(), "disks",
                        v1_disks_json(settings->files.roots), "pressure", v1_pressure_json(), "jobs",
                        jobs_json(store, settings->jobs.max_running), "workers", workers_json(store),
                        "websocket_clients", (int) api_counters(a)->streams, "components", list);
}

int v1_get_system_health(Request *r) {
        return request_reply_json(r, 200, v1_system_health_json(request_api(r)));
}
