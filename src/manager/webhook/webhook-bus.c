/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods of org.hyper1.Manager about webhooks. */

#include "manager/webhook/webhook-bus.h"

#include "basic/string-util.h"
#include "manager/webhook/outbox.h"
#include "manager/webhook/webhook.h"
#include "shared/bus-fields.h"
#include "shared/bus-options.h"
#include "shared/error-table.h"
#include "store/deliveries.h"
#include "store/webhook-json.h"
#include "json/json-parse.h"
#include "json/json-redact.h"

#define SECRETS_MAX 64u
#define LIST_LIMIT_DEFAULT 100u
#define LIST_LIMIT_MAX 1000u
#define DEFINITION_MAX ((size_t) 64 * 1024)

static const char manage_webhooks[] = "org.hyper1.manage-webhooks";

/* --- options --------------------------------------------------------------------------------------- */

static int read_secrets(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error) {
        char ***list = userdata;
        const char *name, *value;
        int r = sd_bus_message_enter_container(m, 'a', "{ss}");

        while (r >= 0 && (r = sd_bus_message_read(m, "{ss}", &name, &value)) > 0) {
                if (strv_length(*list) >= 2 * SECRETS_MAX)
                        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                        "options.secrets: must be at most %u", SECRETS_MAX);
                if ((r = strv_extend(list, name)) >= 0)
                        r = strv_extend(list, value);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_limit(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error) {
        uint64_t *limit = userdata;
        int r = sd_bus_message_read(m, "t", limit);

        if (r >= 0 && (*limit < 1 || *limit > LIST_LIMIT_MAX))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "options.limit: must be 1 to %u", LIST_LIMIT_MAX);
        return r;
}

static const BusOptions add_options = {
        .options = (const BusOption[]){ { "secrets", "a{ss}" }, {} },
        .prefix = "options.",
        .what = "option",
        .read = read_secrets,
};

static const BusOptions list_options = {
        .options = (const BusOption[]){ { "limit", "t" }, {} },
        .prefix = "options.",
        .what = "option",
        .read = read_limit,
};

/* --- methods --------------------------------------------------------------------------------------- */

static void secrets_freep(char ***secrets) {
        STRV_FOREACH(s, *secrets)
                explicit_bzero(*s, strlen(*s));
        strv_free(*secrets);
}

int method_add_webhook(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_(secrets_freep) char **secrets = NULL;
        const char *definition;
        Manager *m = userdata;
        uint32_t index;
        int r = bus_verify_polkit(message, manage_webhooks, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &definition);
        if (r >= 0)
                r = bus_read_options(message, &add_options, &secrets, error);
        if (r < 0)
                return r;
        if (strlen(definition) > DEFINITION_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_TOO_LARGE,
                                "The definition must be at most %zu bytes long", DEFINITION_MAX);
        r = manager_add_webhook(m, definition, secrets, &index, &fields, error);
        return r < 0 ? bus_reply_fields_error(message, r, error, &fields)
                     : sd_bus_reply_method_return(message, "u", index);
}

