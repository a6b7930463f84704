/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A webhook's definition as it comes from outside, and the secrets as hyper-notifyd gets them. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "shared/webhook.h"
#include "json/json-parse.h"

static void check_secrets(const char *text, size_t size) {
        WebhookSecrets secrets = {};
        const char *reason;

        if (webhook_secrets_parse(text, size, &secrets) < 0)
                return;
        if (strv_length(secrets.headers) % 2 != 0 ||
                        (secrets.url && !webhook_url_is_valid(secrets.url, &reason)))
                abort();
        for (char **h = secrets.headers; h && *h; h += 2)
                if (!webhook_header_is_valid(h[0]) || strpbrk(h[1], "\r\n"))
                        abort();
        webhook_secrets_done(&secrets);
}

/* What is accepted is within bounds, and what was cut out of it makes the same webhook again. */
static void check_accepted(json_t *definition, const WebhookSpec *w) {
        _cleanup_json_ json_t *shown = NULL, *beside = NULL;
        _cleanup_(webhook_spec_freep) WebhookSpec *again = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        WebhookSecrets secrets = {};

        if (w->timeout < 1 || w->timeout > WEBHOOK_TIMEOUT_MAX || w->retry_count > WEBHOOK_RETRIES_MAX ||
                        w->event_mask == 0 || strlen(w->url) > 2 * WEBHOOK_URL_MAX)
                abort();
        if (w->secrets) {
                if (strlen(w->secrets) > WEBHOOK_SECRETS_MAX ||
                                webhook_secrets_parse(w->secrets, strlen(w->secrets), &secrets) < 0)
                        abort();
                webhook_secrets_done(&secrets);
        }
        if (webhook_secrets_cut(definition, &shown, &beside) < 0)
                return;
        if (webhook_spec_decode(shown, beside, &again, &errors) < 0 || !streq(again->url, w->url) ||
                        !streq_ptr(again->secrets, w->secrets))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *definition = NULL;
        _cleanup_(webhook_spec_freep) WebhookSpec *w = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *why = NULL;
        int r;

        check_secrets((const char *) data, size);
        if (json_parse_object((const char *) data, size, &definition, &why) < 0)
                return 0;
        r = webhook_spec_decode(definition, NULL, &w, &errors);
        if (r == -EBADMSG && errors.n_errors == 0)
                abort();
        if (r >= 0)
                check_accepted(definition, w);
        return 0;
}
