/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "dialect/dialect-job.h"
#include "spec/job-misplaced.h"
#include "json/json-redact.h"
#include "json/json-table.h"

/* Clients may send anything; the job's log is told of so many fields and no more. */
#define WARNINGS_MAX 32u

void dialect_job_done(DialectJob *j) {
        if (!j)
                return;
        job_spec_free(j->spec);
        json_decref(j->request);
        free(j->request_text);
        json_decref(j->origins);
        strv_free(j->warnings);
        *j = (DialectJob){};
}

/* Takes the next component off a dotted path; false at the end. */
static bool path_next(const char **path, char *buf, size_t size) {
        size_t n = strcspn(*path, ".");

        if (n == 0 || n >= size)
                return false;
        memcpy(buf, *path, n);
        buf[n] = '\0';
        *path += n + ((*path)[n] == '.');
        return true;
}

json_t *json_path_get(const json_t *object, const char *path) {
        const json_t *v = object;
        char key[64];

        while (v && path_next(&path, key, sizeof(key)))
                v = json_object_get(v, key);
        return (json_t *) v;
}

int json_path_set(json_t *object, const char *path, json_t *value) {
        char key[64];

        if (!value)
                return -ENOMEM;
        while (path_next(&path, key, sizeof(key)) && *path) {
                json_t *below = json_object_get(object, key);

                if (!below) {
                        below = json_object();
                        if (!below || json_object_set_new(object, key, below) < 0) {
                                json_decref(value);
                                return -ENOMEM;
                        }
                }
                if (!json_is_object(below)) {
                        json_decref(value);
                        return -EINVAL;
                }
                object = below;
        }
        return json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
}

/* True if @path is @prefix or something below it. */
static bool path_is_below(const char *path, const char *prefix) {
        const char *rest = startswith(path, prefix);

        return rest && (*rest == '\0' || *rest == '.');
}

bool translation_is_settled(const Translation *t, const char *canonical) {
        STRV_FOREACH(s, t->settled)
                if (path_is_below(canonical, *s))
                        return true;
        return false;
}

/* What the client calls a canonical field: the field that gave its value, or one above it, or else the one
 * that the table shows. The rest of the path is kept: "audit_info.tags" of "audit" is "audit.tags". */
static char *dialect_name(const FieldMap *map, json_t *origins, const char *canonical) {
        const char *best = NULL, *key;
        size_t length = 0;
        json_t *v;

        json_object_foreach(origins, key, v)
                if (path_is_below(canonical, key) && strlen(key) > length) {
                        best = json_string_value(v);
                        length = strlen(key);
                }
        if (!best)
                for (const FieldMap *m = map; m->dialect; m++)
                        if (m->canonical && (m->flags & FIELD_SHOWN) && !(m->flags & FIELD_OUT_ONLY) &&
                                        path_is_below(canonical, m->canonical) &&
                                        strlen(m->canonical) > length) {
                                best = m->dialect;
                                length = strlen(m->canonical);
                        }
        return best ? strprintf("%s%s", best, canonical + length) : strdup(canonical);
}

bool json_is_zero_value(const json_t *value) {
        switch (json_typeof(value)) {
        case JSON_NULL:
                return true;
        case JSON_STRING:
                return isempty(json_string_value(value)) ||
                                startswith(json_string_value(value), "0001-01-01T00:00:00");
        case JSON_INTEGER:
        case JSON_REAL:
                return !(json_number_value(value) < 0) && !(json_number_value(value) > 0);
        default:
                return false;
        }
}

/* The value, or NULL if it counts as not given. */
static json_t *as_given(json_t *value, unsigned flags) {
        if (!value || json_is_null(value))
                return NULL;
        return (flags & FIELD_ZERO_IS_ABSENT) && json_is_zero_value(value) ? NULL : value;
}

/* Fields whose value is a word, which clients write in any case. */
static const char *const word_fields[] = { "operation", "source.type", "source.format", "destination.type",
        "destination.format", "destination.disk_bus", "destination.nic_model", "parameters.in_use",
        "parameters.chain", "parameters.fix", "parameters.conversion_method", "parameters.source_power" };

/* The value as the canonical spec has it. New reference, or NULL when out of memory. */
static json_t *canonical_value(const char *canonical, json_t *value) {
        const char *s = json_string_value(value);
        bool is_word = false;

        for (size_t i = 0; i < ELEMENTSOF(word_fields); i++)
                is_word = is_word || streq(word_fields[i], canonical);
        if (!s || !is_word)
                return json_incref(value);

        _cleanup_free_ char *lower = strdup(s);
        if (!lower)
                return NULL;
        for (char *c = lower; *c; c++)
                if (*c >= 'A' && *c <= 'Z')
                        *c = (char) (*c - 'A' + 'a');
        return json_string(lower);
}

static unsigned field_flags(const FieldMap *map, const char *dialect) {
        for (const FieldMap *m = map; m->dialect; m++)
                if (streq(m->dialect, dialect))
                        return m->flags;
        return 0;
}

