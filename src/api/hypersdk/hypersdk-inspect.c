/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-inspect.h"

#include "api/bus-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/hypersdk/hypersdk-reply.h"
#include "api/job-submit.h"
#include "basic/string-util.h"

#define LOG_LIMIT_DEFAULT 100u
#define LOG_LIMIT_MAX 1000u
#define CURSOR_MAX 1024u

/* --- documentation --------------------------------------------------------------------------------- */

static const char *severity(int i) {
        static const char *const words[] = { "error", "warning", "information", NULL };

        return words[i];
}

static const SchemaField concern_fields[] = {
        { "severity", SCHEMA_WORD, .word = severity },
        { "code", SCHEMA_STRING, .description = "For programs; see org.hyper1(5)" },
        { "text", SCHEMA_STRING },
        { "remedy", SCHEMA_STRING, .description = "What to do" },
        { "parameters", SCHEMA_ARRAY, .description = "The parts of the text that differ" },
        {},
};
static const Schema concern_schema = { .name = "Concern", .fields = concern_fields };

static const SchemaField disk_fields[] = {
        { "file", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "format", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "size", SCHEMA_INTEGER, SCHEMA_NULLABLE, "In bytes" },
        {},
};
static const Schema disk_schema = { .name = "InspectedDisk", .fields = disk_fields };

static const SchemaField source_fields[] = {
        { "type", SCHEMA_STRING, .description = "file, vsphere or libvirt" },
        { "path", SCHEMA_STRING, SCHEMA_NULLABLE, "Of the file or the virtual machine" },
        { "format", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "size", SCHEMA_INTEGER, SCHEMA_NULLABLE, "Of all disks, in bytes" },
        { "disks", SCHEMA_ARRAY, .schema = &disk_schema },
        { "vm", SCHEMA_ANY, SCHEMA_NULLABLE, "The hardware, if it is known" },
        { "concerns", SCHEMA_ARRAY, .schema = &concern_schema },
        { "timestamp", SCHEMA_TIMESTAMP },
        {},
};
static const Schema source_inspection = { .name = "SourceInspection", .fields = source_fields };
const Reply hypersdk_inspect_source_replies[] = {
        REPLY_OBJECT(200, "What is in the source, and what may prevent its migration.", source_inspection),
        {}
};

static const SchemaField destination_fields[] = {
        { "path", SCHEMA_STRING },
        { "directory", SCHEMA_STRING, .description = "The nearest one that exists" },
        { "exists", SCHEMA_BOOLEAN, .description = "Whether there is a file with this name" },
        { "free", SCHEMA_INTEGER, .description = "Space of the file system, in bytes" },
        { "total", SCHEMA_INTEGER },
        { "concerns", SCHEMA_ARRAY, .schema = &concern_schema },
        { "timestamp", SCHEMA_TIMESTAMP },
        {},
};
static const Schema destination_inspection = { .name = "DestinationInspection",
        .fields = destination_fields };
const Reply hypersdk_inspect_destination_replies[] = {
        REPLY_OBJECT(200, "The space of the destination, and what prevents its use.",
                        destination_inspection),
        {}
};

static const SchemaField source_body[] = {
        { "source", SCHEMA_OBJECT,
                        .description = "As in the spec of a job: type file with path, or type vsphere with "
                                       "name (or vcenter_url, username, password) and vm_path. Or type "
                                       "libvirt with host and vm: the ID of a libvirt host, and the UUID or "
                                       "name of a virtual machine" },
        {},
};
const Schema hypersdk_inspect_source_schema = { .name = "InspectSource", .fields = source_body };

static const SchemaField destination_body[] = {
        { "destination", SCHEMA_OBJECT, .description = "As in the spec of a job: type file with path" },
        { "size", SCHEMA_INTEGER, SCHEMA_OPTIONAL, "Of the disk, in bytes" },
        {},
};
const Schema hypersdk_inspect_destination_schema = { .name = "InspectDestination",
        .fields = destination_body };

