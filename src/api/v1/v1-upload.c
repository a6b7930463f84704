/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-upload.h"

#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/hypersdk/hypersdk-reply.h"
#include "api/v1/v1-json.h"
#include "basic/string-util.h"
#include "shared/error-table.h"

#define MISSING_MAX 100u

/* --- documentation --------------------------------------------------------------------------------- */

static const SchemaField init_fields[] = {
        { "filename", SCHEMA_STRING,
                        .description = "Its last part is used, and ends in .vmdk, .ova, .ovf, .vhd, "
                                       ".vhdx, .vdi, .qcow2, .raw, .img or .iso." },
        { "size", SCHEMA_INTEGER, .description = "In bytes." },
        { "chunk_size", SCHEMA_INTEGER, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "1 to 256 MiB; default 10 MiB." },
        { "sha256", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "Of the file, in hexadecimal digits." },
        {},
};
const Schema v1_init_upload_body = { .name = "UploadInit", .fields = init_fields };

static const SchemaField complete_fields[] = {
        { "upload_id", SCHEMA_STRING },
        { "sha256", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "Of the file, in hexadecimal digits." },
        {},
};
const Schema v1_complete_upload_body = { .name = "UploadComplete", .fields = complete_fields };

static const SchemaField upload_fields[] = {
        { "upload_id", SCHEMA_STRING },
        { "filename", SCHEMA_STRING },
        { "size", SCHEMA_INTEGER },
        { "chunk_size", SCHEMA_INTEGER },
        { "total_chunks", SCHEMA_INTEGER },
        { "received_chunks", SCHEMA_ARRAY_ANY, .description = "The numbers of the chunks, from 0." },
        { "received_bytes", SCHEMA_INTEGER },
        { "progress", SCHEMA_NUMBER, .description = "Percent." },
        { "status", SCHEMA_STRING, .description = "open, verifying, completed or failed" },
        { "complete", SCHEMA_BOOLEAN },
        { "path", SCHEMA_STRING, SCHEMA_NULLABLE, "When it is completed." },
        { "name", SCHEMA_STRING, SCHEMA_NULLABLE, "The last part of the path." },
        { "format", SCHEMA_STRING, .description = "By the name." },
        { "sha256", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "error", SCHEMA_STRING, SCHEMA_NULLABLE, "Why it has failed." },
        { "created_at", SCHEMA_TIMESTAMP },
        { "updated_at", SCHEMA_TIMESTAMP },
        { "expires_at", SCHEMA_TIMESTAMP, .description = "If nothing is added until then." },
        {},
};
const Schema v1_upload_schema = { .name = "Upload", .fields = upload_fields };

static const SchemaField message_fields[] = { { "upload_id", SCHEMA_STRING }, { "message", SCHEMA_STRING },
        {} };
static const Schema message_schema = { .name = "UploadMessage", .fields = message_fields };

const Reply v1_init_upload_replies[] = { REPLY_OBJECT(201, "It has begun.", v1_upload_schema), {} };
const Reply v1_upload_replies[] = { REPLY_OBJECT(200, "The upload.", v1_upload_schema), {} };
const Reply v1_complete_upload_replies[] = {
        REPLY_OBJECT(200, "The file has its name.", v1_upload_schema),
        REPLY_OBJECT(202, "The SHA-256 is still being computed.", v1_upload_schema),
        {},
};
const Reply v1_delete_upload_replies[] = { REPLY_OBJECT(200, "It is removed.", message_schema), {} };

/* --- requests -------------------------------------------------------------------------------------- */

const char *v1_upload_owner(Request *r, char buf[static REQUEST_OWNER_SIZE]) {
        return request_role(r) == ROLE_ADMIN ? "" : request_owner(r, buf);
}

/* The upload as the manager has it, with @status; 202 while it is being verified. */
static int reply_upload(Request *r, unsigned status, sd_bus_message *m, const sd_bus_error *error) {
        json_t *upload;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = hypersdk_read_object(m, &upload);
        if (k < 0)
                return k;
        const char *state = json_string_value(json_object_get(upload, "status"));
        if (status == 0)
                status = streq_ptr(state, "verifying") ? 202 : 200;
        return request_reply_json(r, status, upload);
}

