/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-routes.h"
#include "api/http/request-body.h"
#include "store/jobs-list.h"
#include "store/jobs.h"

#include "api/http/reply.h"
#include "api/hypersdk/hypersdk-cancel.h"
#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-inspect.h"
#include "api/hypersdk/hypersdk-json.h"
#include "api/hypersdk/hypersdk-logs.h"
#include "api/hypersdk/hypersdk-metrics.h"
#include "api/hypersdk/hypersdk-read.h"
#include "api/hypersdk/hypersdk-retry.h"
#include "api/hypersdk/hypersdk-schedules.h"
#include "api/hypersdk/hypersdk-sources.h"
#include "api/hypersdk/hypersdk-submit.h"
#include "api/hypersdk/hypersdk-vms.h"
#include "api/hypersdk/hypersdk-webhooks.h"
#include "api/hypersdk/hypersdk-workflow.h"
#include "api/hypersdk/hypersdk-ws.h"
#include "api/job-cutover.h"
#include "api/job-json.h"
#include "api/job-screenshot.h"
#include "api/job-submit.h"
#include "api/jobs-reply.h"
#include "api/v1/v1-readiness.h"
#include "basic/string-util.h"
#include "journal/journal-follow.h"
#include "shared/machine.h"

#define LOG_TAIL_MAX 10000u
#define VMS_BODY_MAX ((size_t) 128 * 1024)

static int get_health(Request *r) {
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:s, s:o}", "status", "ok", "version", PACKAGE_VERSION, "timestamp",
                                        json_time(now_realtime())));
}

static int get_status(Request *r) {
        json_t *status;
        int k = hypersdk_read_status(request_api(r), &status);

        return k < 0 ? k : request_reply_json(r, 200, status);
}

static int get_capabilities(Request *r) {
        HypersdkTool tools[] = { { "qemu-img", NULL, true }, { "qemu-nbd", NULL, true },
                { "nbdkit", NULL, false } };
        json_t *answer;

        for (size_t i = 0; i < ELEMENTSOF(tools); i++)
                tools[i].path = machine_find_program(tools[i].name);
        answer = hypersdk_capabilities_json(tools, ELEMENTSOF(tools), now_realtime());
        for (size_t i = 0; i < ELEMENTSOF(tools); i++)
                free((char *) tools[i].path);
        return request_reply_json(r, 200, answer);
}

static json_t *job_element(const JobRow *row, usec_t now) {
        return hypersdk_job_json(row);
}

static const JobsFormat job_format = { .to_json = job_element, .step = 25 };

static int reply_selection(Request *r, const HypersdkSelection *s) {
        JobFilter filter = {
                .states = s->states, .ids = s->ids, .order = JOB_ORDER_NEWEST, .offset = s->offset
        };
        usec_t now = now_realtime();

        /* Who wants all gets as much as one answer holds; "total" and "offset" lead to the rest. */
        filter.limit = s->limit > 0 ? s->limit : s->all ? HYPERSDK_LIMIT_MAX : HYPERSDK_LIMIT_DEFAULT;
        return request_reply_jobs(
                        r, &filter, json_pack("{s:o}", "timestamp", json_time(now)), &job_format, now);
}

static int reply_errors(Request *r, const JsonErrors *errors) {
        _cleanup_free_ char *text = json_errors_text(errors);

        return text ? request_reply_error(r, 400, "%s", text) : -ENOMEM;
}

static int post_query(Request *r) {
        _cleanup_(hypersdk_selection_done) HypersdkSelection s = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL;
        size_t size;
        int k;

        (void) request_body(r, &size);
        if (size > 0) {
                k = request_json_object(r, &body);
                if (k < 0)
                        return k;
                k = hypersdk_query_decode(body, &s, &errors);
                if (k == -EBADMSG)
                        return reply_errors(r, &errors);
                if (k < 0)
                        return k;
        }
        return reply_selection(r, &s);
}

typedef struct QueryParameters {
        uint32_t states;
        bool all;
        uint64_t limit, offset;
} QueryParameters;

static const QueryField query_parameters[] = {
        { .key = "status",
                        .type = QUERY_ENUM_SET,
                        .offset = offsetof(QueryParameters, states),
                        .mask_from_string = hypersdk_status_to_states,
                        .expected = "one of pending, running, completed, failed, cancelled" },
        { .key = "all", .type = QUERY_BOOLEAN, .offset = offsetof(QueryParameters, all) },
        { .key = "limit",
                        .type = QUERY_UINT64,
                        .offset = offsetof(QueryParameters, limit),
                        .max = HYPERSDK_LIMIT_MAX },
        { .key = "offset",
                        .type = QUERY_UINT64,
                        .offset = offsetof(QueryParameters, offset),
                        .max = INT64_MAX },
        {},
};

