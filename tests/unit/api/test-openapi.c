/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The API's own documentation says what the tables say: each route, each parameter, and nothing else; and
 * what it says of a job's fields is what the decoder does. */

#include <ctype.h>

#include "api/hosts/hosts-routes.h"
#include "api/hypersdk/hypersdk-routes.h"
#include "api/openapi/dialect-schema.h"
#include "api/openapi/openapi.h"
#include "api/v1/v1-routes.h"
#include "api/worker/worker-decode.h"
#include "api/worker/worker-routes.h"
#include "unit/lib/test.h"

static json_t *get(const json_t *object, const char *path) {
        json_t *value = json_path_get(object, path);

        ck_assert_msg(value, "%s is not there", path);
        return value;
}

static size_t count_routes(const Dialect *d) {
        size_t n = 0;

        while (d->routes[n].handler)
                n++;
        return n;
}

static json_t *operation_of(const json_t *document, const Route *route) {
        char method[16] = "";

        for (size_t i = 0; i < sizeof(method) - 1 && http_method_to_string(route->method)[i]; i++)
                method[i] = (char) tolower((unsigned char) http_method_to_string(route->method)[i]);

        json_t *path = json_object_get(get(document, "paths"), route->path),
               *operation = json_object_get(path, method);
        ck_assert_msg(operation, "%s %s is not in the document", method, route->path);
        return operation;
}

START_TEST(each_route_is_in_it_and_nothing_else) {
        _cleanup_json_ json_t *document = openapi_document(&worker_dialect), *ids = json_object();
        size_t n = 0;
        const char *key;
        json_t *path;

        ck_assert_str_eq(json_string_value(get(document, "openapi")), "3.0.3");
        for (const Route *route = worker_dialect.routes; route->handler; route++) {
                json_t *operation = operation_of(document, route), *responses = get(operation, "responses");
                const char *id = json_string_value(get(operation, "operationId"));

                ck_assert_msg(!json_object_get(ids, id), "two operations are called %s", id);
                json_object_set_new(ids, id, json_true());
                ck_assert_str_eq(json_string_value(get(operation, "summary")), route->summary);
                ck_assert_msg(route->replies && route->replies[0].status > 0,
                                "nothing is said of what %s answers", route->path);
                for (const Reply *reply = route->replies; reply->status > 0; reply++) {
                        char status[16];

                        (void) snprintf(status, sizeof(status), "%u", reply->status);
                        ck_assert_ptr_nonnull(json_object_get(responses, status));
                        ck_assert_ptr_nonnull(reply->value.description);
                }
                ck_assert_ptr_nonnull(json_object_get(responses, "default"));
                ck_assert_int_eq(json_object_get(operation, "requestBody") != NULL, route->body != NULL);
        }
        json_object_foreach(get(document, "paths"), key, path)
                n += json_object_size(path);
        ck_assert_uint_eq(n, count_routes(&worker_dialect));
}
END_TEST

START_TEST(each_route_says_whether_it_needs_a_key) {
        _cleanup_json_ json_t *document = openapi_document(&worker_dialect);
        size_t n_public = 0, n_work = 0;

        ck_assert_str_eq(json_string_value(get(document, "components.securitySchemes.ApiKey.name")),
                        "X-API-Key");
        ck_assert_str_eq(json_string_value(get(document, "components.securitySchemes.ApiKey.in")), "header");
        for (const Route *route = worker_dialect.routes; route->handler; route++) {
                json_t *operation = operation_of(document, route), *security = get(operation, "security");
                const char *scope = json_string_value(json_object_get(operation, "x-scope"));

                ck_assert(streq_ptr(scope, scope_to_string(route->scope)));
                n_public += route->scope == SCOPE_PUBLIC;
                n_work += route->scope == SCOPE_WORK;
                if (route->scope == SCOPE_PUBLIC) {
                        ck_assert_uint_eq(json_array_size(security), 0);
                        continue;
                }
                ck_assert_uint_eq(json_array_size(security), 3);
                ck_assert(json_is_array(json_object_get(json_array_get(security, 0), "ApiKey")));
                /* what changes something is not for those who may only look */
                ck_assert_int_eq(route->scope == SCOPE_READ, route->method == HTTP_GET);
        }
        ck_assert_uint_eq(n_public, 1);
        ck_assert_uint_eq(n_work, 6);
}
END_TEST

