/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-routes.h"

#include "api/hosts/hosts-console.h"
#include "api/hosts/hosts-dashboard.h"
#include "api/hosts/hosts-host.h"
#include "api/hosts/hosts-json.h"
#include "api/hosts/hosts-lists.h"
#include "api/hosts/hosts-schema.h"
#include "api/hosts/hosts-settings.h"
#include "api/hosts/hosts-vm-list.h"
#include "api/hosts/hosts-vm.h"
#include "api/hosts/hosts-ws.h"
#include "api/http/reply.h"
#include "api/openapi/openapi.h"
#include "basic/string-util.h"

#define BODY_MAX ((size_t) 64 * 1024)

static int get_ws(Request *r) {
        return request_reply_websocket(r, &hosts_websocket);
}

static int get_health(Request *r) {
        return request_reply_json(r, 200, json_pack("{s:s}", "status", "ok"));
}

/* clang-format off */
#define REPLY(s, is, what) \
        (const Reply[]) { { .status = (s), .value = { .type = (is), .schema = &(what) } }, {} }
#define DONE (const Reply[]) { { .status = 204, .is_empty = true, .value.description = "Done." }, {} }
#define HOST_REPLY(s) REPLY(s, SCHEMA_OBJECT, hosts_host_schema)
#define LIST_ROUTE(path, handler, what, text) \
        { HTTP_GET, path, SCOPE_READ, handler, .summary = text, .replies = REPLY(200, SCHEMA_ARRAY, what) }
#define OBJECT_ROUTE(path, handler, what, text) \
        { HTTP_GET, path, SCOPE_READ, handler, .summary = text, .replies = REPLY(200, SCHEMA_OBJECT, what) }
#define ACTION_ROUTE(path, handler, text) \
        { HTTP_POST, path, SCOPE_SUBMIT, handler, .max_body = BODY_MAX, .summary = text, .replies = DONE }

