/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/webhook/webhook.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/webhook/webhook-credentials.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "store/facts.h"
#include "json/json-parse.h"

int manager_find_webhook(const WebhookRows *rows, uint32_t index, WebhookRow **ret, sd_bus_error *error) {
        if (index >= rows->n)
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_WEBHOOK,
                                rows->n == 0 ? "There are no webhooks"
                                             : "There is no webhook %u; there are %zu, from 0",
                                index, rows->n);
        *ret = rows->rows[index];
        return 0;
}

static int secrets_to_json(char *const *secrets, json_t **ret) {
        _cleanup_json_ json_t *object = json_object();

        if (!object)
                return -ENOMEM;
        for (; secrets && secrets[0] && secrets[1]; secrets += 2)
                if (json_object_set_new(object, secrets[0], json_string(secrets[1])) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(object);
        return 0;
}

static int parse(const char *definition, char *const *secrets, WebhookSpec **ret, JsonErrors *fields,
                sd_bus_error *error) {
        _cleanup_json_ json_t *object = NULL, *beside = NULL;
        _cleanup_free_ char *why = NULL;
        int r = json_parse_object(definition, strlen(definition), &object, &why);

        if (r >= 0)
                r = secrets_to_json(secrets, &beside);
        if (r >= 0)
                r = webhook_spec_decode(object, beside, ret, fields);
        if (r == -EBADMSG)
                return why ? bus_error_add_field(
                                             fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "", "%s", why)
                           : bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, fields);
        STRV_FOREACH(u, fields->unknown)
                log_warning("A webhook was added with \"%s\", which means nothing here.", *u);
        return r;
}

/* Takes the strings of the spec. */
static int make_row(Manager *m, WebhookSpec *spec, WebhookRow **ret) {
        WebhookRow *row = new0(WebhookRow, 1);

        if (!row)
                return -ENOMEM;
        row->url = TAKE_PTR(spec->url);
        row->events = TAKE_PTR(spec->events);
        row->headers = TAKE_PTR(spec->headers);
        row->event_mask = spec->event_mask;
        row->enabled = spec->enabled;
        row->timeout = spec->timeout;
        row->retry_count = spec->retry_count;
        row->has_secret = spec->has_secret;
        row->created_at = m->clock();
        *ret = row;
        return 0;
}

static int keep_secrets(Manager *m, const WebhookSpec *spec, WebhookRow *row, sd_bus_error *error) {
        int r;

        if (!spec->secrets)
                return 0;
        r = webhook_credential_store(m->state_directory, spec->secrets, &row->credential);
        if (r >= 0 || r == -ENOMEM)
                return r;
        log_error_errno(r, "Failed to encrypt the secrets of a webhook with systemd-creds: %m");
        return bus_error_setf(error, HYPER_BUS_ERROR_INTERNAL,
                        "The webhook's secrets could not be encrypted; see the log of hyper-managerd");
}

int manager_add_webhook(Manager *m, const char *definition, char *const *secrets, uint32_t *ret_index,
                JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(webhook_spec_freep) WebhookSpec *spec = NULL;
        _cleanup_(webhook_row_freep) WebhookRow *row = NULL;
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        int r = parse(definition, secrets, &spec, fields, error);

        if (r >= 0)
                r = store_webhooks_list(m->store, &rows);
        if (r < 0)
                return r;
        if (rows.n >= WEBHOOKS_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "There are %u webhooks already, and there cannot be more", WEBHOOKS_MAX);
        r = make_row(m, spec, &row);
        if (r >= 0)
                r = keep_secrets(m, spec, row, error);
        if (r < 0)
                return r;
        r = store_webhook_insert(m->store, row);
        if (r < 0) {
                if (row->credential)
                        (void) webhook_credential_remove(m->state_directory, row->credential);
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "The webhook could not be recorded: %s", store_error_text(m->store));
        }
        log_info("Webhook %zu was added: %s", rows.n, row->url);
        *ret_index = (uint32_t) rows.n;
        return 0;
}

int manager_remove_webhook(Manager *m, uint32_t index, sd_bus_error *error) {
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        WebhookRow *row = NULL;
        int r = store_webhooks_list(m->store, &rows);

        if (r >= 0)
                r = manager_find_webhook(&rows, index, &row, error);
        if (r < 0)
                return r;
        if (row->from_config)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "Webhook %u is in the configuration file: remove it there, and reload",
                                index);
        r = store_webhook_delete(m->store, row->seq);
        if (r < 0)
                return r;
        if (row->credential) {
                r = webhook_credential_remove(m->state_directory, row->credential);
                if (r < 0)
                        log_warning_errno(r, "Failed to remove the secrets of a webhook: %m");
        }
        log_info("Webhook %u was removed: %s", index, row->url);
        return 0;
}

