/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/source.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/definition.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "spec/job-id.h"
#include "spec/vsphere-server.h"

#define DEFINITION_MAX ((size_t) 128 * 1024)
#define TEXT_MAX 256u

/* The name under which a job and hyper-vsphered get the password. */
static const char password_name[] = "source.password";

/* --- the definition -------------------------------------------------------------------------------- */

static const JsonField definition_fields[] = {
        { "name", JSON_FIELD_STRING, offsetof(SourceDefinition, name), JSON_REQUIRED },
        { "type", JSON_FIELD_STRING, offsetof(SourceDefinition, type), JSON_NULLABLE },
        { "vcenter_url", JSON_FIELD_STRING, offsetof(SourceDefinition, url), JSON_REQUIRED,
                        .max = VSPHERE_URL_MAX },
        { "username", JSON_FIELD_STRING, offsetof(SourceDefinition, username), JSON_REQUIRED | JSON_NONEMPTY,
                        .max = TEXT_MAX },
        { "datacenter", JSON_FIELD_STRING, offsetof(SourceDefinition, datacenter),
                        JSON_NULLABLE | JSON_NONEMPTY, .max = TEXT_MAX },
        { "ca", JSON_FIELD_STRING, offsetof(SourceDefinition, ca), JSON_NULLABLE, .max = VSPHERE_CA_MAX },
        { "thumbprint", JSON_FIELD_STRING, offsetof(SourceDefinition, thumbprint), JSON_NULLABLE },
        { "replace", JSON_FIELD_BOOLEAN, offsetof(SourceDefinition, replace), JSON_NULLABLE },
        {},
};

void source_definition_done(SourceDefinition *d) {
        json_table_done(definition_fields, d);
        *d = (SourceDefinition){};
}

static int check(SourceDefinition *d, JsonErrors *errors) {
        int r = vsphere_server_check(&d->url, d->ca, &d->thumbprint, errors);

        if (r >= 0 && d->name && !vsphere_source_name_is_valid(d->name))
                r = json_errors_add(errors, "name",
                                "must be 1 to %u letters, digits, or . _ - and begin with a letter or digit",
                                VSPHERE_SOURCE_NAME_MAX);
        if (r >= 0 && d->type && !streq(d->type, "vsphere"))
                r = json_errors_add(errors, "type", "must be vsphere");
        STRV_FOREACH(key, errors->unknown)
                if (r >= 0)
                        r = json_errors_add(errors, *key, "there is no such field");
        return r;
}

int source_definition_decode(const char *text, SourceDefinition *ret, JsonErrors *errors) {
        _cleanup_(source_definition_done) SourceDefinition d = {};
        int r = definition_read(text, DEFINITION_MAX, definition_fields, &d, errors);

        if (r > 0)
                r = check(&d, errors);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        *ret = d;
        d = (SourceDefinition){};
        return 0;
}

/* --- sources --------------------------------------------------------------------------------------- */

static int store_failed(Manager *m, sd_bus_error *error) {
        return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                        "The sources in the database are not available: %s", store_error_text(m->store));
}

static int source_exists(const char *name, sd_bus_error *error) {
        return bus_error_setf(error, HYPER_BUS_ERROR_SOURCE_EXISTS,
                        "Source %s exists already. Remove it first, or choose another name.", name);
}

static int check_password(const char *password, JsonErrors *fields, sd_bus_error *error) {
        size_t n = strlen(password);

        if (n > 0 && n <= SOURCE_PASSWORD_MAX)
                return 0;
        return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "password",
                        "must be 1 to %u bytes long", SOURCE_PASSWORD_MAX);
}

/* What exists already may leave no place for it. */
static int check_place(Manager *m, const SourceDefinition *d, sd_bus_error *error) {
        _cleanup_(source_rows_done) SourceRows rows = {};

        if (store_sources_list(m->store, &rows) < 0)
                return store_failed(m, error);
        for (size_t i = 0; i < rows.n; i++)
                if (streq(rows.rows[i].name, d->name))
                        return d->replace ? 0 : source_exists(d->name, error);
        if (rows.n >= SOURCES_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "There are %u sources already, the limit. Remove one.", SOURCES_MAX);
        return 0;
}