int method_remove_webhook(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        uint32_t index;
        int r = bus_verify_polkit(message, manage_webhooks, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "u", &index);
        if (r >= 0)
                r = manager_remove_webhook(m, index, error);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int reply_json(sd_bus_message *message, json_t *value) {
        _cleanup_free_ char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

        return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}

int method_list_webhooks(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        _cleanup_json_ json_t *list = json_array();
        Manager *m = userdata;
        int r = store_webhooks_list(m->store, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++)
                if (json_array_append_new(list, webhook_row_to_json(rows.rows[i], i)) < 0)
                        r = -ENOMEM;
        return r < 0 ? r : reply_json(message, list);
}

int method_list_deliveries(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(delivery_rows_done) DeliveryRows deliveries = {};
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        _cleanup_json_ json_t *list = json_array();
        uint64_t limit = LIST_LIMIT_DEFAULT;
        Manager *m = userdata;
        WebhookRow *row;
        uint32_t index;
        /* What receivers answer is in it. */
        int r = bus_verify_polkit(message, manage_webhooks, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "u", &index);
        if (r >= 0)
                r = bus_read_options(message, &list_options, &limit, error);
        if (r >= 0)
                r = store_webhooks_list(m->store, &rows);
        if (r >= 0)
                r = manager_find_webhook(&rows, index, &row, error);
        if (r >= 0)
                r = store_deliveries_list(m->store, row->seq, limit, &deliveries);
        if (r < 0)
                return r;
        for (size_t i = 0; i < deliveries.n; i++)
                if (json_array_append_new(list, delivery_row_to_json(&deliveries.rows[i])) < 0)
                        return -ENOMEM;
        return reply_json(message, list);
}

/* --- TestWebhook ----------------------------------------------------------------------------------- */

typedef struct TestDefinition {
        char *url, *event;
        uint64_t index; /* UINT64_MAX: not given */
} TestDefinition;

static const JsonField test_fields[] = {
        { "url", JSON_FIELD_STRING, offsetof(TestDefinition, url), JSON_NULLABLE | JSON_NONEMPTY },
        { "index", JSON_FIELD_UINT64, offsetof(TestDefinition, index), JSON_NULLABLE, 0, WEBHOOKS_MAX },
        { "event", JSON_FIELD_STRING, offsetof(TestDefinition, event), JSON_NULLABLE | JSON_NONEMPTY,
                        .max = 64 },
        {},
};

static void test_definition_done(TestDefinition *d) {
        json_table_done(test_fields, d);
}

static int test_parse(const char *text, TestDefinition *d, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *why = NULL;
        int r = json_parse_object(text, strlen(text), &object, &why);

        if (r == -EBADMSG)
                r = json_errors_add(fields, "", "%s", why);
        else if (r >= 0) {
                r = json_table_decode(test_fields, object, "", d, fields);
                if (r >= 0 && (d->index == UINT64_MAX) == !d->url)
                        r = json_errors_add(fields, "url", "must be given, or else index");
        }
        if (r < 0 || fields->n_errors == 0)
                return r;
        return bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, fields);
}

/* The webhook that has this URL is tested with its own settings. For another one it must be a good URL, and
 * without secrets: there is no way for those but as a webhook's. */
static int find_by_url(const WebhookRows *rows, const char *url, WebhookRow **ret, JsonErrors *fields,
                sd_bus_error *error) {
        _cleanup_json_ json_t *whole = json_string(url), *shown = whole ? json_redact(whole) : NULL;
        const char *reason;

        if (!shown)
                return -ENOMEM;
        for (size_t i = 0; i < rows->n; i++)
                if (streq(rows->rows[i]->url, json_string_value(shown))) {
                        *ret = rows->rows[i];
                        return 0;
                }
        if (!webhook_url_is_valid(url, &reason))
                return bus_error_add_field(
                                fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "url", "%s", reason);
        if (!json_equal(whole, shown))
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "url",
                                "must have no password or token in it; add the webhook and test that");
        *ret = NULL;
        return 0;
}

int method_test_webhook(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(test_definition_done) TestDefinition d = { .index = UINT64_MAX };
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        _cleanup_(json_errors_done) JsonErrors fields = {};
        WebhookRow *row = NULL;
        Manager *m = userdata;
        const char *text;
        int r = bus_verify_polkit(message, manage_webhooks, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &text);
        if (r >= 0)
                r = test_parse(text, &d, &fields, error);
        if (r >= 0)
                r = store_webhooks_list(m->store, &rows);
        if (r < 0)
                return bus_reply_fields_error(message, r, error, &fields);
        r = d.url ? find_by_url(&rows, d.url, &row, &fields, error)
                  : manager_find_webhook(&rows, (uint32_t) d.index, &row, error);
        if (r < 0)
                return bus_reply_fields_error(message, r, error, &fields);
        const TestRequest request = {
                .event = d.event ? d.event : "test",
                .url = row ? row->url : d.url,
                .credential = row ? row->credential : NULL,
                .timeout = row ? row->timeout : WEBHOOK_TIMEOUT_MAX,
        };
        r = outbox_test(m->outbox, message, &request, error);
        return r < 0 ? r : 1; /* answered when it is known */
}