/* ?job_ids=a,b&job_ids=c; an id has no comma. */
static int add_ids(char ***ids, const char *list) {
        for (const char *p = list;; p++) {
                size_t n = strcspn(p, ",");
                char *id = n > 0 ? strndup(p, n) : NULL;

                if (n > 0 && (!id || strv_consume(ids, id) < 0))
                        return -ENOMEM;
                p += n;
                if (!*p)
                        return 0;
        }
}

static int get_query(Request *r) {
        _cleanup_(hypersdk_selection_done) HypersdkSelection s = {};
        QueryParameters q = {};
        const char *list;
        int k;

        k = request_query_decode(r, &q);
        if (k < 0)
                return k;
        for (size_t i = 0; (list = request_query_nth(r, "job_ids", i)); i++) {
                k = add_ids(&s.ids, list);
                if (k < 0)
                        return k;
        }
        s.states = q.states;
        s.all = q.all;
        s.limit = q.limit;
        s.offset = q.offset;
        return reply_selection(r, &s);
}

static int get_job(Request *r) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int k = job_find(r, request_param(r, "id"), &row);

        return k < 0 ? k : request_reply_json(r, 200, hypersdk_job_json(row));
}

static int get_progress(Request *r) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int k = job_find(r, request_param(r, "id"), &row);

        return k < 0 ? k : request_reply_json(r, 200, hypersdk_progress_json(row));
}

static int get_eta(Request *r) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int k = job_find(r, request_param(r, "id"), &row);

        return k < 0 ? k : request_reply_json(r, 200, hypersdk_eta_json(row, now_realtime()));
}

typedef struct LogParameters {
        unsigned tail;
} LogParameters;

static const QueryField log_parameters[] = {
        { .key = "tail",
                        .type = QUERY_UNSIGNED,
                        .offset = offsetof(LogParameters, tail),
                        .min = 1,
                        .max = LOG_TAIL_MAX },
        {},
};

static int get_logs(Request *r) {
        LogParameters q = {};
        JobRow *row;
        int k;

        k = request_query_decode(r, &q);
        if (k >= 0)
                k = job_find(r, request_param(r, "id"), &row);
        return k < 0 ? k : hypersdk_reply_logs(r, row, q.tail);
}

static int get_websocket(Request *r) {
        return request_reply_websocket(r, &hypersdk_websocket);
}

