/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-json.h"

#include <math.h>

#include "api/job-json.h"
#include "basic/string-util.h"
#include "shared/error-table.h"
#include "json/json-table.h"

json_t *hosts_host_json(const HostView *h, bool manual) {
        _cleanup_json_ json_t *o = NULL;

        o = json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:s, s:s, s:i, s:b, s:n}", "id", h->id, "uri", h->uri,
                        "name", h->name, "created_at", json_time(h->created), "updated_at",
                        json_time(h->updated), "connected", streq(h->state, "CONNECTED"), "state", h->state,
                        "error", h->error, "vm_count", (int) h->n_vms, "auto_reconnect_disabled",
                        (int) manual, "task_state");
        /* The web client reads the times under these names. */
        if (!o || json_object_set(o, "createdAt", json_object_get(o, "created_at")) < 0)
                return NULL;
        if (json_object_set(o, "updatedAt", json_object_get(o, "updated_at")) < 0)
                return NULL;
        return TAKE_PTR(o);
}

/* In units of 2^30 bytes, to two decimals. */
static double gibibytes(uint64_t bytes) {
        return round((double) bytes / (1 << 30) * 100) / 100;
}

static json_t *vm_uptime(const VmView *vm) {
        usec_t now = now_realtime();

        if (vm->started == 0 || vm->started > now)
                return json_null();
        return json_integer((json_int_t) ((now - vm->started) / USEC_PER_SEC));
}

/* What the published API does not have, and its web client reads. */
static json_t *vm_more_json(const VmView *vm) {
        const VmRow *row = vm->row;
        bool drifted = !isempty(row->drift);

        return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:s, s:s, s:s, s:o, s:o, s:f, s:s, s:s, s:I, "
                         "s:I}",
                        "domain_uuid", row->uuid, "libvirtState", vm_state_to_string(row->state),
                        "sync_status",
                        !vm->connected            ? "UNKNOWN"
                                        : drifted ? "DRIFTED"
                                                  : "SYNCED",
                        "drift_details", row->drift, "needs_rebuild", (int) drifted, "is_template", 0,
                        "cpu_model", row->cpu_model, "cpu_topology_json",
                        isempty(row->cpu_topology) ? "{}" : row->cpu_topology, "os_type", row->os_type,
                        "network_interface", "", "task_state",
                        isempty(vm->task) ? json_null() : json_string(vm->task), "uptime", vm_uptime(vm),
                        "disk_size_gb", gibibytes(row->disk_bytes), "host_id", vm->host_id, "host_name",
                        vm->host_name, "memory", (json_int_t) row->memory_bytes, "max_mem",
                        (json_int_t) (row->memory_bytes / 1024));
}

json_t *hosts_vm_json(const VmView *vm, bool v1) {
        _cleanup_json_ json_t *o = NULL;
        const VmRow *row = vm->row;

        o = json_pack("{s:I, s:s, s:s, s:s, s:i, s:I, s:o, s:{s:b, s:b}, s:b, s:o, s:o}", "db_id",
                        (json_int_t) row->seq, "uuid", row->uuid, "name", row->name, "description",
                        row->description, "vcpu_count", (int) row->vcpu_count, "memory_bytes",
                        (json_int_t) row->memory_bytes, "state",
                        v1 ? json_string(vm_state_to_string(row->state)) : json_integer(row->state),
                        "graphics", "vnc", (int) row->vnc, "spice", (int) row->spice, "persistent",
                        (int) row->persistent, "created_at", json_time(row->created_at), "updated_at",
                        json_time(row->updated_at));
        if (!o || json_object_update_new(o, vm_more_json(vm)) < 0)
                return NULL;
        return TAKE_PTR(o);
}

/* The published codes, by what went wrong if that is known, else by status. */
static const char *error_code(unsigned status, const char *bus_name) {
        static const struct {
                const char *bus_name;
                unsigned status;
                const char *code;
        } codes[] = {
                { HYPER_BUS_ERROR_NO_SUCH_HOST, 404, "HOST_NOT_FOUND" },
                { HYPER_BUS_ERROR_NO_SUCH_VM, 404, "VM_NOT_FOUND" },
                { HYPER_BUS_ERROR_HOST_NOT_CONNECTED, 503, "HOST_DISCONNECTED" },
                { HYPER_BUS_ERROR_WRONG_STATE, 409, "VM_STATE_ERROR" },
                { HYPER_BUS_ERROR_LIBVIRT, 500, "LIBVIRT_ERROR" },
                { NULL, 400, "BAD_REQUEST" },
                { NULL, 401, "UNAUTHORIZED" },
                { NULL, 403, "FORBIDDEN" },
                { NULL, 404, "NOT_FOUND" },
                { NULL, 405, "METHOD_NOT_ALLOWED" },
                { NULL, 409, "CONFLICT" },
                { NULL, 413, "TOO_LARGE" },
                { NULL, 429, "RATE_LIMIT" },
                { NULL, 503, "SERVICE_UNAVAILABLE" },
        };

        for (size_t i = 0; i < ELEMENTSOF(codes); i++)
                if (codes[i].status == status &&
                                (!codes[i].bus_name || streq_ptr(codes[i].bus_name, bus_name)))
                        return codes[i].code;
        return status >= 500 ? "INTERNAL_ERROR" : "BAD_REQUEST";
}

json_t *hosts_error_json(unsigned status, const char *bus_name, const char *message, usec_t now) {
        return json_pack("{s:s, s:s, s:n, s:o}", "code", error_code(status, bus_name), "message", message,
                        "details", "timestamp", json_time(now));
}
