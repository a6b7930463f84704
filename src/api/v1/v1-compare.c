/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-compare.h"

#include <inttypes.h>
#include <strings.h>

#include "basic/string-util.h"

typedef struct Comparison {
        const json_t *source, *target;
        char *const *ignore;
        json_t *fields;
        unsigned matched, expected;
        int error;
} Comparison;

/* A value as text: "" if there is none. The caller frees it; NULL when out of memory. */
static char *value_text(const json_t *v) {
        if (json_is_string(v))
                return strdup(json_string_value(v));
        if (json_is_integer(v))
                return strprintf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
        if (json_is_boolean(v))
                return strdup(json_is_true(v) ? "true" : "false");
        return strdup("");
}

/* Of "nics[0].mac", "mac" names it, too. */
static bool is_ignored(const Comparison *c, const char *field) {
        const char *last = strrchr(field, '.');

        return strv_contains(c->ignore, field) || (last && strv_contains(c->ignore, last + 1));
}

static void add(Comparison *c, const char *field, const char *label, const json_t *source,
                const json_t *target, bool may_differ) {
        _cleanup_free_ char *a = value_text(source), *b = value_text(target);
        bool match, expected;

        if (is_ignored(c, field))
                return;
        match = a && b && strcasecmp(a, b) == 0;
        expected = !match && may_differ;
        if (!a || !b ||
                        json_array_append_new(c->fields,
                                        json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s}", "field", field,
                                                        "label", label, "source", a, "target", b, "match",
                                                        match, "expected", expected, "severity",
                                                        match || expected ? "info" : "warning")) < 0)
                c->error = -ENOMEM;
        c->matched += match;
        c->expected += expected;
}

/* --- one machine ----------------------------------------------------------------------------------- */

typedef struct Field {
        const char *key, *label;
        bool may_differ; /* a migration changes it on purpose */
} Field;

static void add_fields(Comparison *c, const json_t *source, const json_t *target, const Field *fields) {
        for (const Field *f = fields; f->key; f++)
                add(c, f->key, f->label, json_object_get(source, f->key), json_object_get(target, f->key),
                                f->may_differ);
}

/* The number of processors by that of the cores of each: NULL if it is not known. */
static json_t *sockets(const json_t *vm) {
        json_int_t cpus = json_integer_value(json_object_get(vm, "cpu")),
                   cores = json_integer_value(
                                   json_object_get(json_object_get(vm, "hardware"), "cores_per_socket"));

        return cpus > 0 && cores > 0 && cpus % cores == 0 ? json_integer(cpus / cores) : NULL;
}

static void add_sockets(Comparison *c) {
        json_t *a = sockets(c->source), *b = sockets(c->target);

        add(c, "sockets", "Sockets", a, b, false);
        json_decref(a);
        json_decref(b);
}

/* --- lists ----------------------------------------------------------------------------------------- */

typedef struct List {
        const char *key, *label, *element;
        const Field *fields;
} List;

static const Field disk_fields[] = { { "size_bytes", "size", false }, { "bus", "bus", true }, {} };
static const Field nic_fields[] = { { "mac", "MAC address", false }, { "network", "network", true },
        { "type", "model", true }, {} };
static const List lists[] = {
        { "disks", "Number of disks", "Disk", disk_fields },
        { "nics", "Number of NICs", "NIC", nic_fields },
};

static void add_element(Comparison *c, const List *l, size_t i) {
        const json_t *a = json_array_get(json_object_get(c->source, l->key), i),
                     *b = json_array_get(json_object_get(c->target, l->key), i);

        for (const Field *f = l->fields; f->key; f++) {
                _cleanup_free_ char *field = strprintf("%s[%zu].%s", l->key, i, f->key),
                                    *label = strprintf("%s %zu %s", l->element, i + 1, f->label);

                if (!field || !label) {
                        c->error = -ENOMEM;
                        return;
                }
                add(c, field, label, json_object_get(a, f->key), json_object_get(b, f->key), f->may_differ);
        }
}