static const json_t *parameter(const json_t *operation, const char *in, const char *name) {
        const json_t *list = get(operation, "parameters");

        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *p = json_array_get(list, i);

                if (streq(json_string_value(get(p, "name")), name) &&
                                streq(json_string_value(get(p, "in")), in))
                        return p;
        }
        return NULL;
}

START_TEST(each_parameter_is_in_it_and_nothing_else) {
        _cleanup_json_ json_t *document = openapi_document(&worker_dialect);
        size_t n_all = 0;

        for (const Route *route = worker_dialect.routes; route->handler; route++) {
                const json_t *operation = operation_of(document, route);
                size_t n = 0;

                for (const QueryField *f = route->query; f && f->key; f++, n++) {
                        const json_t *p = parameter(operation, "query", f->key);

                        ck_assert_msg(p, "%s?%s is not there", route->path, f->key);
                        ck_assert(json_is_false(get(p, "required")));
                        ck_assert_msg(f->description, "nothing is said of %s?%s", route->path, f->key);
                }
                for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{'), n++) {
                        _cleanup_free_ char *name = strndup(at + 1, strcspn(at + 1, "}"));
                        const json_t *p = parameter(operation, "path", name);

                        ck_assert_msg(p, "{%s} of %s is not there", name, route->path);
                        ck_assert(json_is_true(get(p, "required")));
                }
                ck_assert_uint_eq(json_array_size(get(operation, "parameters")), n);
                n_all += n;
        }
        ck_assert_uint_gt(n_all, 5);
}
END_TEST

START_TEST(parameters_have_the_limits_of_their_table) {
        static const QueryField query[] = {
                { .key = "s", .type = QUERY_STRING },
                { .key = "short", .type = QUERY_STRING, .max = 7 },
                { .key = "u", .type = QUERY_UNSIGNED, .min = 2, .max = 9 },
                { .key = "n", .type = QUERY_UINT64, .max = INT64_MAX },
                { .key = "b", .type = QUERY_BOOLEAN },
                { .key = "t", .type = QUERY_TIMESTAMP },
                { .key = "e", .type = QUERY_ENUM, .expected = "one of a, b" },
                { .key = "set", .type = QUERY_ENUM_SET, .expected = "one of a, b", .description = "Some." },
                {},
        };
        static const Route routes[] = {
                { HTTP_PUT, "/a/{x}/b.json/{y}", SCOPE_READ, openapi_get, .query = query,
                                .summary = "All." },
                {},
        };
        static const Dialect dialect = { .name = "test", .routes = routes };
        static const char expected[] =
                        "[{\"in\":\"path\",\"name\":\"x\",\"required\":true,\"schema\":{\"minLength\":1,"
                        "\"type\":\"string\"}},"
                        "{\"in\":\"path\",\"name\":\"y\",\"required\":true,\"schema\":{\"minLength\":1,"
                        "\"type\":\"string\"}},"
                        "{\"in\":\"query\",\"name\":\"s\",\"required\":false,\"schema\":{\"maxLength\":1024,"
                        "\"type\":\"string\"}},"
                        "{\"in\":\"query\",\"name\":\"short\",\"required\":false,\"schema\":{\"maxLength\":"
                        "7,\"type\":\"string\"}},"
                        "{\"in\":\"query\",\"name\":\"u\",\"required\":false,\"schema\":{\"maximum\":9,"
                        "\"minimum\":2,\"type\":\"integer\"}},"
                        "{\"in\":\"query\",\"name\":\"n\",\"required\":false,\"schema\":{\"maximum\":"
                        "9223372036854775807,\"minimum\":0,\"type\":\"integer\"}},"
                        "{\"in\":\"query\",\"name\":\"b\",\"required\":false,\"schema\":{\"type\":"
                        "\"boolean\"}},"
                        "{\"in\":\"query\",\"name\":\"t\",\"required\":false,\"schema\":{\"format\":\"date-"
                        "time\",\"type\":\"string\"}},"
                        "{\"in\":\"query\",\"name\":\"e\",\"required\":false,\"schema\":{\"enum\":[\"a\","
                        "\"b\"],\"type\":\"string\"}},"
                        "{\"description\":\"Some.\",\"explode\":false,\"in\":\"query\",\"name\":\"set\","
                        "\"required\":false,"
                        "\"schema\":{\"items\":{\"enum\":[\"a\",\"b\"],\"type\":\"string\"},\"type\":"
                        "\"array\"}}]";
        _cleanup_json_ json_t *document = openapi_document(&dialect);
        const json_t *operation = operation_of(document, routes);
        _cleanup_free_ char *text = json_dumps(get(operation, "parameters"), JSON_COMPACT | JSON_SORT_KEYS);

        ck_assert_str_eq(text, expected);
        ck_assert_str_eq(json_string_value(get(operation, "operationId")), "put_a_x_b_json_y");
}
END_TEST

