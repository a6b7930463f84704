/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/key.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/definition.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"

#define DEFINITION_MAX ((size_t) 64 * 1024)

/* --- the definition -------------------------------------------------------------------------------- */

static const JsonField definition_fields[] = {
        { "name", JSON_FIELD_STRING, offsetof(KeyDefinition, name), JSON_REQUIRED },
        { "scopes", JSON_FIELD_STRV, offsetof(KeyDefinition, scope_words), JSON_REQUIRED | JSON_NONEMPTY },
        { "rate_limit", JSON_FIELD_UNSIGNED, offsetof(KeyDefinition, rate_limit), JSON_NULLABLE, 1,
                        API_KEY_RATE_MAX },
        { "expires_at", JSON_FIELD_STRING, offsetof(KeyDefinition, expiry), JSON_NULLABLE },
        {},
};

void key_definition_done(KeyDefinition *d) {
        json_table_done(definition_fields, d);
        *d = (KeyDefinition){};
}

static int take_scopes(KeyDefinition *d, JsonErrors *errors) {
        STRV_FOREACH(word, d->scope_words) {
                Scope s = scope_from_string(*word);

                if (s < 0)
                        return json_errors_add(errors, "scopes", "must be any of read, submit, work, admin");
                d->scopes |= 1u << s;
        }
        return 0;
}

static int check(KeyDefinition *d, JsonErrors *errors) {
        int r = take_scopes(d, errors);

        if (r >= 0 && d->name && !api_key_name_is_valid(d->name))
                r = json_errors_add(errors, "name",
                                "must be 1 to %u letters, digits, or . _ - and begin with a letter or digit",
                                API_KEY_NAME_MAX);
        if (r >= 0 && d->expiry && parse_rfc3339(d->expiry, &d->expires_at) < 0)
                r = json_errors_add(errors, "expires_at", "must be a time like 2027-01-31T10:00:00Z");
        STRV_FOREACH(key, errors->unknown)
                if (r >= 0)
                        r = json_errors_add(errors, *key, "there is no such field");
        return r;
}

int key_definition_decode(const char *text, KeyDefinition *ret, JsonErrors *errors) {
        _cleanup_(key_definition_done) KeyDefinition d = {};
        int r = definition_read(text, DEFINITION_MAX, definition_fields, &d, errors);

        if (r > 0)
                r = check(&d, errors);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        *ret = d;
        d = (KeyDefinition){};
        return 0;
}

/* --- keys ------------------------------------------------------------------------------------------ */

static int read_definition(const char *text, KeyDefinition *ret, JsonErrors *fields, sd_bus_error *error) {
        int r = key_definition_decode(text, ret, fields);

        return r == -EBADMSG ? bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, fields) : r;
}

/* What there is already may leave no place for it. */
static int check_place(Manager *m, const KeyDefinition *d, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(api_key_rows_done) ApiKeyRows rows = {};
        int r = store_api_keys_list(m->store, &rows);

        if (r < 0)
                return r;
        for (size_t i = 0; i < rows.n; i++)
                if (streq(rows.rows[i].name, d->name))
                        return bus_error_setf(error, HYPER_BUS_ERROR_KEY_EXISTS,
                                        "There is a key %s already; remove it first, or choose another name",
                                        d->name);
        if (rows.n >= API_KEYS_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "There are %u keys already, and there may be no more; remove one",
                                API_KEYS_MAX);
        if (d->expires_at > 0 && d->expires_at <= m->clock())
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "expires_at",
                                "must not be in the past");
        return 0;
}

int manager_add_key(
                Manager *m, const char *definition, ApiKey *ret, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(key_definition_done) KeyDefinition d = {};
        _cleanup_free_ char *scopes = NULL;
        ApiKey key;
        int r = read_definition(definition, &d, fields, error);

        if (r < 0 || (r = check_place(m, &d, fields, error)) < 0)
                return r;
        scopes = scopes_to_text(d.scopes);
        if (!scopes)
                return -ENOMEM;
        r = api_key_make(&key);
        if (r < 0)
                return r;
        ApiKeyRow row = {
                .id = key.id,
                .name = d.name,
                .scopes = d.scopes,
                .rate_limit = d.rate_limit,
                .created_at = m->clock(),
                .expires_at = d.expires_at,
        };
        api_key_hash(key.text, API_KEY_LENGTH, &row.hash);
        r = store_api_key_insert(m->store, &row);
        if (r >= 0) {
                log_info("API key %s (%s) was added, for %s.", d.name, key.id.text, scopes);
                *ret = key;
        }
        explicit_bzero(&key, sizeof(key));
        return r;
}

int manager_remove_key(Manager *m, const char *name, sd_bus_error *error) {
        bool valid = api_key_name_is_valid(name);
        int r = valid ? store_api_key_delete(m->store, name) : -ENOENT;

        if (r == -ENOENT)
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_KEY, "There is no key %s",
                                valid ? name : "of such a name");
        if (r >= 0)
                log_info("API key %s was removed.", name);
        return r;
}