/* What both bases have; handlers use hosts_is_v1() where they differ. */
#define HOST_ROUTES(base, created) \
        { HTTP_GET, base "/health", SCOPE_PUBLIC, get_health, .summary = "Health check.", \
                .replies = REPLY(200, SCHEMA_OBJECT, hosts_health_schema) }, \
        LIST_ROUTE(base "/hosts", hosts_get_hosts, hosts_host_schema, "List hosts."), \
        { HTTP_POST, base "/hosts", SCOPE_ADMIN, hosts_post_host, .max_body = BODY_MAX, \
                .summary = "Connect to a host and keep it.", .body = &hosts_new_host_schema, \
                        .replies = HOST_REPLY(created) }, \
        OBJECT_ROUTE(base "/hosts/{id}", hosts_get_host, hosts_host_schema, "Show a host."), \
        { HTTP_PATCH, base "/hosts/{id}", SCOPE_ADMIN, hosts_patch_host, .max_body = BODY_MAX, \
                .summary = "Change a host's name, or whether it is connected automatically.", \
                .body = &hosts_patch_schema, .replies = HOST_REPLY(200) }, \
        { HTTP_DELETE, base "/hosts/{id}", SCOPE_ADMIN, hosts_delete_host, \
                .summary = "Remove a host; its VMs are unaffected.", \
                .replies = DONE }, \
        { HTTP_POST, base "/hosts/{id}/connect", SCOPE_ADMIN, hosts_connect_host, .max_body = BODY_MAX, \
                .summary = "Connect a host now, and automatically from now on.", \
                        .replies = HOST_REPLY(200) }, \
        { HTTP_POST, base "/hosts/{id}/disconnect", SCOPE_ADMIN, hosts_disconnect_host, \
                .max_body = BODY_MAX, \
                .summary = "Disconnect a host until it is connected again on request.", \
                        .replies = HOST_REPLY(200) }, \
        OBJECT_ROUTE(base "/hosts/{id}/info", hosts_get_info, hosts_info_schema, \
                "Ask a host for its processors and memory."), \
        OBJECT_ROUTE(base "/hosts/{id}/stats", hosts_get_host_stats, hosts_stats_schema, \
                "Ask a host for its load."), \
        OBJECT_ROUTE(base "/hosts/{id}/capabilities", hosts_get_capabilities, hosts_capabilities_schema, \
                "Ask a host what its hypervisor can do."), \
        LIST_ROUTE(base "/hosts/{id}/storage/pools", hosts_get_pools, hosts_pool_schema, \
                "List the storage pools of a host."), \
        LIST_ROUTE(base "/hosts/{id}/storage/volumes", hosts_get_volumes, hosts_volume_schema, \
                "List the volumes of a host."), \
        LIST_ROUTE(base "/hosts/{id}/networks", hosts_get_networks, hosts_network_schema, \
                "List the networks of a host."), \
        LIST_ROUTE(base "/hosts/{id}/ports", hosts_get_ports, hosts_port_schema, \
                "List the network ports of a host's VMs."), \
        LIST_ROUTE(base "/hosts/{id}/discovered-vms", hosts_get_discovered, hosts_discovered_schema, \
                "List VMs of a host that are not managed here: always empty."), \
        LIST_ROUTE(base "/hosts/{id}/vms", hosts_get_vms, hosts_vm_schema, \
                "List the VMs of a host as they were last seen."), \
        OBJECT_ROUTE(base "/hosts/{id}/vms/{name}/hardware", hosts_get_hardware, hosts_hardware_schema, \
                "Ask libvirt for the disks, networks and displays of a VM."), \
        OBJECT_ROUTE(base "/hosts/{id}/vms/{name}/hardware/extended", hosts_get_extended_hardware, \
                hosts_extended_schema, \
                "Ask libvirt for all devices of a VM."), \
        OBJECT_ROUTE(base "/hosts/{id}/vms/{name}/stats", hosts_get_vm_stats, hosts_vm_stats_schema, \
                "Ask libvirt for the counters of a VM; rates are those since the request before."), \
        LIST_ROUTE(base "/hosts/{id}/vms/{name}/port-attachments", hosts_get_port_attachments, \
                hosts_port_attachment_schema, \
                "List the network ports of a VM."), \
        { HTTP_GET, base "/hosts/{id}/vms/{name}/console", SCOPE_SUBMIT, hosts_get_console, \
                .query = hosts_console_query, \
                .summary = "Connect to the display of a VM: a WebSocket that carries VNC or SPICE." }, \
        { HTTP_GET, base "/hosts/{id}/vms/{name}/spice", SCOPE_SUBMIT, hosts_get_spice, \
                .summary = "Connect to the SPICE display of a VM: a WebSocket for each channel." }, \
        { HTTP_GET, base "/hosts/{id}/vms/{name}/screenshot", SCOPE_SUBMIT, hosts_get_screenshot, \
                .summary = "Take a screenshot of a VM.", \
                .replies = (const Reply[]) { { .status = 200, .content_type = "image/png", .value = { \
                        .type = SCHEMA_STRING } }, {} } }, \
        { HTTP_POST, base "/hosts/{id}/vms/{name}/action", SCOPE_SUBMIT, hosts_post_action, \
                .max_body = BODY_MAX, \
                .summary = "Start, stop or reset a VM.", .body = &hosts_action_schema, \
                .replies = DONE }, \
        ACTION_ROUTE(base "/hosts/{id}/vms/{name}/start", hosts_post_short_action, "Start a VM."), \
        ACTION_ROUTE(base "/hosts/{id}/vms/{name}/shutdown", hosts_post_short_action, \
                "Ask the guest of a VM to shut down."), \
        ACTION_ROUTE(base "/hosts/{id}/vms/{name}/reboot", hosts_post_short_action, \
                "Ask the guest of a VM to reboot."), \
        ACTION_ROUTE(base "/hosts/{id}/vms/{name}/forceoff", hosts_post_short_action, "Force power off."), \
        ACTION_ROUTE(base "/hosts/{id}/vms/{name}/forcereset", hosts_post_short_action, "Force a reset."), \
        LIST_ROUTE(base "/vms", hosts_get_all_vms, hosts_vm_schema, \
                "List the VMs of all hosts as they were last seen."), \
        LIST_ROUTE(base "/discovered-vms", hosts_get_all_discovered, hosts_discovered_schema, \
                "List VMs that are not managed here: always empty."), \
        LIST_ROUTE(base "/storage/pools", hosts_get_pools, hosts_pool_schema, \
                "List the storage pools of all hosts."), \
        LIST_ROUTE(base "/storage/volumes", hosts_get_volumes, hosts_volume_schema, \
                "List the volumes of all hosts."), \
        LIST_ROUTE(base "/storage/disk-attachments", hosts_get_disk_attachments, hosts_disk_schema, \
                "List the disks of all VMs."), \
        LIST_ROUTE(base "/networks", hosts_get_networks, hosts_network_schema, \
                "List the networks of all hosts."), \
        LIST_ROUTE(base "/ports", hosts_get_ports, hosts_port_schema, \
                "List the network ports of all VMs."), \
        LIST_ROUTE(base "/port-attachments", hosts_get_port_attachments, hosts_port_attachment_schema, \
                "List which VM each network port belongs to."), \
        OBJECT_ROUTE(base "/dashboard/stats", hosts_get_dashboard_stats, hosts_dashboard_schema, \
                "Summarize all hosts."), \
        { HTTP_GET, base "/dashboard/activity", SCOPE_READ, hosts_get_activity, \
                .query = hosts_activity_query, \
                .summary = "List what happened last, newest first.", \
                .replies = REPLY(200, SCHEMA_OBJECT, hosts_activity_schema) }, \
        OBJECT_ROUTE(base "/dashboard/overview", hosts_get_dashboard_overview, hosts_overview_schema, \
                "Summarize all hosts, with what happened last."), \
        OBJECT_ROUTE(base "/settings/metrics", hosts_get_metrics_settings, hosts_metrics_schema, \
                "Show how the web client draws its curves."), \
        { HTTP_PUT, base "/settings/metrics", SCOPE_SUBMIT, hosts_put_metrics_settings, \
                .max_body = 16 * 1024, \
                .summary = "Change how the web client draws its curves.", .body = &hosts_metrics_schema, \
                .replies = REPLY(200, SCHEMA_OBJECT, hosts_metrics_schema) }

static const Route hosts_routes[] = {
        { HTTP_GET, "/health", SCOPE_PUBLIC, get_health, .summary = "Health check.",
                .replies = REPLY(200, SCHEMA_OBJECT, hosts_health_schema) },
        { HTTP_GET, "/openapi.json", SCOPE_READ, openapi_get, .for_browsers = true,
                .summary = "Describe this API, for programs.", .replies = openapi_replies },
        { HTTP_GET, "/ws", SCOPE_READ, get_ws, .summary = "Follow changes and statistics (WebSocket)." },
        HOST_ROUTES("/api", 200),
        HOST_ROUTES("/api/v1", 201),
        {},
};
/* clang-format on */

static json_t *error_json(Request *r, unsigned status, const char *message) {
        return hosts_error_json(status, request_error_name(r), message, now_realtime());
}

const Dialect hosts_dialect = {
        .name = "hosts",
        .fd_name = "hyper-hosts",
        .routes = hosts_routes,
        .title = "hyper hosts API",
        .description = "libvirt hosts and their virtual machines. /api and /api/v1 have the same routes; "
                       "under /api the "
                       "state of a VM is libvirt's number, under /api/v1 it is a word.",
        .error_schema = &hosts_error_schema,
        .error = error_json,
};