/* Each reference leads to a schema; counts them in @used. */
static void follow(const json_t *value, const json_t *schemas, json_t *used) {
        const char *key;
        json_t *below;
        size_t i;

        if (json_is_array(value))
                json_array_foreach(value, i, below)
                        follow(below, schemas, used);
        json_object_foreach((json_t *) value, key, below) {
                if (!streq(key, "$ref")) {
                        follow(below, schemas, used);
                        continue;
                }
                const char *name = startswith(json_string_value(below), "#/components/schemas/");
                ck_assert_msg(name && json_object_get(schemas, name), "%s leads nowhere",
                                json_string_value(below));
                json_object_set_new(used, name, json_true());
        }
}

START_TEST(references_lead_somewhere) {
        static const Dialect *const all[] = { &worker_dialect, &v1_dialect };

        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                _cleanup_json_ json_t *document = openapi_document(all[i]), *used = json_object();
                json_t *schemas;

                ck_assert_msg(document, "%s", all[i]->name);
                schemas = get(document, "components.schemas");
                follow(document, schemas, used);
                ck_assert_uint_gt(json_object_size(used), 10);
                ck_assert_uint_eq(json_object_size(used), json_object_size(schemas));
        }
}
END_TEST

/* --- the job --------------------------------------------------------------------------------------- */

#define FOR_VSPHERE                                                                                        \
        "{\"image\":{\"name\":\"vc\",\"vm_path\":\"web\"},\"parameters\":{\"output_path\":\"/data/out/\"," \
        "\"source_power\":\"shutdown\"}}"
#define FOR_WARM                                                                                           \
        "{\"image\":{\"name\":\"vc\",\"vm_path\":\"web\"},\"parameters\":{\"output_path\":\"/data/out/\"," \
        "\"warm\":true}}"
#define FOR_KVM "{\"image\":{\"path\":\"/data/a.vmdk\"},\"parameters\":{\"output_type\":\"kvm\"}}"
#define FOR_REMOTE                                                                        \
        "{\"image\":{\"path\":\"/data/a.vmdk\"},\"parameters\":{\"output_type\":\"kvm\"," \
        "\"libvirt_uri\":\"qemu+tls://h/system\"}}"
#define FOR_BOOT                                                                          \
        "{\"image\":{\"path\":\"/data/a.vmdk\"},\"parameters\":{\"output_type\":\"kvm\"," \
        "\"boot_check\":true}}"
#define FOR_FILES "{\"image\":{\"path\":\"/data/a.vmdk\"},\"parameters\":{\"output_path\":\"/data/out\"}}"

/* Some fields are for one kind of source or destination only, or without a path. */
#define FOR_REPAIR "{\"operation\": \"fs_repair\", \"image\": {\"path\": \"/srv/a.qcow2\"}}"
#define FOR_FIX                                                                                 \
        "{\"image\":{\"path\":\"/data/a.vmdk\"},\"parameters\":{\"output_path\":\"/data/out\"," \
        "\"fix\":\"auto\"}}"