int translation_take(Translation *t, const char *dialect, const char *canonical) {
        json_t *value = as_given(json_path_get(t->request, dialect), field_flags(t->map, dialect));
        int r;

        if (!value)
                return 0;
        r = translation_set(t, canonical, canonical_value(canonical, value));
        if (r < 0)
                return r;
        return json_object_set_new(t->origins, canonical, json_string(dialect)) < 0 ? -ENOMEM : 0;
}

/* The object that fields were looked for last: those of one are together in the table. */
typedef struct Section {
        const char *path; /* of a field in it; NULL: none was looked for */
        size_t length; /* of its own path in that */
        json_t *object; /* NULL: it is not there */
} Section;

/* As json_object_get(), for keys that are mostly not there: in a small object, comparing is faster than
 * hashing. */
static json_t *get_rarely_there(json_t *object, const char *key) {
        if (json_object_size(object) > 8)
                return json_object_get(object, key);
        for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
                const char *k = json_object_iter_key(i);

                if (k[0] == key[0] && streq(k, key))
                        return json_object_iter_value(i);
        }
        return NULL;
}

/* As json_path_get(). */
static json_t *get_of_request(const Translation *t, const char *path, Section *s) {
        const char *dot = strchr(path, '.');
        size_t length = dot ? (size_t) (dot - path) : 0;

        if (!dot)
                return get_rarely_there(t->request, path);
        if (!s->path || s->length != length || memcmp(s->path, path, length) != 0)
                *s = (Section){ path, length, json_object_getn(t->request, path, length) };
        if (!s->object || strchr(dot + 1, '.'))
                return s->object ? json_path_get(s->object, dot + 1) : NULL;
        return get_rarely_there(s->object, dot + 1);
}

static int take_field(Translation *t, const FieldMap *m, Section *section) {
        json_t *value;

        if (!m->canonical || (m->flags & FIELD_OUT_ONLY))
                return 0;
        value = as_given(get_of_request(t, m->dialect, section), m->flags);
        if (!value)
                return 0;

        json_t *there = translation_get(t, m->canonical);
        if (!there)
                return translation_take(t, m->dialect, m->canonical);
        if (m->flags & FIELD_FALLBACK)
                return 0;
        _cleanup_json_ json_t *canonical = canonical_value(m->canonical, value);
        if (!canonical)
                return -ENOMEM;
        if (json_equal(there, canonical))
                return 0;
        return json_errors_add(t->errors, m->dialect, "contradicts %s: give one of them",
                        strna(json_string_value(json_object_get(t->origins, m->canonical))));
}

/* One error for the whole object, none for what is missing in it. */
static int refuse_plain_value(Translation *t, const char *path) {
        int r = json_errors_add(t->errors, path, "must be an object");

        for (const FieldMap *m = t->map; m->dialect && r >= 0; m++)
                if (m->canonical && path_is_below(m->dialect, path))
                        r = translation_settle(t, m->canonical);
        return r;
}

/* Looks for keys that the table does not know, and for values that stand where the table has objects. */
static int check_known(Translation *t, json_t *object, const char *prefix) {
        const char *key;
        json_t *value;

        json_object_foreach(object, key, value) {
                _cleanup_free_ char *path = json_path_join(prefix, key);
                bool known = false, above = false;
                int r = 0;

                if (!path)
                        return -ENOMEM;
                /* A key with a dot in it is no path. */
                bool dotted = strchr(key, '.');
                for (const FieldMap *m = t->map; m->dialect && !known && !dotted; m++)
                        known = m->dialect[0] == path[0] && streq(m->dialect, path);
                for (const FieldMap *m = t->map; m->dialect && !known && !above && !dotted; m++)
                        above = path_is_below(m->dialect, path);
                if (known || (above && json_is_null(value)))
                        continue;
                if (!above)
                        r = strv_extend(&t->errors->unknown, path);
                else if (json_is_object(value))
                        r = check_known(t, value, path);
                else
                        r = refuse_plain_value(t, path);
                if (r < 0)
                        return r;
        }
        return 0;
}

int translation_begin(
                Translation *t, const FieldMap *map, const char *what, json_t *request, JsonErrors *errors) {
        Section section = {};
        int r;

        if (!json_is_object(request)) {
                *t = (Translation){};
                r = json_errors_add(errors, what, "must be an object");
                return r < 0 ? r : -EBADMSG;
        }
        *t = (Translation){
                .map = map,
                .request = request,
                .canonical = json_object(),
                .origins = json_object(),
                .errors = errors,
        };
        if (!t->canonical || !t->origins)
                return -ENOMEM;
        for (const FieldMap *m = map; m->dialect; m++) {
                r = take_field(t, m, &section);
                if (r < 0)
                        return r;
        }
        return check_known(t, request, "");
}

void translation_done(Translation *t) {
        json_decref(t->canonical);
        json_decref(t->origins);
        strv_free(t->settled);
        *t = (Translation){};
}

