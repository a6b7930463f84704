/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-dashboard.h"
#include "store/jobs-list.h"
#include "store/jobs.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/hypersdk/hypersdk-json.h"
#include "api/job-json.h"
#include "basic/string-util.h"
#include "json/json-table.h"

static json_t *text_of(const json_t *job, const char *path) {
        const char *s = json_string_value(json_path_get(job, path));

        return json_string(strempty(s));
}

/* Clients read the times of a job as text in any case: before it has started, that of its creation. */
static json_t *job_info_json(const JobRow *row, usec_t now) {
        _cleanup_json_ json_t *job = hypersdk_job_json(row),
                              *spec = row->spec ? json_loads(row->spec, 0, NULL) : NULL, *info = NULL;
        usec_t started = row->started_at > 0 ? row->started_at : row->created_at,
               end = row->finished_at > 0 ? row->finished_at : now;
        const char *destination = json_string_value(json_path_get(spec, "destination.path")),
                   *slash = destination ? strrchr(destination, '/') : NULL;
        json_t *error = json_object_get(job, "error");

        if (!job)
                return NULL;
        info = json_pack("{s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "id",
                        json_text(row->id), "name", text_of(job, "definition.name"), "status",
                        job_state_to_status(row->state), "progress", (int) job_row_percent(row),
                        "start_time", json_time(started), "duration_seconds",
                        json_count(row->started_at > 0 && end > row->started_at
                                                        ? (end - row->started_at) / USEC_PER_SEC
                                                        : 0),
                        "provider", text_of(spec, "source.type"), "vm_name",
                        text_of(job, "definition.vm_path"), "vm_path", text_of(job, "definition.vm_path"),
                        "output_dir",
                        slash ? json_stringn(destination,
                                                slash == destination ? 1 : (size_t) (slash - destination))
                              : json_string(""),
                        "format", text_of(spec, "destination.format"), "compress",
                        json_is_true(json_path_get(spec, "parameters.compress")), "created_at",
                        json_time(row->created_at), "updated_at", json_time(row->updated_at));
        if (!info)
                return NULL;
        if (row->finished_at > 0 && json_object_set_new(info, "end_time", json_time(row->finished_at)) < 0)
                return NULL;
        if (json_is_string(error) && json_object_set(info, "error_msg", error) < 0)
                return NULL;
        return TAKE_PTR(info);
}

static json_t *recent_json(const JobRows *rows, usec_t now) {
        _cleanup_json_ json_t *jobs = json_array();

        if (!jobs)
                return NULL;
        for (size_t i = 0; i < rows->n; i++)
                if (json_array_append_new(jobs, job_info_json(rows->rows[i], now)) < 0)
                        return NULL;
        return TAKE_PTR(jobs);
}

json_t *hypersdk_dashboard_json(const HypersdkDashboard *d, usec_t now) {
        uint64_t pending = 0;

        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                if (!job_state_is_terminal(s) && s != JOB_RUNNING)
                        pending += d->counts[s];
        /* Providers are vCenters and clouds, of which there are none; the daemon has one thread. */
        return json_pack("{s:{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:o, s:f, s:i, s:i, s:i, "
                         "s:o, s:o, s:s, s:o, s:o}}",
                        "raw", "timestamp", json_time(now), "jobs_active",
                        json_count(d->counts[JOB_RUNNING]), "jobs_completed",
                        json_count(d->counts[JOB_COMPLETED]), "jobs_failed",
                        json_count(d->counts[JOB_FAILED]), "jobs_pending", json_count(pending),
                        "jobs_cancelled", json_count(d->counts[JOB_CANCELLED]), "queue_length",
                        json_count(pending), "http_requests", json_count(d->requests), "http_errors",
                        json_count(d->errors), "avg_response_time",
                        d->requests > 0 ? (double) d->busy / (double) d->requests / USEC_PER_MSEC : 0.0,
                        "memory_usage", json_count(d->memory), "cpu_usage", d->cpu_percent, "goroutines", 1,
                        "active_connections", (int) d->connections, "websocket_clients", (int) d->websockets,
                        "provider_stats", json_object(), "recent_jobs", recent_json(d->recent, now),
                        "system_health", "healthy", "alerts", json_array(), "uptime_seconds",
                        json_count(d->uptime / USEC_PER_SEC));
}

uint64_t hypersdk_dashboard_memory(void) {
        FILE *f = fopen("/proc/self/statm", "re");
        unsigned long long size = 0, resident = 0;

        if (!f)
                return 0;
        if (fscanf(f, "%llu %llu", &size, &resident) != 2)
                resident = 0;
        (void) fclose(f);
        return resident * (uint64_t) sysconf(_SC_PAGESIZE);
}

usec_t hypersdk_dashboard_cpu(void) {
        struct rusage usage;

        if (getrusage(RUSAGE_SELF, &usage) < 0)
                return 0;
        return (usec_t) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * USEC_PER_SEC +
                        (usec_t) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}