static json_t *job_for(const char *path) {
        static const struct {
                const char *path, *job;
        } special[] = {
                { "parameters.conversion_method", FOR_VSPHERE },
                { "parameters.source_power", FOR_VSPHERE },
                { "parameters.shutdown_timeout_seconds", FOR_VSPHERE },
                { "parameters.power_off", FOR_VSPHERE },
                { "parameters.verify", FOR_WARM },
                { "parameters.warm", FOR_WARM },
                { "parameters.cutover", FOR_WARM },
                { "parameters.interval_seconds", FOR_WARM },
                { "parameters.power_on_after_failure", FOR_WARM },
                { "parameters.output_directory", FOR_KVM },
                { "parameters.domain_name", FOR_KVM },
                { "parameters.libvirt_uri", FOR_KVM },
                { "parameters.storage_pool", FOR_REMOTE },
                { "parameters.network_map", FOR_KVM },
                { "parameters.hardware", FOR_KVM },
                { "parameters.disk_bus", FOR_KVM },
                { "parameters.nic_model", FOR_KVM },
                { "parameters.start", FOR_KVM },
                { "parameters.boot_check", FOR_KVM },
                { "parameters.boot_timeout_seconds", FOR_BOOT },
                { "parameters.dry_run", FOR_REPAIR },
                { "image.further_disks", FOR_REPAIR },
                { "parameters.force", FOR_REPAIR },
                { "parameters.method", FOR_FIX },
                { "parameters.relabel", FOR_FIX },
        };

        for (size_t i = 0; i < ELEMENTSOF(special); i++)
                if (streq(special[i].path, path))
                        return json_loads(special[i].job, 0, NULL);
        return json_loads(FOR_FILES, 0, NULL);
}

static bool takes(const char *path, json_t *value) {
        _cleanup_json_ json_t *job = job_for(path);
        _cleanup_(dialect_job_done) DialectJob decoded = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};

        /* An NBD server is named by its URI. */
        if (streq(path, "parameters.output_type") && streq(strempty(json_string_value(value)), "nbd"))
                ck_assert_int_eq(json_path_set(job, "parameters.output_path", json_string("nbd://h/x")), 0);
        /* An inspection has no output. */
        if (streq(path, "operation") && streq(strempty(json_string_value(value)), "inspect"))
                (void) json_object_del(json_object_get(job, "parameters"), "output_path");
        ck_assert_int_eq(json_path_set(job, path, value), 0);
        int r = worker_job_decode(job, &decoded, &errors);
        ck_assert(r == 0 || r == -EBADMSG);
        return r == 0;
}

static json_t *text_of_length(size_t n) {
        _cleanup_free_ char *text = malloc(n + 1);

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', n);
        text[n] = '\0';
        return json_string(text);
}

static void check_leaf(const char *path, const json_t *leaf) {
        const char *type = json_string_value(json_object_get(leaf, "type"));
        json_t *words = json_object_get(leaf, "enum"), *word;
        size_t i;

        /* (image.path may be null if there is another field that says what the source is.) */
        ck_assert_msg(streq(path, "image.path") ||
                                        takes(path, json_null()) ==
                                                        json_is_true(json_object_get(leaf, "nullable")),
                        "%s and null", path);
        json_array_foreach(words, i, word)
                ck_assert_msg(takes(path, json_incref(word)), "%s is not taken by %s",
                                strna(json_string_value(word)), path);
        if (words)
                ck_assert(!takes(path, json_string("teleport")));
        if (!type)
                return;
        if (streq(type, "integer")) {
                json_int_t min = json_integer_value(get(leaf, "minimum")),
                           max = json_integer_value(get(leaf, "maximum"));

                ck_assert_msg(takes(path, json_integer(min)) && !takes(path, json_integer(min - 1)),
                                "the lower limit of %s", path);
                ck_assert_msg(takes(path, json_integer(max)) && !takes(path, json_integer(max + 1)),
                                "the upper limit of %s", path);
        } else if (streq(type, "boolean"))
                ck_assert(takes(path, json_true()) && !takes(path, json_integer(1)));
        else if (streq(type, "object"))
                ck_assert(takes(path, json_object()) && !takes(path, json_string("x")));
        else if (streq(type, "array")) {
                const char *item = streq(path, "limits")         ? "esx:esx7"
                                : startswith(path, "placement.") ? "san-b"
                                                                 : "/b.raw";

                ck_assert(takes(path, json_pack("[s]", item)) && !takes(path, json_string(item)));
        } else {
                ck_assert_str_eq(type, "string");
                ck_assert(!takes(path, json_integer(1)));
                if (!words)
                        ck_assert_msg(!takes(path,
                                                      text_of_length((size_t) json_integer_value(get(
                                                                                     leaf, "maxLength")) +
                                                                      1)),
                                        "%s is as long as one likes", path);
        }
}

