/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-deploy.h"

#include "api/bus-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/hypersdk/hypersdk-reply.h"
#include "basic/string-util.h"
#include "shared/error-table.h"
#include "json/json-table.h"

static const SchemaField body_fields[] = {
        { "name", SCHEMA_STRING, .description = "1 to 80 bytes." },
        { "disk_path", SCHEMA_STRING, SCHEMA_OPTIONAL,
                        "A file below a directory of files.roots; or disks." },
        { "disks", SCHEMA_ARRAY_ANY, SCHEMA_OPTIONAL, "[{\"path\", \"format\", \"bus\"}]; at most 20." },
        { "format", SCHEMA_STRING, SCHEMA_OPTIONAL, "qcow2 or raw; default: by the name." },
        { "cpu", SCHEMA_INTEGER, SCHEMA_OPTIONAL, "1 to 512; default 2." },
        { "memory_mb", SCHEMA_INTEGER, SCHEMA_OPTIONAL, "64 to 16777216; default 2048." },
        { "network", SCHEMA_STRING, SCHEMA_OPTIONAL,
                        "A network of libvirt, \"bridge:NAME\" or \"none\"; default \"default\"." },
        { "target", SCHEMA_STRING, SCHEMA_OPTIONAL, "libvirt" },
        { "autostart", SCHEMA_BOOLEAN, SCHEMA_OPTIONAL, "Default false." },
        { "start", SCHEMA_BOOLEAN, SCHEMA_OPTIONAL, "Default true." },
        { "firmware", SCHEMA_STRING, SCHEMA_OPTIONAL,
                        "bios, efi or efi-secure; default: by the partition table." },
        { "bus", SCHEMA_STRING, SCHEMA_OPTIONAL, "virtio, sata or scsi" },
        { "nic_model", SCHEMA_STRING, SCHEMA_OPTIONAL },
        { "mac", SCHEMA_STRING, SCHEMA_OPTIONAL },
        { "os", SCHEMA_STRING, SCHEMA_OPTIONAL, "linux or windows; default linux." },
        { "graphics", SCHEMA_STRING, SCHEMA_OPTIONAL, "vnc or none; default vnc." },
        { "host", SCHEMA_STRING, SCHEMA_OPTIONAL, "local: disks of this machine are used here only." },
        {},
};
const Schema v1_deploy_body = { .name = "DeployVM", .fields = body_fields };

static const SchemaField vm_fields[] = {
        { "name", SCHEMA_STRING },
        { "uuid", SCHEMA_STRING },
        { "status", SCHEMA_STRING, .description = "running or stopped" },
        { "target", SCHEMA_STRING },
        { "cpu", SCHEMA_INTEGER },
        { "memory_mb", SCHEMA_INTEGER },
        { "disk_path", SCHEMA_STRING },
        { "network", SCHEMA_STRING },
        { "mac", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "autostart", SCHEMA_BOOLEAN },
        { "created_at", SCHEMA_TIMESTAMP },
        { "vnc_port", SCHEMA_INTEGER, SCHEMA_NULLABLE, "On 127.0.0.1." },
        {},
};
static const Schema vm_schema = { .name = "DeployedVM", .fields = vm_fields };
const Reply v1_deploy_replies[] = { REPLY_OBJECT(201, "It is defined, and started.", vm_schema), {} };

static int on_deployed(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        json_t *vm;
        int k;

        if (sd_bus_error_has_name(error, HYPER_BUS_ERROR_LIBVIRT) ||
                        sd_bus_error_has_name(error, HYPER_BUS_ERROR_HOST_NOT_CONNECTED))
                return request_reply_error(r, 502, "%s", strempty(error->message));
        if (error)
                return request_reply_bus_error(r, error);
        k = hypersdk_read_object(m, &vm);
        return k < 0 ? k : request_reply_json(r, 201, vm);
}

int v1_deploy_vm(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *text = NULL;
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        text = json_dumps(body, JSON_COMPACT);
        k = text ? manager_call_new(r, "DeployVm", &m) : -ENOMEM;
        if (k >= 0)
                k = sd_bus_message_append(m, "s", text);
        return k < 0 ? k : manager_call_within(r, m, HOSTS_CALL_TIMEOUT, on_deployed, NULL);
}
