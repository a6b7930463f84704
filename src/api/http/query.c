/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/http/query.h"

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "json/json-table.h"

static int decode_number(const QueryField *f, const char *value, void *target, JsonErrors *errors) {
        uint64_t number;
        int r;

        r = parse_uint64(value, &number);
        if (r < 0 || number < f->min || number > f->max)
                return json_errors_add(errors, f->key, "must be %" PRIu64 " to %" PRIu64, f->min, f->max);

        if (f->type == QUERY_UNSIGNED)
                *(unsigned *) target = (unsigned) number;
        else
                *(uint64_t *) target = number;
        return 0;
}

static int decode_timestamp(const QueryField *f, const char *value, void *target, JsonErrors *errors) {
        _cleanup_free_ char *copy = strdup(value), *utc = NULL;
        size_t n;
        usec_t t;

        if (!copy)
                return -ENOMEM;

        /* "…T10:00:00+01:00" put into a URL as it is: the "+" has become a blank. It is the only one that
         * can stand six from the end. */
        n = strlen(copy);
        if (n > 6 && copy[n - 6] == ' ' && copy[n - 3] == ':')
                copy[n - 6] = '+';

        /* Models of some clients write times without a zone; they are in UTC. */
        utc = strprintf("%sZ", copy);
        if (!utc)
                return -ENOMEM;
        if (parse_rfc3339(copy, &t) < 0 && parse_rfc3339(utc, &t) < 0)
                return json_errors_add(
                                errors, f->key, "must be a time as in 2026-01-31T10:00:00Z (RFC 3339)");
        *(usec_t *) target = t;
        return 0;
}

static int decode_boolean(const QueryField *f, const char *value, void *target, JsonErrors *errors) {
        bool b = true;

        if (*value && parse_boolean(value, &b) < 0)
                return json_errors_add(errors, f->key, "must be true or false");
        *(bool *) target = b;
        return 0;
}

static int decode_enum(const QueryField *f, const char *value, void *target, JsonErrors *errors) {
        int v = f->from_string(value);

        if (v < 0)
                return json_errors_add(errors, f->key, "must be %s", f->expected);
        *(int *) target = v;
        return 0;
}

static uint32_t mask_from_word(const QueryField *f, const char *word) {
        int v;

        if (f->mask_from_string)
                return f->mask_from_string(word);
        v = f->from_string(word);
        return v >= 0 && v < 32 ? (uint32_t) 1 << v : 0;
}

const char *query_get(const QueryPair *pairs, size_t n_pairs, const char *key, size_t n) {
        for (size_t i = 0; i < n_pairs; i++)
                if (streq(pairs[i].key, key) && n-- == 0)
                        return strempty(pairs[i].value);
        return NULL;
}

/* "a,b", and the same parameter again. */
static int decode_enum_set(const QueryPair *pairs, size_t n_pairs, const QueryField *f, void *target,
                JsonErrors *errors) {
        uint32_t mask = 0;
        const char *value;

        for (size_t i = 0; (value = query_get(pairs, n_pairs, f->key, i)); i++) {
                _cleanup_free_ char *copy = strdup(value);
                char *rest = copy, *word;

                if (!copy)
                        return -ENOMEM;
                while ((word = strsep(&rest, ","))) {
                        uint32_t m = mask_from_word(f, word);

                        if (m == 0)
                                return json_errors_add(errors, f->key, "must be %s", f->expected);
                        mask |= m;
                }
        }

        *(uint32_t *) target = mask;
        return 0;
}

static int decode_string(const QueryField *f, const char *value, void *target, JsonErrors *errors) {
        size_t max = f->max > 0 ? (size_t) f->max : QUERY_STRING_MAX;

        if (strlen(value) > max)
                return json_errors_add(errors, f->key, "must be at most %zu characters long", max);
        *(const char **) target = value;
        return 0;
}

static int decode_field(const QueryPair *pairs, size_t n_pairs, const QueryField *f, void *base,
                JsonErrors *errors) {
        const char *value = query_get(pairs, n_pairs, f->key, 0);
        void *target = (char *) base + f->offset;

        if (!value)
                return 0;

        switch (f->type) {
        case QUERY_STRING:
                return decode_string(f, value, target, errors);
        case QUERY_UNSIGNED:
        case QUERY_UINT64:
                return decode_number(f, value, target, errors);
        case QUERY_BOOLEAN:
                return decode_boolean(f, value, target, errors);
        case QUERY_TIMESTAMP:
                return decode_timestamp(f, value, target, errors);
        case QUERY_ENUM:
                return decode_enum(f, value, target, errors);
        case QUERY_ENUM_SET:
                return decode_enum_set(pairs, n_pairs, f, target, errors);
        }
        return -EINVAL;
}

int query_decode(const QueryField *fields, const QueryPair *pairs, size_t n_pairs, void *base,
                JsonErrors *errors) {
        int r = 0;

        for (const QueryField *f = fields; f->key && r >= 0; f++)
                r = decode_field(pairs, n_pairs, f, base, errors);
        return r < 0 ? r : errors->n_errors > 0 ? -EBADMSG : 0;
}