static void add_list(Comparison *c, const List *l) {
        size_t a = json_array_size(json_object_get(c->source, l->key)),
               b = json_array_size(json_object_get(c->target, l->key));
        json_t *n_a = json_integer((json_int_t) a), *n_b = json_integer((json_int_t) b);

        add(c, l->key, l->label, n_a, n_b, false);
        json_decref(n_a);
        json_decref(n_b);
        for (size_t i = 0; i < MAX(a, b); i++)
                add_element(c, l, i);
}

/* --- all ------------------------------------------------------------------------------------------- */

static const Field machine_fields[] = { { "name", "Name", false }, { "cpu", "CPUs", false },
        { "memory_mb", "Memory (MB)", false }, { "firmware", "Firmware", false },
        { "os", "Operating system", false }, { "power_state", "Power state", true },
        { "tools_status", "Guest tools", true }, {} };
static const Field hardware_fields[] = { { "cores_per_socket", "Cores per socket", false },
        { "secure_boot", "Secure boot", false }, { "tpm", "TPM", false }, {} };

static const char *name_of(const json_t *vm) {
        return strempty(json_string_value(json_object_get(vm, "name")));
}

json_t *v1_compare(const json_t *source, const json_t *target, char *const *ignore, usec_t now) {
        Comparison c = { .source = source, .target = target, .ignore = ignore, .fields = json_array() };

        if (!c.fields)
                return NULL;
        add_fields(&c, source, target, machine_fields);
        add_sockets(&c);
        add_fields(&c, json_object_get(source, "hardware"), json_object_get(target, "hardware"),
                        hardware_fields);
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                add_list(&c, &lists[i]);
        if (c.error < 0) {
                json_decref(c.fields);
                return NULL;
        }
        unsigned n = (unsigned) json_array_size(c.fields), different = n - c.matched - c.expected;
        return json_pack("{s:s, s:s, s:b, s:o, s:{s:i, s:i, s:i, s:i}, s:o}", "source_name", name_of(source),
                        "target_name", name_of(target), "match", different == 0, "timestamp", json_time(now),
                        "summary", "compared", (int) n, "matched", (int) c.matched, "expected",
                        (int) c.expected, "different", (int) different, "fields", c.fields);
}

static const SchemaField summary_fields[] = {
        { "compared", SCHEMA_INTEGER },
        { "matched", SCHEMA_INTEGER },
        { "expected", SCHEMA_INTEGER, .description = "Differences that a migration makes on purpose." },
        { "different", SCHEMA_INTEGER },
        {},
};
static const Schema summary_schema = { .name = "ComparisonSummary", .fields = summary_fields };

static const SchemaField field_fields[] = {
        { "field", SCHEMA_STRING, .description = "\"memory_mb\", \"disks[0].bus\"" },
        { "label", SCHEMA_STRING },
        { "source", SCHEMA_STRING, .description = "\"\" if it is not known." },
        { "target", SCHEMA_STRING },
        { "match", SCHEMA_BOOLEAN },
        { "expected", SCHEMA_BOOLEAN, .description = "They differ, as a migration does it on purpose." },
        { "severity", SCHEMA_STRING, .description = "info or warning" },
        {},
};
static const Schema field_schema = { .name = "ComparedField", .fields = field_fields };

static const SchemaField comparison_fields[] = {
        { "source_name", SCHEMA_STRING },
        { "target_name", SCHEMA_STRING },
        { "match", SCHEMA_BOOLEAN, .description = "There are no differences but expected ones." },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "summary", SCHEMA_OBJECT, .schema = &summary_schema },
        { "fields", SCHEMA_ARRAY, .schema = &field_schema },
        {},
};
const Schema v1_comparison_schema = { .name = "Comparison", .fields = comparison_fields };