static const SchemaField entry_fields[] = {
        { "timestamp", SCHEMA_INTEGER, .description = "In microseconds since 1970-01-01 UTC" },
        { "event", SCHEMA_STRING },
        { "phase", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "state", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "message", SCHEMA_STRING },
        {},
};
static const Schema entry_schema = { .name = "LogEntry", .fields = entry_fields };
static const SchemaField log_fields[] = {
        { "entries", SCHEMA_ARRAY, .description = "Oldest first", .schema = &entry_schema },
        { "next", SCHEMA_STRING, .description = "The cursor of the next page, even if it is empty yet" },
        {},
};
static const Schema log_page = { .name = "LogPage", .fields = log_fields };
const Reply hypersdk_log_replies[] = { REPLY_OBJECT(200, "A page of the log.", log_page), {} };

/* --- inspections ----------------------------------------------------------------------------------- */

static int append_role(sd_bus_message *m, Request *r) {
        int k = sd_bus_message_open_container(m, 'a', "{sv}");

        if (k >= 0)
                k = sd_bus_message_append(m, "{sv}", "role", "s", job_submit_role(r));
        return k < 0 ? k : sd_bus_message_close_container(m);
}

static int on_inspected(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return hypersdk_reply_object(r, m, error, NULL);
}

/* The member @key of the body as text, with which the call begins; the password of a server may be in it. */
static int begin(Request *r, json_t *body, const char *method, const char *key, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        json_t *object = json_object_get(body, key);
        char *text;
        int k;

        if (!json_is_object(object))
                return request_reply_error(r, 400, "%s: is required, and must be an object", key), -EINVAL;
        text = json_dumps(object, JSON_COMPACT);
        k = text ? manager_call_new(r, method, &m) : -ENOMEM;
        if (k >= 0)
                k = sd_bus_message_sensitive(m);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", text);
        if (text)
                explicit_bzero(text, strlen(text));
        free(text);
        if (k >= 0)
                *ret = TAKE_PTR(m);
        return k;
}

int hypersdk_inspect_source(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *body = NULL;
        int k = request_json_object(r, &body);

        if (k >= 0)
                k = begin(r, body, "InspectSource", "source", &m);
        if (k >= 0)
                k = append_role(m, r);
        return k < 0 ? k : manager_call(r, m, on_inspected, NULL);
}

int hypersdk_inspect_destination(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *body = NULL;
        json_t *size;
        int k = request_json_object(r, &body);

        if (k >= 0)
                k = begin(r, body, "InspectDestination", "destination", &m);
        if (k < 0)
                return k;
        size = json_object_get(body, "size");
        if (size && !json_is_null(size) && (!json_is_integer(size) || json_integer_value(size) < 0))
                return request_reply_error(r, 400, "size: must be a number of bytes");
        k = sd_bus_message_append(m, "t", (uint64_t) json_integer_value(size));
        if (k >= 0)
                k = append_role(m, r);
        return k < 0 ? k : manager_call(r, m, on_inspected, NULL);
}

/* --- the log --------------------------------------------------------------------------------------- */

typedef struct LogQuery {
        const char *cursor;
        uint64_t limit;
        bool progress;
} LogQuery;

const QueryField hypersdk_log_query[] = {
        { "cursor", QUERY_STRING, offsetof(LogQuery, cursor), .max = CURSOR_MAX,
                        .description = "Of the previous page; the first page has none." },
        { "limit", QUERY_UINT64, offsetof(LogQuery, limit), .min = 1, .max = LOG_LIMIT_MAX },
        { "progress", QUERY_BOOLEAN, offsetof(LogQuery, progress),
                        .description = "Also list entries of progress." },
        {},
};

static int on_log(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const char *text, *next;
        json_t *entries;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(m, "ss", &text, &next);
        if (k < 0)
                return k;
        entries = json_loads(text, 0, NULL);
        return entries ? request_reply_json(
                                         r, 200, json_pack("{s:o, s:s}", "entries", entries, "next", next))
                       : -EBADMSG;
}

int hypersdk_get_log(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        LogQuery q = { .limit = LOG_LIMIT_DEFAULT };
        int k = request_query_decode(r, &q);

        if (k >= 0)
                k = manager_call_new(r, "GetJobLog", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "sa{sv}", request_param(r, "id"), 3, "cursor", "s",
                                strempty(q.cursor), "limit", "t", q.limit, "progress", "b",
                                (int) q.progress);
        return k < 0 ? k : manager_call(r, m, on_log, NULL);
}