int manager_sweep_webhook_secrets(Manager *m) {
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        _cleanup_strv_free_ char **wanted = NULL;
        int r = store_webhooks_list(m->store, &rows);

        for (size_t i = 0; i < rows.n && r >= 0; i++)
                if (rows.rows[i]->credential)
                        r = strv_extend(&wanted, rows.rows[i]->credential);
        return r < 0 ? r : webhook_credentials_sweep(m->state_directory, wanted);
}

/* --- those of the configuration -------------------------------------------------------------------- */

#define SYNCED_FACT "webhooks.config"

/* The first row of the configuration that has this URL and was not @taken yet. */
static size_t find_from_config(const WebhookRows *rows, const bool *taken, const char *url) {
        size_t i;

        for (i = 0; i < rows->n; i++)
                if (rows->rows[i]->from_config && !taken[i] && streq(rows->rows[i]->url, url))
                        break;
        return i;
}

static size_t count_from_api(const WebhookRows *rows) {
        size_t n = 0;

        for (size_t i = 0; i < rows->n; i++)
                n += !rows->rows[i]->from_config;
        return n;
}

/* One definition: over the row that had its URL, or as a new one. @n is the number of webhooks without it. 1
 * if it is in force, 0 if the limit is reached. */
static int sync_one(Manager *m, json_t *definition, const WebhookRows *rows, bool *taken, size_t n) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(webhook_spec_freep) WebhookSpec *spec = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(webhook_row_freep) WebhookRow *row = NULL;
        size_t i;
        int r = webhook_spec_decode(definition, NULL, &spec, &errors);

        if (r >= 0)
                r = make_row(m, spec, &row);
        if (r < 0)
                return r;
        row->from_config = true;
        if (n >= WEBHOOKS_MAX) {
                log_error("%s of the configuration is not in force: there are %u webhooks already, the "
                          "limit. "
                          "Remove one with 'hyperctl webhook remove' and reload.",
                                row->url, WEBHOOKS_MAX);
                return 0;
        }
        i = find_from_config(rows, taken, row->url);
        r = keep_secrets(m, spec, row, &error);
        if (r < 0)
                return r;
        if (i == rows->n) {
                r = store_webhook_insert(m->store, row);
                return r < 0 ? r : 1;
        }
        taken[i] = true;
        row->seq = rows->rows[i]->seq;
        row->created_at = rows->rows[i]->created_at;
        r = store_webhook_update(m->store, row);
        return r < 0 ? r : 1;
}

static int sync_all(Manager *m, const WebhookRows *rows) {
        _cleanup_free_ bool *taken = new0(bool, rows->n + 1);
        size_t i, n = count_from_api(rows);
        json_t *definition;
        int r = 0;

        if (!taken)
                return -ENOMEM;
        json_array_foreach(m->settings->webhooks, i, definition) {
                r = sync_one(m, definition, rows, taken, n);
                if (r < 0)
                        return r;
                n += (size_t) r;
        }
        for (i = 0; i < rows->n && r >= 0; i++)
                if (rows->rows[i]->from_config && !taken[i])
                        r = store_webhook_delete(m->store, rows->rows[i]->seq);
        return r;
}

static bool has_from_config(const WebhookRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                if (rows->rows[i]->from_config)
                        return true;
        return false;
}

/* Secrets cannot be compared, since the old ones cannot be read any more: whether the files are the same
 * ones has to do. Files with old secrets are swept away. */
int manager_sync_webhooks(Manager *m) {
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        _cleanup_free_ char *synced = NULL;
        int r = store_webhooks_list(m->store, &rows);

        if (r < 0 || (!has_from_config(&rows) && json_array_size(m->settings->webhooks) == 0))
                return r;
        r = store_get_fact(m->store, SYNCED_FACT, &synced);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r >= 0 && streq(synced, strempty(m->settings->version)))
                return 0;
        r = sync_all(m, &rows);
        if (r >= 0)
                r = manager_sweep_webhook_secrets(m);
        return r < 0 ? r : store_set_fact(m->store, SYNCED_FACT, strempty(m->settings->version));
}
