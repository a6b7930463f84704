/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/v1/v1-routes.h"
#include "api/http/reply.h"
#include "api/http/request.h"
#include "api/hypersdk/hypersdk-routes.h"
#include "api/openapi/docs-pages.h"
#include "api/openapi/openapi.h"
#include "api/v1/v1-alerts.h"
#include "api/v1/v1-audit.h"
#include "api/v1/v1-auth.h"
#include "api/v1/v1-browse.h"
#include "api/v1/v1-capabilities.h"
#include "api/v1/v1-carbon-json.h"
#include "api/v1/v1-carbon.h"
#include "api/v1/v1-chunk.h"
#include "api/v1/v1-connect.h"
#include "api/v1/v1-deploy.h"
#include "api/v1/v1-files.h"
#include "api/v1/v1-job-decode.h"
#include "api/v1/v1-job-json.h"
#include "api/v1/v1-jobs.h"
#include "api/v1/v1-json.h"
#include "api/v1/v1-libvirt.h"
#include "api/v1/v1-login.h"
#include "api/v1/v1-logs.h"
#include "api/v1/v1-metrics.h"
#include "api/v1/v1-provider-connect.h"
#include "api/v1/v1-providers.h"
#include "api/v1/v1-readiness.h"
#include "api/v1/v1-schedule-json.h"
#include "api/v1/v1-schedules.h"
#include "api/v1/v1-session.h"
#include "api/v1/v1-submit.h"
#include "api/v1/v1-system.h"
#include "api/v1/v1-upload.h"
#include "api/v1/v1-vms.h"
#include "api/v1/v1-ws.h"
#include "json/json-table.h"

#define UPLOAD_BODY_MAX ((size_t) 8 * 1024)
#define VMS_BODY_MAX ((size_t) 16 * 1024)
#define CARBON_BODY_MAX ((size_t) 8 * 1024)

static const SchemaField health_fields[] = {
        { "status", SCHEMA_STRING, .description = "\"healthy\"" },
        { "version", SCHEMA_STRING },
        { "timestamp", SCHEMA_TIMESTAMP },
        {},
};
static const Schema health_schema = { .name = "Health", .fields = health_fields };

static const SchemaField field_error_fields[] = {
        { "field", SCHEMA_STRING },
        { "message", SCHEMA_STRING },
        {},
};
static const Schema field_error_schema = { .name = "FieldError", .fields = field_error_fields };

static const SchemaField error_fields[] = {
        { "error", SCHEMA_STRING, .description = "What is wrong, for people." },
        { "status", SCHEMA_INTEGER, .description = "The status of the reply." },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "errors", SCHEMA_ARRAY, SCHEMA_OPTIONAL, "Each wrong field, if fields are wrong.",
                        &field_error_schema },
        {},
};
static const Schema error_schema = { .name = "Error", .fields = error_fields };

/* Opens the database to verify that it can be read. It does not exist before the first job. */
static int get_health(Request *r) {
        Store *store;
        int k = api_store(request_api(r), &store);

        if (k < 0 && k != -ENOENT)
                return request_reply_error(r, 503,
                                "The database cannot be read; see the journal of "
                                "hyper.service.");
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:s, s:o}", "status", "healthy", "version", PACKAGE_VERSION,
                                        "timestamp", json_time(now_realtime())));
}