static int on_init(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return reply_upload(r, 201, m, error);
}

int v1_init_upload(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char owner[REQUEST_OWNER_SIZE];
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *definition = NULL;
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        definition = json_dumps(body, JSON_COMPACT);
        k = definition ? manager_call_new(r, "CreateUpload", &m) : -ENOMEM;
        if (k >= 0)
                k = sd_bus_message_append(m, "ss", definition, request_owner(r, owner));
        return k < 0 ? k : manager_call(r, m, on_init, NULL);
}

static int call_upload(Request *r, const char *member, const char *id, const char *sha256,
                manager_reply_func func, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char owner[REQUEST_OWNER_SIZE];
        int k = manager_call_new(r, member, &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "ss", id, v1_upload_owner(r, owner));
        if (k >= 0 && sha256)
                k = sd_bus_message_append(m, "s", sha256);
        return k < 0 ? k : manager_call(r, m, func, userdata);
}

static int on_get(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return reply_upload(r, 200, m, error);
}

int v1_get_upload(Request *r) {
        return call_upload(r, "GetUpload", request_param(r, "id"), NULL, on_get, NULL);
}

static int on_delete(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        if (error)
                return request_reply_bus_error(r, error);
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:s}", "upload_id", request_param(r, "id"), "message",
                                        "The upload was deleted."));
}

int v1_delete_upload(Request *r) {
        return call_upload(r, "DeleteUpload", request_param(r, "id"), NULL, on_delete, NULL);
}

/* --- complete -------------------------------------------------------------------------------------- */

typedef struct CompleteRequest {
        json_t *body;
        const char *id, *sha256; /* of the body */
        char *error; /* ChunksMissing */
} CompleteRequest;

static void complete_request_free(void *userdata) {
        CompleteRequest *c = userdata;

        json_decref(c->body);
        free(c->error);
        free(c);
}

/* The first ones that are not in "received_chunks", which is in ascending order. */
static json_t *missing_json(const json_t *upload) {
        json_int_t total = json_integer_value(json_object_get(upload, "total_chunks"));
        const json_t *received = json_object_get(upload, "received_chunks");
        json_t *missing = json_array();
        size_t next = 0;

        for (json_int_t i = 0; missing && i < total && json_array_size(missing) < MISSING_MAX; i++)
                if (next < json_array_size(received) &&
                                json_integer_value(json_array_get(received, next)) == i)
                        next++;
                else if (json_array_append_new(missing, json_integer(i)) < 0)
                        return json_decref(missing), NULL;
        return missing;
}

static int on_missing(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const CompleteRequest *c = userdata;
        _cleanup_json_ json_t *upload = NULL, *reply = NULL;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = hypersdk_read_object(m, &upload);
        if (k < 0)
                return k;
        reply = v1_error_json(409, c->error, now_realtime());
        if (!reply || json_object_set_new(reply, "missing_chunks", missing_json(upload)) < 0)
                return -ENOMEM;
        return request_reply_json(r, 409, TAKE_PTR(reply));
}

static int on_complete(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        CompleteRequest *c = userdata;

        if (!error || !sd_bus_error_has_name(error, HYPER_BUS_ERROR_CHUNKS_MISSING))
                return reply_upload(r, 0, m, error);
        c->error = strdup(error->message);
        return c->error ? call_upload(r, "GetUpload", c->id, NULL, on_missing, c) : -ENOMEM;
}

int v1_complete_upload(Request *r) {
        CompleteRequest *c = new0(CompleteRequest, 1);
        const json_t *sha256;
        int k;

        if (!c)
                return -ENOMEM;
        request_set_userdata(r, c, complete_request_free);
        k = request_json_object(r, &c->body);
        if (k < 0)
                return k;
        c->id = json_string_value(json_object_get(c->body, "upload_id"));
        if (!c->id)
                return request_reply_error(r, 400, "upload_id: is required, and must be a string");
        sha256 = json_object_get(c->body, "sha256");
        if (sha256 && !json_is_string(sha256) && !json_is_null(sha256))
                return request_reply_error(r, 400, "sha256: must be a string");
        return call_upload(r, "CompleteUpload", c->id, strempty(json_string_value(sha256)), on_complete, c);
}