json_t *translation_get(const Translation *t, const char *canonical) {
        return json_path_get(t->canonical, canonical);
}

const char *translation_get_string(const Translation *t, const char *canonical) {
        return json_string_value(translation_get(t, canonical));
}

int translation_set(Translation *t, const char *canonical, json_t *value) {
        return json_path_set(t->canonical, canonical, value);
}

int translation_error(Translation *t, const char *canonical, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *name = dialect_name(t->map, t->origins, canonical);
        va_list ap;
        int r;

        if (!name)
                return -ENOMEM;
        va_start(ap, format);
        text = vstrprintf(format, ap);
        va_end(ap);
        if (!text)
                return -ENOMEM;
        r = json_errors_add(t->errors, name, "%s", text);
        return r < 0 ? r : translation_settle(t, canonical);
}

int translation_settle(Translation *t, const char *canonical) {
        return strv_extend(&t->settled, canonical);
}

/* Tells what the canonical decoder found, in the client's words, leaving out what was said already: one
 * error for one field. */
static int adopt_errors(Translation *t, const JsonErrors *found) {
        for (size_t i = 0; i < found->n_errors; i++) {
                const JsonError *e = &found->errors[i];

                if (translation_is_settled(t, e->field))
                        continue;
                _cleanup_free_ char *name = dialect_name(t->map, t->origins, e->field);
                if (!name)
                        return -ENOMEM;
                if (!isempty(name) && json_errors_has(t->errors, name))
                        continue;
                int r = json_errors_add(t->errors, name, "%s", e->text);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int make_warnings(const JsonErrors *errors, char ***ret) {
        _cleanup_strv_free_ char **l = NULL;
        size_t n = strv_length(errors->unknown);
        int r = 0;

        for (size_t i = 0; i < MIN(n, WARNINGS_MAX) && r >= 0; i++)
                r = strv_extendf(&l, "The request has the field %.200s, which is kept but not used.",
                                errors->unknown[i]);
        if (r >= 0 && n > WARNINGS_MAX)
                r = strv_extendf(&l, "%zu more fields of the request are kept but not used.",
                                n - WARNINGS_MAX);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

/* What is kept of the request has a limit, as has the spec itself. */
static int check_size(Translation *t, const char *request) {
        int r;

        if (strlen(request) <= JOB_SPEC_MAX)
                return 0;
        r = json_errors_add(t->errors, "", "the job must be at most %zu bytes long", JOB_SPEC_MAX);
        return r < 0 ? r : -EBADMSG;
}

static char *clients_name(void *userdata, const char *canonical) {
        const Translation *t = userdata;

        /* What gave a value may not be the name to recommend. */
        return dialect_name(t->map, NULL, canonical);
}

int translation_finish(Translation *t, DialectJob *ret) {
        _cleanup_(json_errors_done) JsonErrors found = {};
        _cleanup_(dialect_job_done) DialectJob job = {};
        int r;

        r = job_misplaced_check(t->errors, clients_name, t);
        if (r < 0)
                return r;
        r = job_spec_from_json(t->canonical, &job.spec, &found);
        if (r == -EBADMSG)
                r = adopt_errors(t, &found);
        if (r < 0)
                return r;
        if (t->errors->n_errors > 0 || !job.spec)
                return -EBADMSG;

        r = make_warnings(t->errors, &job.warnings);
        if (r < 0)
                return r;
        job.request = json_redact(t->request);
        job.request_text = job.request ? json_dumps(job.request, JSON_COMPACT) : NULL;
        if (!job.request_text)
                return -ENOMEM;
        r = check_size(t, job.request_text);
        if (r < 0)
                return r;
        job.origins = json_incref(t->origins);
        *ret = job;
        job = (DialectJob){};
        return 0;
}

int dialect_errors_rename(const FieldMap *map, json_t *origins, const JsonErrors *from, JsonErrors *ret) {
        for (size_t i = 0; i < from->n_errors; i++) {
                const JsonError *e = &from->errors[i];
                _cleanup_free_ char *name = dialect_name(map, origins, e->field);

                if (!name)
                        return -ENOMEM;
                int r = json_errors_add(ret, name, "%s", e->text);
                if (r < 0)
                        return r;
        }
        return 0;
}

json_t *dialect_job_from_canonical(const FieldMap *map, const json_t *canonical) {
        _cleanup_json_ json_t *out = json_object();

        for (const FieldMap *m = map; out && m->dialect; m++) {
                if (!m->canonical || !(m->flags & FIELD_SHOWN))
                        continue;

                json_t *value = json_path_get(canonical, m->canonical);
                if (!value || json_is_null(value) || json_path_get(out, m->dialect))
                        continue;
                /* A shared reference would do, were it not that the caller may change what it gets. */
                if (json_path_set(out, m->dialect, json_deep_copy(value)) < 0)
                        return NULL;
        }
        return TAKE_PTR(out);
}