static size_t check_object(const char *path, const json_t *object) {
        const char *key;
        json_t *property;
        size_t n = 0;

        json_object_foreach(get(object, "properties"), key, property) {
                _cleanup_free_ char *below = strprintf("%s%s%s", path, *path ? "." : "", key);

                if (json_object_get(property, "properties"))
                        n += check_object(below, property);
                else {
                        check_leaf(below, property);
                        n++;
                }
        }
        return n;
}

START_TEST(a_job_is_as_the_decoder_takes_it) {
        _cleanup_json_ json_t *schema = dialect_job_schema(worker_fields), *names = json_object();
        size_t n = 0;

        for (const FieldMap *m = worker_fields; m->dialect; m++)
                json_object_set_new(names, m->dialect, json_true());
        n = check_object("", schema);
        ck_assert_uint_eq(n, json_object_size(names));

        /* What the table calls required is, and nothing else. */
        ck_assert_uint_eq(json_array_size(get(schema, "required")), 1);
        ck_assert_str_eq(json_string_value(json_array_get(get(schema, "required"), 0)), "image");
        ck_assert_ptr_null(json_path_get(schema, "properties.image.required"));
        ck_assert(!takes("image", json_object()));
}
END_TEST

/* Paths that take a question in the body of a POST. */
static bool post_only_reads(const char *path) {
        static const char *const paths[] = { "/jobs/query", "/vms/list", "/vms/info", "/api/workflow/status",
                "/api/workflow/jobs", "/api/workflow/jobs/active", "/api/workflow/manifest/validate",
                "/manifest/validate" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (streq(paths[i], path))
                        return true;
        return false;
}

/* In each dialect. */
START_TEST(only_health_is_public_and_only_reading_is_for_viewers) {
        static const Dialect *const all[] = { &hypersdk_dialect, &worker_dialect, &hosts_dialect };

        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                for (const Route *route = all[i]->routes; route->handler; route++) {
                        bool health = endswith(route->path, "/health"),
                             /* Who sees a screen is who may type. */
                                        display = endswith(route->path, "/console") ||
                                        endswith(route->path, "/spice") ||
                                        endswith(route->path, "/screenshot"),
                             reads = (route->method == HTTP_GET && !display) || post_only_reads(route->path);

                        ck_assert_msg((route->scope == SCOPE_PUBLIC) == health, "%s%s", all[i]->name,
                                        route->path);
                        ck_assert_msg((route->scope == SCOPE_READ) == (reads && !health), "%s%s",
                                        all[i]->name, route->path);
                        ck_assert_msg(!route->for_browsers || route->scope == SCOPE_READ, "%s%s",
                                        all[i]->name, route->path);
                }
}
END_TEST

TEST_MAIN("openapi", only_health_is_public_and_only_reading_is_for_viewers,
                each_route_is_in_it_and_nothing_else, each_route_says_whether_it_needs_a_key,
                each_parameter_is_in_it_and_nothing_else, parameters_have_the_limits_of_their_table,
                references_lead_somewhere, a_job_is_as_the_decoder_takes_it)