/* The secret first: a set that no row names is removed when the manager starts. */
static int insert(Manager *m, const SourceDefinition *d, const char *password, sd_bus_error *error) {
        _cleanup_(source_row_freep) SourceRow *old = NULL;
        _cleanup_free_ char *set = NULL;
        int r = d->replace ? store_source_get(m->store, d->name, &old) : -ENOENT;

        if (r < 0 && r != -ENOENT)
                return store_failed(m, error);
        r = job_id_make(&set);

        if (r < 0)
                return r;
        r = credential_store(m->state_directory, CREDENTIALS_OF_SOURCE, set, password_name, password);
        if (r < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_INTERNAL,
                                "The password could not be encrypted: %s", strerror(-r));
        const SourceRow row = {
                .name = d->name,
                .type = (char *) "vsphere",
                .url = d->url,
                .username = d->username,
                .datacenter = d->datacenter,
                .ca = d->ca,
                .thumbprint = d->thumbprint,
                .credentials = set,
                .created_at = m->clock(),
        };
        r = old ? store_source_replace(m->store, &row) : store_source_insert(m->store, &row);
        if (r >= 0) {
                if (old)
                        (void) credentials_remove(
                                        m->state_directory, CREDENTIALS_OF_SOURCE, old->credentials);
                return 0;
        }
        (void) credentials_remove(m->state_directory, CREDENTIALS_OF_SOURCE, set);
        return r == -EEXIST ? source_exists(d->name, error) : store_failed(m, error);
}

int manager_add_source(Manager *m, const char *definition, const char *password, JsonErrors *fields,
                sd_bus_error *error) {
        _cleanup_(source_definition_done) SourceDefinition d = {};
        int r = source_definition_decode(definition, &d, fields);

        if (r == -EBADMSG)
                return bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, fields);
        if (r >= 0)
                r = check_password(password, fields, error);
        if (r >= 0)
                r = check_place(m, &d, error);
        if (r >= 0)
                r = insert(m, &d, password, error);
        if (r >= 0)
                log_info("Source %s was added: %s as %s.", d.name, d.url, d.username);
        return r;
}

static int no_such_source(Manager *m, const char *name, sd_bus_error *error) {
        _cleanup_(source_rows_done) SourceRows rows = {};
        _cleanup_strv_free_ char **names = NULL;
        _cleanup_free_ char *list = NULL;
        const char *shown = vsphere_source_name_is_valid(name) ? name : "of such a name";

        if (store_sources_list(m->store, &rows) < 0)
                return store_failed(m, error);
        for (size_t i = 0; i < rows.n; i++)
                if (strv_extend(&names, rows.rows[i].name) < 0)
                        return -ENOMEM;
        if (rows.n == 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_SOURCE,
                                "There is no source %s; 'hyperctl source add' adds one", shown);
        list = strv_join(names, ", ");
        return list ? bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_SOURCE, "There is no source %s, only %s",
                                      shown, list)
                    : -ENOMEM;
}

int manager_find_source(Manager *m, const char *name, SourceRow **ret, sd_bus_error *error) {
        int r = vsphere_source_name_is_valid(name) ? store_source_get(m->store, name, ret) : -ENOENT;

        if (r == -ENOENT)
                return no_such_source(m, name, error);
        return r < 0 ? store_failed(m, error) : 0;
}

int manager_remove_source(Manager *m, const char *name, sd_bus_error *error) {
        _cleanup_(source_row_freep) SourceRow *row = NULL;
        int r = manager_find_source(m, name, &row, error);

        if (r < 0)
                return r;
        if (store_source_delete(m->store, name) < 0)
                return store_failed(m, error);
        r = credentials_remove(m->state_directory, CREDENTIALS_OF_SOURCE, row->credentials);
        if (r < 0)
                log_warning_errno(r, "Failed to remove the password of source %s: %m", name);
        log_info("Source %s was removed.", name);
        return 0;
}

int manager_reveal_source(Manager *m, const SourceRow *row, char **ret, sd_bus_error *error) {
        int r = credential_reveal(
                        m->state_directory, CREDENTIALS_OF_SOURCE, row->credentials, password_name, ret);

        if (r < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_INTERNAL,
                                "The password of source %s could not be decrypted: %s. Remove the source, "
                                "and add it again.",
                                row->name, strerror(-r));
        return 0;
}

int manager_give_source(Manager *m, const SourceRow *row, const char *job_id) {
        return credentials_copy(m->state_directory, CREDENTIALS_OF_SOURCE, row->credentials, job_id);
}
