/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-json.h"
#include "api/job-json.h"
#include "basic/string-util.h"
#include "json/json-table.h"

json_t *hosts_host_json(const HostView *h) {
        return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:s, s:s, s:i}", "id", h->id, "uri", h->uri, "name",
                        h->name, "created_at", json_time(h->created), "updated_at", json_time(h->updated),
                        "connected", streq(h->state, "CONNECTED"), "state", h->state, "error", h->error,
                        "vm_count", (int) h->n_vms);
}

json_t *hosts_vm_json(const VmRow *row, bool v1) {
        return json_pack("{s:I, s:s, s:s, s:s, s:i, s:I, s:o, s:{s:b, s:b}, s:b, s:o, s:o}", "db_id",
                        (json_int_t) row->seq, "uuid", row->uuid, "name", row->name, "description",
                        row->description, "vcpu_count", (int) row->vcpu_count, "memory_bytes",
                        (json_int_t) row->memory_bytes, "state",
                        v1 ? json_string(vm_state_to_string(row->state)) : json_integer(row->state),
                        "graphics", "vnc", (int) row->vnc, "spice", (int) row->spice, "persistent",
                        (int) row->persistent, "created_at", json_time(row->created_at), "updated_at",
                        json_time(row->updated_at));
}

json_t *hosts_vms_json(const VmRows *rows, bool v1) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < rows->n && list; i++)
                if (json_array_append_new(list, hosts_vm_json(rows->rows + i, v1)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

json_t *hosts_error_json(unsigned status, const char *message, usec_t now) {
        static const struct {
                unsigned status;
                const char *code;
        } codes[] = {
                { 400, "BAD_REQUEST" },
                { 403, "FORBIDDEN" },
                { 404, "NOT_FOUND" },
                { 405, "METHOD_NOT_ALLOWED" },
                { 409, "CONFLICT" },
                { 413, "TOO_LARGE" },
                { 503, "UNAVAILABLE" },
        };
        const char *code = status >= 500 ? "INTERNAL_ERROR" : "BAD_REQUEST";

        for (size_t i = 0; i < ELEMENTSOF(codes); i++)
                if (codes[i].status == status)
                        code = codes[i].code;
        return json_pack("{s:s, s:s, s:n, s:o}", "code", code, "message", message, "details", "timestamp",
                        json_time(now));
}
