/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>

#include "api/http/reply.h"
#include "api/http/request.h"
#include "api/openapi/openapi.h"
#include "basic/string-util.h"

#define JSON_MEDIA_TYPE "application/json"

/* --- parameters ------------------------------------------------------------------------------------ */

static json_t *query_schema(const QueryField *f) {
        switch (f->type) {
        case QUERY_STRING:
                return json_pack("{s:s, s:I}", "type", "string", "maxLength",
                                (json_int_t) (f->max > 0 ? f->max : QUERY_STRING_MAX));
        case QUERY_UNSIGNED:
        case QUERY_UINT64:
                return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t) f->min,
                                "maximum", (json_int_t) MIN(f->max, (uint64_t) INT64_MAX));
        case QUERY_BOOLEAN:
                return json_pack("{s:s}", "type", "boolean");
        case QUERY_TIMESTAMP:
                return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
        case QUERY_ENUM:
                return schema_from_words(f->expected, NULL);
        case QUERY_ENUM_SET:
                return json_pack("{s:s, s:o}", "type", "array", "items",
                                schema_from_words(f->expected, NULL));
        }
        return NULL;
}

static int add_query_parameters(json_t *parameters, const QueryField *query) {
        for (const QueryField *f = query; f && f->key; f++) {
                json_t *p = json_pack("{s:s, s:s, s:b, s:o}", "name", f->key, "in", "query", "required", 0,
                                "schema", query_schema(f));

                if (json_array_append_new(parameters, p) < 0)
                        return -ENOMEM;
                if (f->description && json_object_set_new(p, "description", json_string(f->description)) < 0)
                        return -ENOMEM;
                /* "a,b"; the same parameter again is taken as well, but one way has to be chosen. */
                if (f->type == QUERY_ENUM_SET && json_object_set_new(p, "explode", json_false()) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int add_path_parameters(json_t *parameters, const char *path) {
        for (const char *p = strchr(path, '{'); p; p = strchr(p, '{')) {
                size_t n = strcspn(++p, "}");

                if (json_array_append_new(parameters,
                                    json_pack("{s:s%, s:s, s:b, s:{s:s, s:i}}", "name", p, n, "in", "path",
                                                    "required", 1, "schema", "type", "string", "minLength",
                                                    1)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* --- bodies and answers ---------------------------------------------------------------------------- */

static json_t *stream_events(const ReplyEvent *events, json_t *components) {
        _cleanup_json_ json_t *map = json_object();

        for (const ReplyEvent *e = events; map && e->name; e++)
                if (json_object_set_new(map, e->name, schema_ref_json(e->data, components)) < 0)
                        return NULL;
        return TAKE_PTR(map);
}

static json_t *reply_json(const Reply *reply, json_t *components) {
        const char *media_type = reply->content_type ? reply->content_type : JSON_MEDIA_TYPE;
        _cleanup_json_ json_t *media = NULL;

        if (reply->is_empty)
                return json_pack("{s:s}", "description", reply->value.description);

        SchemaField value = reply->value;
        value.description = NULL; /* the answer's */
        media = json_pack("{s:o}", "schema", schema_field_json(&value, components));
        if (!media)
                return NULL;
        if (reply->events &&
                        json_object_set_new(media, "x-events", stream_events(reply->events, components)) < 0)
                return NULL;
        return json_pack("{s:s, s:{s:O}}", "description", reply->value.description, "content", media_type,
                        media);
}

/* A status may have bodies of several types. */
static int add_reply(json_t *replies, const Reply *reply, json_t *components) {
        _cleanup_json_ json_t *one = reply_json(reply, components);
        char status[16];

        (void) snprintf(status, sizeof(status), "%u", reply->status);
        json_t *content = json_object_get(json_object_get(replies, status), "content");
        if (!one)
                return -ENOMEM;
        return (content ? json_object_update(content, json_object_get(one, "content"))
                        : json_object_set(replies, status, one)) < 0
                        ? -ENOMEM
                        : 0;
}

static json_t *replies_json(const Dialect *dialect, const Route *route, json_t *components) {
        _cleanup_json_ json_t *replies = json_object();

        if (!replies)
                return NULL;
        for (const Reply *reply = route->replies; reply && reply->status > 0; reply++)
                if (add_reply(replies, reply, components) < 0)
                        return NULL;
        if (dialect->error_schema &&
                        json_object_set_new(replies, "default",
                                        json_pack("{s:s, s:{s:{s:o}}}", "description",
                                                        "An error; the status and the message describe it.",
                                                        "content", JSON_MEDIA_TYPE, "schema",
                                                        schema_ref_json(dialect->error_schema,
                                                                        components))) < 0)
                return NULL;
        return TAKE_PTR(replies);
}

/* --- keys ------------------------------------------------------------------------------------------ */

/* One of the two, or neither: a client on this machine may have the role of its user instead. */
static json_t *security_json(const Route *route) {
        return route->scope == SCOPE_PUBLIC ? json_array()
                                            : json_pack("[{s:[]}, {s:[]}, {}]", "ApiKey", "Bearer");
}

static json_t *security_schemes(void) {
        return json_pack("{s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s, s:s}}", "ApiKey", "type", "apiKey", "in",
                        "header", "name", API_KEY_HEADER, "description",
                        "A key that was made with 'hyperctl key add'. It must have the scope that an "
                        "operation names "
                        "(x-scope). Without one, a client on the server's machine has the role of its user.",
                        "Bearer", "type", "http", "scheme", "bearer", "description",
                        "The same key, for clients that know no other header.");
}

/* --- operations ------------------------------------------------------------------------------------ */

/* "get_jobs_id_events" for GET /jobs/{id}/events. */
static char *operation_id(const Route *route) {
        _cleanup_free_ char *method = strdup(http_method_to_string(route->method));
        char *id, *out;

        if (!method)
                return NULL;
        for (char *p = method; *p; p++)
                *p = (char) tolower((unsigned char) *p);
        id = strprintf("%s%s", method, route->path);
        if (!id)
                return NULL;
        out = id;
        for (const char *p = id; *p; p++)
                if (isalnum((unsigned char) *p))
                        *out++ = *p;
                else if (*p == '/' || *p == '.' || *p == '-')
                        *out++ = '_';
        *out = '\0';
        return id;
}

/* A page shows what begins with the same segment together. */
static json_t *tags_json(const Route *route) {
        size_t n = strcspn(route->path + 1, "/.");

        return json_pack("[s%]", route->path + 1, n);
}

static json_t *operation_json(const Dialect *dialect, const Route *route, json_t *components) {
        _cleanup_json_ json_t *operation = NULL, *parameters = json_array();
        _cleanup_free_ char *id = operation_id(route);

        if (!id || !parameters || add_path_parameters(parameters, route->path) < 0 ||
                        add_query_parameters(parameters, route->query) < 0)
                return NULL;
        operation = json_pack("{s:s, s:s, s:o, s:O, s:o, s:o, s:s*}", "operationId", id, "summary",
                        strempty(route->summary), "tags", tags_json(route), "parameters", parameters,
                        "responses", replies_json(dialect, route, components), "security",
                        security_json(route), "x-scope", scope_to_string(route->scope));
        if (!operation)
                return NULL;
        if (route->body &&
                        json_object_set_new(operation, "requestBody",
                                        json_pack("{s:b, s:{s:{s:o}}}", "required", 1, "content",
                                                        JSON_MEDIA_TYPE, "schema",
                                                        schema_ref_json(route->body, components))) < 0)
                return NULL;
        return TAKE_PTR(operation);
}

static int add_operation(json_t *paths, const Dialect *dialect, const Route *route, json_t *components) {
        _cleanup_free_ char *method = strdup(http_method_to_string(route->method)),
                            *full = strprintf("%s%s", strempty(dialect->base), route->path);
        json_t *path = full ? json_object_get(paths, full) : NULL;

        if (!method || !full)
                return -ENOMEM;
        for (char *p = method; *p; p++)
                *p = (char) tolower((unsigned char) *p);
        if (!path) {
                path = json_object();
                if (json_object_set_new(paths, full, path) < 0)
                        return -ENOMEM;
        }
        return json_object_set_new(path, method, operation_json(dialect, route, components)) < 0 ? -ENOMEM
                                                                                                 : 0;
}

json_t *openapi_document(const Dialect *dialect) {
        _cleanup_json_ json_t *paths = json_object(), *components = json_object();

        if (!paths || !components)
                return NULL;
        for (const Route *route = dialect_next_route(dialect, NULL); route;
                        route = dialect_next_route(dialect, route))
                if (add_operation(paths, dialect, route, components) < 0)
                        return NULL;
        return json_pack("{s:s, s:{s:s, s:s, s:s}, s:O, s:{s:O, s:o}}", "openapi", "3.0.3", "info", "title",
                        dialect->title ? dialect->title : dialect->name, "version", PACKAGE_VERSION,
                        "description", strempty(dialect->description), "paths", paths, "components",
                        "schemas", components, "securitySchemes", security_schemes());
}

const Reply openapi_replies[] = {
        { 200, { .type = SCHEMA_OBJECT, .description = "This document, in OpenAPI 3.0.3." } },
        {},
};

int openapi_get(Request *r) {
        return request_reply_json(r, 200, openapi_document(request_dialect(r)));
}