/* clang-format off */
static const Route v1_routes[] = {
        { HTTP_GET, "/health", SCOPE_PUBLIC, get_health, .summary = "Health check.",
                .replies = REPLIES(REPLY_OBJECT(200, "The API is served.", health_schema)) },
        { HTTP_POST, "/auth/login", SCOPE_PUBLIC, v1_log_in, .max_body = V1_AUTH_BODY_MAX,
                .summary = "Log in with the password of a user of the system.", .body = &v1_login_schema,
                .replies = REPLIES(REPLY_OBJECT(200, "The token of a new session.", v1_token_schema)) },
        { HTTP_POST, "/api/login", SCOPE_PUBLIC, v1_log_in, .max_body = V1_AUTH_BODY_MAX,
                .summary = "The same as POST /auth/login.", .body = &v1_login_schema,
                .replies = REPLIES(REPLY_OBJECT(200, "The token of a new session.", v1_token_schema)) },
        { HTTP_POST, "/auth/refresh", SCOPE_READ, v1_refresh, .max_body = V1_AUTH_BODY_MAX,
                .summary = "Replace the token of the session. The old one is valid for 30 seconds more.",
                .replies = REPLIES(REPLY_OBJECT(200, "The new token.", v1_token_schema)) },
        { HTTP_POST, "/auth/logout", SCOPE_READ, v1_log_out, .max_body = V1_AUTH_BODY_MAX,
                .summary = "End the session.",
                .replies = REPLIES(REPLY_OBJECT(200, "The token is invalid now.", v1_message_schema)) },
        { HTTP_POST, "/api/logout", SCOPE_READ, v1_log_out, .max_body = V1_AUTH_BODY_MAX,
                .summary = "The same as POST /auth/logout.",
                .replies = REPLIES(REPLY_OBJECT(200, "The token is invalid now.", v1_message_schema)) },
        { HTTP_GET, "/auth/me", SCOPE_READ, v1_get_me, .summary = "Show whose token this is.",
                .replies = REPLIES(REPLY_OBJECT(200, "The user and the role.", v1_me_schema)) },
        { HTTP_GET, "/auth/session", SCOPE_READ, v1_get_session,
                .summary = "The same as GET /auth/me, for clients that only ask whether they are logged in.",
                .replies = REPLIES(REPLY_OBJECT(200, "The user and the role.", v1_me_schema)) },
        { HTTP_GET, "/auth/sessions", SCOPE_READ, v1_list_sessions, .query = v1_sessions_query,
                .summary = "List the sessions of the user, or, for administrators, all.",
                .replies = REPLIES(REPLY_OBJECT(200, "Sessions, oldest first.", v1_sessions_schema)) },
        { HTTP_DELETE, "/auth/sessions/{id}", SCOPE_READ, v1_end_session,
                .summary = "End a session of the user, or, for administrators, of any user.",
                .replies = REPLIES(REPLY_OBJECT(200, "Its token is invalid now.", v1_message_schema)) },
        { HTTP_GET, "/jobs", SCOPE_READ, v1_list_jobs, .query = v1_jobs_parameters,
                .summary = "List jobs, by page, with filters and in any order.",
                .replies = REPLIES(REPLY_OBJECT(200, "A page of jobs.", v1_jobs_schema)) },
        { HTTP_POST, "/jobs", SCOPE_SUBMIT, v1_submit_job, .max_body = V1_JOB_BODY_MAX,
                .summary = "Submit a job.", .body = &v1_job_body, .replies = v1_submit_replies },
        { HTTP_GET, "/jobs/{id}", SCOPE_READ, v1_get_job, .summary = "Get a job.",
                .replies = REPLIES(REPLY_OBJECT(200, "The job.", v1_job_schema)) },
        { HTTP_GET, "/jobs/{id}/logs", SCOPE_READ, v1_get_logs, .query = v1_logs_query,
                .summary = "Get the log of a job, as text, as events, or as JSON, by Accept.",
                .replies = v1_logs_replies },
        { HTTP_DELETE, "/jobs/{id}", SCOPE_SUBMIT, v1_cancel_job, .summary = "Cancel a job.",
                .replies = REPLIES(REPLY_OBJECT(200, "It is cancelled; its unit may need 30 seconds more.",
                        v1_cancelled_schema)) },
        { HTTP_GET, "/schedules", SCOPE_READ, v1_list_schedules, .query = v1_schedules_query,
                .summary = "List schedules, by page, with filters and in any order.",
                .replies = REPLIES(REPLY_OBJECT(200, "A page of schedules.", v1_schedules_schema)) },
        { HTTP_POST, "/schedules", SCOPE_SUBMIT, v1_create_schedule, .max_body = V1_JOB_BODY_MAX,
                .summary = "Create a schedule.", .body = &v1_new_schedule_schema,
                .replies = REPLIES(REPLY_OBJECT(201, "The new schedule.", v1_schedule_schema)) },
        { HTTP_POST, "/schedules/validate", SCOPE_READ, v1_validate_schedule, .max_body = UPLOAD_BODY_MAX,
                .summary = "Check a cron expression, and get its next times.",
                .body = &v1_schedule_expression_schema,
                .replies = REPLIES(REPLY_OBJECT(200, "It is valid.", v1_schedule_times_schema)) },
        { HTTP_GET, "/schedules/{id}", SCOPE_READ, v1_get_schedule, .summary = "Get a schedule.",
                .replies = REPLIES(REPLY_OBJECT(200, "The schedule.", v1_schedule_schema)) },
        { HTTP_PUT, "/schedules/{id}", SCOPE_SUBMIT, v1_update_schedule, .max_body = V1_JOB_BODY_MAX,
                .summary = "Change the specified fields of a schedule.", .body = &v1_new_schedule_schema,
                .replies = REPLIES(REPLY_OBJECT(200, "The schedule.", v1_schedule_schema)) },
        { HTTP_DELETE, "/schedules/{id}", SCOPE_SUBMIT, v1_delete_schedule,
                .summary = "Delete a schedule, but not its jobs.",
                .replies = REPLIES(REPLY_OBJECT(200, "It is deleted.", v1_schedule_message_schema)) },
        { HTTP_POST, "/schedules/{id}/enable", SCOPE_SUBMIT, v1_enable_schedule,
                .summary = "Enable a schedule.",
                .replies = REPLIES(REPLY_OBJECT(200, "The schedule.", v1_schedule_schema)) },
        { HTTP_POST, "/schedules/{id}/disable", SCOPE_SUBMIT, v1_disable_schedule,
                .summary = "Disable a schedule.",
                .replies = REPLIES(REPLY_OBJECT(200, "The schedule.", v1_schedule_schema)) },
        { HTTP_POST, "/schedules/{id}/trigger", SCOPE_SUBMIT, v1_trigger_schedule,
                .summary = "Run a schedule immediately.",
                .replies = REPLIES(REPLY_OBJECT(200, "Its job.", v1_triggered_schema)) },
        { HTTP_POST, "/schedules/{id}/run", SCOPE_SUBMIT, v1_trigger_schedule,
                .summary = "The same as POST /schedules/{id}/trigger.",
                .replies = REPLIES(REPLY_OBJECT(200, "Its job.", v1_triggered_schema)) },
        { HTTP_POST, "/auth/ticket", SCOPE_READ, v1_make_ticket, .max_body = V1_AUTH_BODY_MAX,
                .summary = "Get a ticket for clients that cannot send a header: it is the parameter ticket "
                           "of /ws and /download, once, within a minute.",
                .replies = REPLIES(REPLY_OBJECT(200, "The ticket.", v1_ticket_schema)) },
        { HTTP_GET, "/ws", SCOPE_READ, v1_open_websocket, .at_root = true, .token_in_query = true,
                .summary = "WebSocket with changes of jobs and schedules, metrics and alerts." },
        { HTTP_GET, "/openapi.json", SCOPE_PUBLIC, openapi_get,
                .summary = "Describe this API, for programs.", .replies = openapi_replies },
        { HTTP_GET, "/docs", SCOPE_PUBLIC, docs_get_page,
                .summary = "Interactive documentation of this API.", .replies = docs_page_replies },
        { HTTP_GET, "/docs/{file}", SCOPE_PUBLIC, docs_get_file,
                .summary = "Resources of the documentation page.", .replies = docs_file_replies },
        { HTTP_GET, "/system/health", SCOPE_READ, v1_get_system_health,
                .summary = "Show the load of this machine, and the state of hyper.",
                .replies = v1_system_health_replies },
        { HTTP_GET, "/system/alerts", SCOPE_READ, v1_list_alerts, .query = v1_alerts_query,
                .summary = "List what needs attention, the worst first.", .replies = v1_alerts_replies },
        { HTTP_GET, "/metrics", SCOPE_READ, v1_get_metrics,
                .summary = "Metrics for Prometheus: those of the HyperSDK API, and of this one." },
        { HTTP_GET, "/audit/logs", SCOPE_ADMIN, v1_list_audit, .query = v1_audit_query,
                .summary = "List logins, and who has changed what, the newest first.",
                .replies = v1_audit_replies },
        { HTTP_GET, "/readiness", SCOPE_READ, v1_get_readiness, .query = v1_readiness_query,
                .summary = "Check whether virtual machines can be migrated here.",
                .replies = v1_readiness_replies },
        { HTTP_GET, "/vms/list", SCOPE_READ, v1_list_vms, .query = v1_vms_query,
                .summary = "List the VMs of all providers, by page.", .replies = v1_vms_replies },
        { HTTP_POST, "/vms/browse", SCOPE_READ, v1_browse_vm, .max_body = VMS_BODY_MAX,
                .summary = "Show a VM with its hardware, or the VMs of a directory.",
                .body = &v1_browse_body, .replies = v1_browse_vm_replies },
        { HTTP_POST, "/vms/compare", SCOPE_READ, v1_compare_vms, .max_body = VMS_BODY_MAX,
                .summary = "Compare the configurations of two VMs.",
                .body = &v1_compare_body, .replies = v1_compare_replies },
        { HTTP_POST, "/vms/deploy", SCOPE_SUBMIT, v1_deploy_vm, .max_body = VMS_BODY_MAX,
                .summary = "Define a virtual machine for disk images on this machine, and start it.",
                .body = &v1_deploy_body, .replies = v1_deploy_replies },
        { HTTP_GET, "/libvirt/domains", SCOPE_READ, v1_list_domains, .query = v1_vms_query,
                .summary = "The same as GET /vms/list, of libvirt.", .replies = v1_vms_replies },
        { HTTP_GET, "/libvirt/domain", SCOPE_READ, v1_get_domain, .query = v1_domain_query,
                .summary = "The same as POST /vms/browse, of libvirt.", .replies = v1_browse_vm_replies },
        { HTTP_POST, "/libvirt/domain/start", SCOPE_SUBMIT, v1_act_on_domain, .max_body = VMS_BODY_MAX,
                .summary = "Start a virtual machine of libvirt.",
                .body = &v1_domain_body, .replies = v1_domain_action_replies },
        { HTTP_POST, "/libvirt/domain/shutdown", SCOPE_SUBMIT, v1_act_on_domain, .max_body = VMS_BODY_MAX,
                .summary = "Ask a guest of libvirt to shut down.",
                .body = &v1_domain_body, .replies = v1_domain_action_replies },
        { HTTP_POST, "/libvirt/domain/reboot", SCOPE_SUBMIT, v1_act_on_domain, .max_body = VMS_BODY_MAX,
                .summary = "Ask a guest of libvirt to reboot.",
                .body = &v1_domain_body, .replies = v1_domain_action_replies },
        { HTTP_POST, "/libvirt/domain/destroy", SCOPE_SUBMIT, v1_act_on_domain, .max_body = VMS_BODY_MAX,
                .summary = "Force power off of a virtual machine of libvirt.",
                .body = &v1_domain_body, .replies = v1_domain_action_replies },
        { HTTP_POST, "/libvirt/domain/reset", SCOPE_SUBMIT, v1_act_on_domain, .max_body = VMS_BODY_MAX,
                .summary = "Reset a virtual machine of libvirt.",
                .body = &v1_domain_body, .replies = v1_domain_action_replies },
        { HTTP_GET, "/libvirt/snapshots", SCOPE_READ, v1_list_snapshots, .query = v1_snapshots_query,
                .summary = "List the snapshots of a virtual machine of libvirt.",
                .replies = v1_libvirt_replies },
        { HTTP_POST, "/libvirt/snapshot/create", SCOPE_SUBMIT, v1_act_on_domain, .max_body = VMS_BODY_MAX,
                .summary = "Create a snapshot, with the memory if the virtual machine runs.",
                .body = &v1_snapshot_body, .replies = v1_domain_action_replies },
        { HTTP_POST, "/libvirt/snapshot/revert", SCOPE_SUBMIT, v1_act_on_domain, .max_body = VMS_BODY_MAX,
                .summary = "Return to the state of a snapshot; what has changed since is lost.",
                .body = &v1_snapshot_body, .replies = v1_domain_action_replies },
        { HTTP_POST, "/libvirt/snapshot/delete", SCOPE_SUBMIT, v1_act_on_domain, .max_body = VMS_BODY_MAX,
                .summary = "Delete a snapshot; later ones remain.",
                .body = &v1_snapshot_body, .replies = v1_domain_action_replies },
        { HTTP_GET, "/libvirt/networks", SCOPE_READ, v1_list_networks, .query = v1_libvirt_query,
                .summary = "List networks of libvirt on this machine.", .replies = v1_libvirt_replies },
        { HTTP_GET, "/libvirt/pools", SCOPE_READ, v1_list_pools, .query = v1_libvirt_query,
                .summary = "List storage pools of libvirt on this machine.", .replies = v1_libvirt_replies },
        { HTTP_GET, "/libvirt/volumes", SCOPE_READ, v1_list_volumes, .query = v1_libvirt_query,
                .summary = "List volumes of libvirt on this machine.", .replies = v1_libvirt_replies },
        { HTTP_POST, "/convert/vm", SCOPE_SUBMIT, v1_submit_conversion, .max_body = V1_JOB_BODY_MAX,
                .summary = "The same as POST /jobs, with the type convert.", .body = &v1_job_body,
                .replies = v1_submit_replies },
        { HTTP_GET, "/convert/status", SCOPE_READ, v1_get_conversion, .query = v1_conversion_query,
                .summary = "The same as GET /jobs/{id}.",
                .replies = REPLIES(REPLY_OBJECT(200, "The job.", v1_job_schema)) },
        { HTTP_GET, "/providers", SCOPE_READ, v1_list_providers, .query = v1_providers_query,
                .summary = "List providers, and whether they are connected.",
                .replies = v1_providers_replies },
        { HTTP_GET, "/providers/capabilities", SCOPE_READ, v1_get_capabilities,
                .query = v1_capabilities_query, .summary = "Show what can be done with each provider.",
                .replies = v1_capabilities_replies },
        { HTTP_POST, "/providers", SCOPE_ADMIN, v1_connect_provider, .max_body = V1_CONNECT_BODY_MAX,
                .summary = "The same as POST /providers/connect.", .body = &v1_connect_body,
                .replies = v1_connect_replies },
        { HTTP_POST, "/providers/connect", SCOPE_ADMIN, v1_connect_provider, .max_body = V1_CONNECT_BODY_MAX,
                .summary = "Connect a vCenter, an ESXi host or a host of libvirt, and keep it.",
                .body = &v1_connect_body, .replies = v1_connect_replies },
        { HTTP_POST, "/providers/test", SCOPE_ADMIN, v1_test_provider, .max_body = V1_CONNECT_BODY_MAX,
                .summary = "Try to connect a vCenter or an ESXi host, without keeping it.",
                .body = &v1_connect_body, .replies = v1_test_replies },
        { HTTP_DELETE, "/providers/{id}", SCOPE_ADMIN, v1_remove_provider,
                .summary = "Remove a provider, which no job may use.", .replies = v1_removed_replies },
        { HTTP_GET, "/browse/files", SCOPE_SUBMIT, v1_browse_files, .query = v1_browse_query,
                .summary = "List files on the server.", .replies = v1_browse_replies },
        { HTTP_GET, "/browse", SCOPE_SUBMIT, v1_browse_files, .query = v1_browse_query,
                .summary = "The same as /browse/files.", .replies = v1_browse_replies },
        { HTTP_GET, "/download", SCOPE_SUBMIT, v1_download, .query = v1_download_query,
                .token_in_query = true,
                .summary = "Download a file, or a part of it.", .replies = v1_download_replies },
        { HTTP_POST, "/upload/init", SCOPE_SUBMIT, v1_init_upload, .max_body = UPLOAD_BODY_MAX,
                .summary = "Begin an upload in chunks.", .body = &v1_init_upload_body,
                .replies = v1_init_upload_replies },
        { HTTP_POST, "/upload/chunk", SCOPE_SUBMIT, v1_end_chunk, .max_body = V1_CHUNK_BODY_MAX,
                .read_body = v1_read_chunk, .query = v1_chunk_query,
                .summary = "Upload a chunk: as the body, or as the field \"chunk\" of "
                           "multipart/form-data, after upload_id and chunk_index.",
                .replies = v1_chunk_replies },
        { HTTP_GET, "/upload/status/{id}", SCOPE_READ, v1_get_upload, .summary = "Show an upload.",
                .replies = v1_upload_replies },
        { HTTP_POST, "/upload/complete", SCOPE_SUBMIT, v1_complete_upload, .max_body = UPLOAD_BODY_MAX,
                .summary = "Give an uploaded file its name.", .body = &v1_complete_upload_body,
                .replies = v1_complete_upload_replies },
        { HTTP_POST, "/jobs/{id}/release", SCOPE_SUBMIT, v1_release_job, .max_body = CARBON_BODY_MAX,
                .summary = "End a job's wait for a low carbon intensity.",
                .replies = REPLIES(REPLY_OBJECT(200, "It enters the queue.", v1_released_schema)) },
        { HTTP_GET, "/carbon/intensity", SCOPE_READ, v1_carbon_intensity,
                .query = v1_carbon_intensity_parameters, .summary = "The carbon intensity of the grid now.",
                .replies = REPLIES(REPLY_OBJECT(200, "The intensity.", v1_carbon_intensity_schema)) },
        { HTTP_GET, "/carbon/schedule", SCOPE_READ, v1_carbon_schedule,
                .query = v1_carbon_schedule_parameters, .summary = "The windows of lowest carbon intensity.",
                .replies = REPLIES(REPLY_OBJECT(200, "The best first.", v1_carbon_schedule_schema)) },
        { HTTP_GET, "/carbon/zones", SCOPE_READ, v1_carbon_zones,
                .summary = "The zone of the configuration.",
                .replies = REPLIES(REPLY_OBJECT(200, "A list of one zone.", v1_carbon_zones_schema)) },
        { HTTP_POST, "/carbon/status", SCOPE_READ, v1_carbon_status, .max_body = CARBON_BODY_MAX,
                .summary = "Whether the carbon intensity is low now.", .body = &v1_carbon_status_body_schema,
                .replies = REPLIES(REPLY_OBJECT(200, "The status.", v1_carbon_status_schema)) },
        { HTTP_POST, "/carbon/estimate", SCOPE_READ, v1_carbon_estimate, .max_body = CARBON_BODY_MAX,
                .summary = "What waiting for the best window would save.",
                .body = &v1_carbon_estimate_body_schema,
                .replies = REPLIES(REPLY_OBJECT(200, "The estimate.", v1_carbon_estimate_schema)) },
        { HTTP_POST, "/carbon/report", SCOPE_READ, v1_carbon_report, .max_body = CARBON_BODY_MAX,
                .summary = "What work that was done has emitted, estimated.",
                .body = &v1_carbon_report_body_schema,
                .replies = REPLIES(REPLY_OBJECT(200, "The report.", v1_carbon_report_schema)) },
        { HTTP_DELETE, "/upload/{id}", SCOPE_SUBMIT, v1_delete_upload, .summary = "Remove an upload.",
                .replies = v1_delete_upload_replies },
        {},
};
/* clang-format on */

static json_t *error_json(Request *r, unsigned status, const char *message) {
        return v1_error_json(status, message, now_realtime());
}

const Dialect v1_dialect = {
        .name = "v1",
        .fd_name = "hyper-tls",
        .routes = v1_routes,
        .also = &hypersdk_dialect,
        .base = "/api/v1",
        .tls = true,
        .keys = KEYS_ALWAYS,
        .limited = true,
        .challenge = "Bearer realm=\"hyper\"",
        .title = "hyper v1 API",
        .description = "HyperSDK's v1 API over TLS, and the HyperSDK API. Each path is served without "
                       "/api/v1 as well; where both have it, the one without /api/v1 is the HyperSDK API's.",
        .error_schema = &error_schema,
        .error = error_json,
};