static const Route hypersdk_routes[] = {
        { HTTP_GET, "/health", SCOPE_PUBLIC, get_health, .summary = "Health check." },
        { HTTP_GET, "/status", SCOPE_READ, get_status, .summary = "Get the number of jobs by status." },
        { HTTP_GET, "/vms/list", SCOPE_READ, hypersdk_list_vms,
                        .summary = "List the VMs of a vCenter or ESXi host." },
        { HTTP_POST, "/vms/list", SCOPE_READ, hypersdk_list_vms, .max_body = VMS_BODY_MAX,
                        .summary = "List the VMs of a vCenter or ESXi host." },
        { HTTP_GET, "/vms/info", SCOPE_READ, hypersdk_vm_info,
                        .summary = "Show a VM of a vCenter or ESXi host." },
        { HTTP_POST, "/vms/info", SCOPE_READ, hypersdk_vm_info, .max_body = VMS_BODY_MAX,
                        .summary = "Show a VM of a vCenter or ESXi host." },
        { HTTP_POST, "/vms/shutdown", SCOPE_SUBMIT, hypersdk_shut_down_vm, .max_body = VMS_BODY_MAX,
                        .summary = "Ask a VM of a vCenter or ESXi host to shut down." },
        { HTTP_POST, "/vms/poweroff", SCOPE_SUBMIT, hypersdk_power_off_vm, .max_body = VMS_BODY_MAX,
                        .summary = "Force power off of a VM of a vCenter or ESXi host." },
        { HTTP_POST, "/vms/remove-cdrom", SCOPE_SUBMIT, hypersdk_remove_cdroms, .max_body = VMS_BODY_MAX,
                        .summary = "Remove the CD-ROM drives of a VM of a vCenter or ESXi host." },
        { HTTP_GET, "/sources", SCOPE_READ, hypersdk_list_sources, .summary = "List named sources." },
        { HTTP_POST, "/sources", SCOPE_ADMIN, hypersdk_add_source, .max_body = VMS_BODY_MAX,
                        .summary = "Add a named source, a vCenter or an ESXi host." },
        { HTTP_DELETE, "/sources/{name}", SCOPE_ADMIN, hypersdk_remove_source,
                        .summary = "Remove a named source." },
        { HTTP_POST, "/sources/{name}/test", SCOPE_SUBMIT, hypersdk_test_source,
                        .summary = "Log in to a named source, and get what the server is." },
        { HTTP_POST, "/inspect/source", SCOPE_SUBMIT, hypersdk_inspect_source, .max_body = VMS_BODY_MAX,
                        .summary = "Inspect the source of a job, without a job.",
                        .body = &hypersdk_inspect_source_schema,
                        .replies = hypersdk_inspect_source_replies },
        { HTTP_POST, "/inspect/destination", SCOPE_SUBMIT, hypersdk_inspect_destination,
                        .max_body = VMS_BODY_MAX, .summary = "Get the space of the destination of a job.",
                        .body = &hypersdk_inspect_destination_schema,
                        .replies = hypersdk_inspect_destination_replies },
        { HTTP_GET, "/metrics", SCOPE_READ, hypersdk_get_metrics, .summary = "Metrics for Prometheus." },
        { HTTP_GET, "/readiness", SCOPE_READ, v1_get_readiness, .query = v1_readiness_query,
                        .summary = "Check whether virtual machines can be migrated here.",
                        .replies = v1_readiness_replies },
        { HTTP_GET, "/capabilities", SCOPE_READ, get_capabilities,
                        .summary = "Get the capabilities of this machine." },
        { HTTP_POST, "/jobs/submit", SCOPE_SUBMIT, hypersdk_submit,
                        .summary = "Submit a job, or a list of jobs." },
        { HTTP_GET, "/jobs/query", SCOPE_READ, get_query, .query = query_parameters,
                        .summary = "List jobs by ID and status, newest first." },
        { HTTP_POST, "/jobs/query", SCOPE_READ, post_query,
                        .summary = "List jobs by ID and status, newest first." },
        { HTTP_POST, "/jobs/cancel", SCOPE_SUBMIT, hypersdk_cancel,
                        .summary = "Cancel jobs by ID, by status, or both." },
        { HTTP_GET, "/jobs/{id}", SCOPE_READ, get_job, .from_database = true, .summary = "Get a job." },
        { HTTP_POST, "/jobs/{id}/retry", SCOPE_SUBMIT, hypersdk_retry, .summary = "Retry a failed job." },
        { HTTP_POST, "/jobs/{id}/cutover", SCOPE_SUBMIT, job_cutover,
                        .summary = "Cut over a warm job, now or at a time, or take that back." },
        { HTTP_GET, "/jobs/{id}/boot-screen", SCOPE_READ, job_screenshot,
                        .summary = "Get the screenshot of a proof of boot." },
        { HTTP_GET, "/jobs/status/{id}", SCOPE_READ, get_job, .from_database = true,
                        .summary = "Get a job." },
        { HTTP_GET, "/jobs/progress/{id}", SCOPE_READ, get_progress,
                        .summary = "Get the progress of a job." },
        { HTTP_GET, "/jobs/logs/{id}", SCOPE_READ, get_logs, .query = log_parameters,
                        .summary = "Get the log of a job." },
        { HTTP_GET, "/jobs/{id}/log", SCOPE_READ, hypersdk_get_log, .query = hypersdk_log_query,
                        .summary = "Get a page of the log of a job.", .replies = hypersdk_log_replies },
        { HTTP_GET, "/jobs/eta/{id}", SCOPE_READ, get_eta,
                        .summary = "Get the estimated time of completion." },
        { HTTP_GET, "/schedules", SCOPE_READ, hypersdk_list_schedules, .query = hypersdk_schedule_parameters,
                        .summary = "List schedules in the order of their creation." },
        { HTTP_POST, "/schedules", SCOPE_SUBMIT, hypersdk_create_schedule, .summary = "Create a schedule." },
        { HTTP_GET, "/schedules/stats", SCOPE_READ, hypersdk_schedule_stats,
                        .summary = "Get the number of schedules and runs." },
        { HTTP_GET, "/schedules/{id}", SCOPE_READ, hypersdk_get_schedule, .from_database = true,
                        .summary = "Get a schedule." },
        { HTTP_PUT, "/schedules/{id}", SCOPE_SUBMIT, hypersdk_update_schedule,
                        .summary = "Change a schedule." },
        { HTTP_DELETE, "/schedules/{id}", SCOPE_SUBMIT, hypersdk_delete_schedule,
                        .summary = "Delete a schedule, but not its jobs." },
        { HTTP_POST, "/schedules/{id}/enable", SCOPE_SUBMIT, hypersdk_enable_schedule,
                        .summary = "Enable a schedule." },
        { HTTP_POST, "/schedules/{id}/disable", SCOPE_SUBMIT, hypersdk_disable_schedule,
                        .summary = "Disable a schedule." },
        { HTTP_POST, "/schedules/{id}/trigger", SCOPE_SUBMIT, hypersdk_trigger_schedule,
                        .summary = "Run a schedule immediately." },
        { HTTP_GET, "/webhooks", SCOPE_READ, hypersdk_list_webhooks, .summary = "List webhooks by index." },
        { HTTP_POST, "/webhooks", SCOPE_ADMIN, hypersdk_add_webhook, .summary = "Add a webhook." },
        { HTTP_POST, "/webhooks/test", SCOPE_ADMIN, hypersdk_test_any_webhook,
                        .summary = "Send an event to a URL and return the response." },
        { HTTP_GET, "/webhooks/{index}", SCOPE_READ, hypersdk_get_webhook, .summary = "Get a webhook." },
        { HTTP_DELETE, "/webhooks/{index}", SCOPE_ADMIN, hypersdk_remove_webhook,
                        .summary = "Remove a webhook." },
        { HTTP_POST, "/webhooks/{index}/test", SCOPE_ADMIN, hypersdk_test_webhook,
                        .summary = "Send an event to a webhook and return the response." },
        { HTTP_GET, "/webhooks/{index}/deliveries", SCOPE_READ, hypersdk_list_deliveries,
                        .query = hypersdk_delivery_parameters,
                        .summary = "List recent deliveries of a webhook, newest first." },
        { HTTP_GET, "/api/workflow/status", SCOPE_READ, hypersdk_workflow_status,
                        .summary = "Get the state of the queue." },
        { HTTP_GET, "/api/workflow/jobs", SCOPE_READ, hypersdk_workflow_jobs,
                        .query = hypersdk_workflow_parameters,
                        .summary = "List jobs by status and workflow, newest first." },
        { HTTP_GET, "/api/workflow/jobs/active", SCOPE_READ, hypersdk_workflow_active_jobs,
                        .query = hypersdk_workflow_parameters,
                        .summary = "List running jobs, newest first." },
        { HTTP_POST, "/api/workflow/status", SCOPE_READ, hypersdk_workflow_status,
                        .summary = "Get the state of the queue." },
        { HTTP_POST, "/api/workflow/jobs", SCOPE_READ, hypersdk_workflow_jobs,
                        .query = hypersdk_workflow_parameters,
                        .summary = "List jobs by status and workflow, newest first." },
        { HTTP_POST, "/api/workflow/jobs/active", SCOPE_READ, hypersdk_workflow_active_jobs,
                        .query = hypersdk_workflow_parameters,
                        .summary = "List running jobs, newest first." },
        { HTTP_POST, "/api/workflow/manifest/submit", SCOPE_SUBMIT, hypersdk_submit_manifest,
                        .summary = "Submit the VMs of a manifest." },
        { HTTP_POST, "/api/workflow/manifest/validate", SCOPE_READ, hypersdk_validate_manifest,
                        .summary = "Check a manifest." },
        { HTTP_POST, "/manifest/submit", SCOPE_SUBMIT, hypersdk_submit_manifest,
                        .summary = "Submit the VMs of a manifest." },
        { HTTP_POST, "/manifest/validate", SCOPE_READ, hypersdk_validate_manifest,
                        .summary = "Check a manifest." },
        { HTTP_GET, "/ws", SCOPE_READ, get_websocket,
                        .summary = "WebSocket with changes of jobs and schedules." },
        {},
};

static json_t *error_json(Request *r, unsigned status, const char *message) {
        return json_pack("{s:o, s:o}", "error", json_text(message), "timestamp", json_time(now_realtime()));
}

const Dialect hypersdk_dialect = {
        .name = HYPERSDK_DIALECT,
        .fd_name = "hyper",
        .routes = hypersdk_routes,
        .error = error_json,
};
