/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "shared/webhook.h"
#include "json/json-parse.h"
#include "json/json-redact.h"

#define MASK "***"
#define HEADERS_MAX 32u
#define HEADER_NAME_MAX 128u
#define HEADER_VALUE_MAX 4096u
#define SECRET_MAX 1024u
#define HEADERS_PREFIX "headers."

static const char *const event_names[_WEBHOOK_EVENT_MAX] = {
        [WEBHOOK_JOB_SUBMITTED] = "job.submitted",
        [WEBHOOK_JOB_STARTED] = "job.started",
        [WEBHOOK_JOB_PROGRESS] = "job.progress",
        [WEBHOOK_JOB_COMPLETED] = "job.completed",
        [WEBHOOK_JOB_FAILED] = "job.failed",
        [WEBHOOK_JOB_CANCELLED] = "job.cancelled",
        [WEBHOOK_SCHEDULE_TRIGGERED] = "schedule.triggered",
        [WEBHOOK_SCHEDULE_COMPLETED] = "schedule.completed",
};

const char *webhook_event_to_string(WebhookEvent e) {
        return e >= 0 && e < _WEBHOOK_EVENT_MAX ? event_names[e] : NULL;
}

WebhookEvent webhook_event_from_string(const char *s) {
        for (WebhookEvent e = 0; e < _WEBHOOK_EVENT_MAX; e++)
                if (streq(event_names[e], s))
                        return e;
        if (streq(s, "job.created"))
                return WEBHOOK_JOB_SUBMITTED;
        return streq(s, "job.canceled") ? WEBHOOK_JOB_CANCELLED : _WEBHOOK_EVENT_INVALID;
}

usec_t webhook_pause(unsigned attempts) {
        unsigned doublings = MIN(attempts > 0 ? attempts - 1 : 0, 9u);

        return (USEC_PER_SEC << doublings);
}

/* --- what is valid --------------------------------------------------------------------------------- */

static bool is_alnum(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool webhook_header_is_valid(const char *name) {
        static const char *const refused[] = { "Connection", "Content-Length", "Expect", "Host",
                "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade" };
        static const char ours[] = "X-Hyper-";

        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                if (strcasecmp(name, refused[i]) == 0)
                        return false;
        if (strncasecmp(name, ours, strlen(ours)) == 0)
                return false;
        for (const char *c = name; *c; c++)
                if (!is_alnum(*c) && !strchr("!#$%&'*+-.^_`|~", *c))
                        return false;
        return *name && strlen(name) <= HEADER_NAME_MAX;
}

static bool value_is_valid(const char *value) {
        for (const char *c = value; *c; c++)
                if (((unsigned char) *c < ' ' && *c != '\t') || *c == 0x7f)
                        return false;
        return strlen(value) <= HEADER_VALUE_MAX;
}

/* [user@]host[:port]; a host is a name, an IPv4 address, or an IPv6 address in brackets. */
static bool authority_is_valid(const char *s, size_t n) {
        const char *at = memchr(s, '@', n), *end = s + n, *host = at ? at + 1 : s, *p = host;
        unsigned port;

        if (at && memchr(host, '@', (size_t) (end - host)))
                return false;
        if (p < end && *p == '[') {
                for (p++; p < end && *p != ']'; p++)
                        if (!strchr("0123456789abcdefABCDEF:.", *p))
                                return false;
                if (p == end || p == host + 1)
                        return false;
                p++;
        } else {
                while (p < end && (is_alnum(*p) || strchr("-._", *p)))
                        p++;
                if (p == host)
                        return false;
        }
        if (p == end)
                return true;
        _cleanup_free_ char *digits = *p == ':' ? strndup(p + 1, (size_t) (end - p - 1)) : NULL;
        return digits && parse_unsigned(digits, &port) >= 0 && port >= 1 && port <= UINT16_MAX;
}

bool webhook_url_is_valid(const char *url, const char **ret_reason) {
        const char *rest = strncasecmp(url, "http://", 7) == 0 ? url + 7
                        : strncasecmp(url, "https://", 8) == 0 ? url + 8
                                                               : NULL;

        *ret_reason = "must be an http:// or https:// URL";
        if (!rest)
                return false;
        *ret_reason = "must be at most 2048 bytes long";
        if (strlen(url) > WEBHOOK_URL_MAX)
                return false;
        *ret_reason = "must have no blanks, no control characters, and only ASCII; write others as %XX";
        for (const char *c = url; *c; c++)
                if (*c <= ' ' || *c >= 0x7f || *c == '\\' || *c == '"' || *c == '<' || *c == '>')
                        return false;
        *ret_reason = "must have no fragment (\"#\")";
        if (strchr(url, '#'))
                return false;
        *ret_reason = "must name a host, and a port of 1 to 65535 if any";
        return authority_is_valid(rest, strcspn(rest, "/?"));
}

/* --- the definition -------------------------------------------------------------------------------- */

/* What the tables decode into. */
typedef struct Definition {
        char *url, *secret;
        char **events;
        bool enabled;
        unsigned timeout, retry_count, retry;
        json_t *headers;
} Definition;

static const JsonField definition_fields[] = {
        { "url", JSON_FIELD_STRING, offsetof(Definition, url), JSON_REQUIRED | JSON_NONEMPTY },
        { "events", JSON_FIELD_STRV, offsetof(Definition, events), JSON_NULLABLE, .max = 64 },
        { "enabled", JSON_FIELD_BOOLEAN, offsetof(Definition, enabled), JSON_NULLABLE },
        { "timeout", JSON_FIELD_UNSIGNED, offsetof(Definition, timeout), JSON_NULLABLE, 1,
                        WEBHOOK_TIMEOUT_MAX },
        { "retry_count", JSON_FIELD_UNSIGNED, offsetof(Definition, retry_count), JSON_NULLABLE, 0,
                        WEBHOOK_RETRIES_MAX },
        { "retry", JSON_FIELD_UNSIGNED, offsetof(Definition, retry), JSON_NULLABLE, 0, WEBHOOK_RETRIES_MAX },
        { "headers", JSON_FIELD_ANY, offsetof(Definition, headers), JSON_NULLABLE },
        { "secret", JSON_FIELD_STRING, offsetof(Definition, secret), JSON_NULLABLE, .max = SECRET_MAX },
        {},
};

static void wipe(char *s) {
        if (s)
                explicit_bzero(s, strlen(s));
}

static void definition_done(Definition *d) {
        wipe(d->url);
        wipe(d->secret);
        json_table_done(definition_fields, d);
}

WebhookSpec *webhook_spec_free(WebhookSpec *w) {
        if (!w)
                return NULL;
        free(w->url);
        strv_free(w->events);
        strv_free(w->headers);
        wipe(w->secrets);
        free(w->secrets);
        return mfree(w);
}

/* The value of a secret: the one in the definition, or the one that was cut out of it. Borrowed; NULL if it
 * is missing. */
static const char *resolve(const char *value, json_t *secrets, const char *name) {
        return streq(value, MASK) ? json_string_value(json_object_get(secrets, name)) : value;
}

static int take_events(const Definition *d, WebhookSpec *w, JsonErrors *errors) {
        int r = 0;

        w->event_mask = strv_length(d->events) == 0 ? UINT32_MAX : 0;
        STRV_FOREACH(e, d->events) {
                WebhookEvent event = webhook_event_from_string(*e);

                if (streq(*e, "*"))
                        w->event_mask = UINT32_MAX;
                else if (event >= 0)
                        w->event_mask |= 1u << event;
                else
                        r = json_errors_add(errors, "events",
                                        "\"%.64s\" is no event; there are job.submitted, job.started, "
                                        "job.progress, job.completed, job.failed, job.cancelled, "
                                        "schedule.triggered, schedule.completed, and \"*\" for all",
                                        *e);
                if (r < 0 || (r = strv_extend(&w->events, *e)) < 0)
                        return r;
        }
        if (!w->events)
                w->events = new0(char *, 1);
        return w->events ? 0 : -ENOMEM;
}

/* The URL as it may be shown. */
static int take_url(
                const Definition *d, json_t *beside, WebhookSpec *w, json_t *secrets, JsonErrors *errors) {
        const char *cut = json_string_value(json_object_get(beside, "url")), *url = cut ? cut : d->url,
                   *reason;
        _cleanup_json_ json_t *whole = NULL, *shown = NULL;

        if (!url)
                return 0; /* told already */
        if (!webhook_url_is_valid(url, &reason))
                return json_errors_add(errors, "url", "%s", reason);
        if (!cut && strstr(url, MASK))
                return json_errors_add(errors, "url", "must have a password in place of \"***\"");
        whole = json_string(url);
        shown = whole ? json_redact(whole) : NULL;
        if (!shown)
                return -ENOMEM;
        w->url = strdup(json_string_value(shown));
        if (!w->url)
                return -ENOMEM;
        return json_equal(whole, shown) || json_object_set(secrets, "url", whole) >= 0 ? 0 : -ENOMEM;
}

static int take_secret(
                const Definition *d, json_t *beside, WebhookSpec *w, json_t *secrets, JsonErrors *errors) {
        const char *value;

        if (isempty(d->secret))
                return 0;
        value = resolve(d->secret, beside, "secret");
        if (isempty(value) || strlen(value) > SECRET_MAX)
                return json_errors_add(
                                errors, "secret", "must be the secret itself, at most %u bytes", SECRET_MAX);
        w->has_secret = true;
        return json_object_set_new(secrets, "secret", json_string(value)) < 0 ? -ENOMEM : 0;
}

static int take_header(const char *name, json_t *given, json_t *beside, WebhookSpec *w, json_t *headers,
                JsonErrors *errors) {
        _cleanup_free_ char *path = strprintf(HEADERS_PREFIX "%s", name);
        const char *value;

        if (!path)
                return -ENOMEM;
        if (!webhook_header_is_valid(name))
                return json_errors_add(errors, "headers",
                                "\"%.64s\" is not a header that a webhook can have", name);
        STRV_FOREACH(other, w->headers)
                if (strcasecmp(*other, name) == 0)
                        return json_errors_add(errors, path, "must be given once");
        if (!json_is_string(given))
                return json_errors_add(errors, path, "must be a string");
        value = resolve(json_string_value(given), beside, path);
        if (!value || !value_is_valid(value))
                return json_errors_add(errors, path,
                                "must be the value itself: text without line breaks, at most %u bytes",
                                HEADER_VALUE_MAX);
        if (json_object_set_new(headers, name, json_string(value)) < 0)
                return -ENOMEM;
        return strv_extend(&w->headers, name);
}

static int take_headers(
                const Definition *d, json_t *beside, WebhookSpec *w, json_t *secrets, JsonErrors *errors) {
        _cleanup_json_ json_t *headers = json_object();
        const char *name;
        json_t *value;
        int r;

        w->headers = new0(char *, 1);
        if (!headers || !w->headers)
                return -ENOMEM;
        if (!d->headers)
                return 0;
        if (!json_is_object(d->headers) || json_object_size(d->headers) > HEADERS_MAX)
                return json_errors_add(errors, "headers", "must be an object of at most %u names and values",
                                HEADERS_MAX);
        json_object_foreach(d->headers, name, value) {
                r = take_header(name, value, beside, w, headers, errors);
                if (r < 0)
                        return r;
        }
        return json_object_size(headers) == 0 || json_object_set(secrets, "headers", headers) >= 0 ? 0
                                                                                                   : -ENOMEM;
}

static int take_all(
                const Definition *d, json_t *beside, WebhookSpec *w, json_t *secrets, JsonErrors *errors) {
        int r;

        w->enabled = d->enabled;
        w->timeout = d->timeout;
        w->retry_count = d->retry_count == UINT32_MAX ? d->retry : d->retry_count;
        r = take_events(d, w, errors);
        if (r >= 0)
                r = take_url(d, beside, w, secrets, errors);
        if (r >= 0)
                r = take_secret(d, beside, w, secrets, errors);
        if (r >= 0)
                r = take_headers(d, beside, w, secrets, errors);
        if (r < 0)
                return r;
        if (json_object_size(secrets) == 0)
                return 0;
        w->secrets = json_dumps(secrets, JSON_COMPACT);
        if (!w->secrets)
                return -ENOMEM;
        if (strlen(w->secrets) > WEBHOOK_SECRETS_MAX)
                return json_errors_add(errors, "headers",
                                "must be, together with the secret and the URL, at most %zu bytes long",
                                WEBHOOK_SECRETS_MAX);
        return 0;
}

int webhook_spec_decode(json_t *definition, json_t *secrets, WebhookSpec **ret, JsonErrors *errors) {
        _cleanup_(webhook_spec_freep) WebhookSpec *w = new0(WebhookSpec, 1);
        _cleanup_(definition_done) Definition d = {
                .enabled = true, .timeout = 30, .retry_count = UINT32_MAX, .retry = 3
        };
        _cleanup_json_ json_t *found = json_object();
        int r;

        if (!w || !found)
                return -ENOMEM;
        r = json_table_decode(definition_fields, definition, "", &d, errors);
        if (r >= 0)
                r = take_all(&d, secrets, w, found, errors);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        *ret = TAKE_PTR(w);
        return 0;
}

static int cut_string(json_t *object, const char *key, const char *name, json_t *secrets) {
        json_t *value = json_object_get(object, key);

        if (!json_is_string(value) || json_string_length(value) == 0)
                return 0;
        if (json_object_set(secrets, name, value) < 0)
                return -ENOMEM;
        return json_object_set_new(object, key, json_string(MASK)) < 0 ? -ENOMEM : 0;
}

static int cut_headers(json_t *headers, json_t *secrets) {
        const char *name;
        json_t *value;
        void *next;
        int r = 0;

        json_object_foreach_safe(headers, next, name, value) {
                _cleanup_free_ char *path = strprintf(HEADERS_PREFIX "%s", name);

                r = path ? cut_string(headers, name, path, secrets) : -ENOMEM;
                if (r < 0)
                        break;
        }
        return r;
}

int webhook_secrets_cut(json_t *definition, json_t **ret_definition, json_t **ret_secrets) {
        _cleanup_json_ json_t *copy = json_deep_copy(definition), *secrets = json_object(), *url = NULL;
        json_t *whole;
        int r;

        if (!copy || !secrets)
                return -ENOMEM;
        whole = json_object_get(copy, "url");
        if (json_is_string(whole)) {
                url = json_redact(whole);
                if (!url ||
                                (!json_equal(url, whole) &&
                                                (json_object_set(secrets, "url", whole) < 0 ||
                                                                json_object_set(copy, "url", url) < 0)))
                        return -ENOMEM;
        }
        r = cut_string(copy, "secret", "secret", secrets);
        if (r >= 0)
                r = cut_headers(json_object_get(copy, "headers"), secrets);
        if (r < 0)
                return r;
        *ret_definition = TAKE_PTR(copy);
        *ret_secrets = TAKE_PTR(secrets);
        return 0;
}

/* --- the secrets ----------------------------------------------------------------------------------- */

void webhook_secrets_done(WebhookSecrets *s) {
        wipe(s->url);
        wipe(s->secret);
        STRV_FOREACH(h, s->headers)
                wipe(*h);
        free(s->url);
        free(s->secret);
        strv_free(s->headers);
        *s = (WebhookSecrets){};
}

static int read_headers(json_t *headers, WebhookSecrets *s) {
        const char *name;
        json_t *value;
        int r;

        json_object_foreach(headers, name, value) {
                const char *text = json_string_value(value);

                if (!webhook_header_is_valid(name) || !text || !value_is_valid(text))
                        return -EBADMSG;
                r = strv_extend(&s->headers, name);
                if (r >= 0)
                        r = strv_extend(&s->headers, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

int webhook_secrets_parse(const char *text, size_t size, WebhookSecrets *ret) {
        typedef struct Fields {
                char *url, *secret;
                json_t *headers;
        } Fields;
        static const JsonField table[] = {
                { "url", JSON_FIELD_STRING, offsetof(Fields, url), JSON_NONEMPTY },
                { "secret", JSON_FIELD_STRING, offsetof(Fields, secret), JSON_NONEMPTY, .max = SECRET_MAX },
                { "headers", JSON_FIELD_ANY, offsetof(Fields, headers) },
                {},
        };
        _cleanup_(webhook_secrets_done) WebhookSecrets s = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *why = NULL;
        const char *reason;
        Fields f = {};
        int r = json_parse_object(text, size, &object, &why);

        if (r < 0)
                return r;
        r = json_table_decode(table, object, "", &f, &errors);
        s.url = TAKE_PTR(f.url);
        s.secret = TAKE_PTR(f.secret);
        if (r >= 0)
                r = f.headers && !json_is_object(f.headers) ? -EBADMSG : read_headers(f.headers, &s);
        json_table_done(table, &f);
        if (r >= 0 && (errors.n_errors > 0 || (s.url && !webhook_url_is_valid(s.url, &reason))))
                r = -EBADMSG;
        if (r < 0)
                return r;
        *ret = s;
        s = (WebhookSecrets){};
        return 0;
}

/* --- what is sent ---------------------------------------------------------------------------------- */

char *webhook_body(const char *event, usec_t timestamp, const char *delivery_id, json_t *data) {
        char when[RFC3339_SIZE];
        _cleanup_json_ json_t *body = json_pack("{s:s, s:s, s:s, s:O}", "event", event, "timestamp",
                        format_rfc3339(when, timestamp), "delivery_id", delivery_id, "data", data);

        return body ? json_dumps(body, JSON_COMPACT) : NULL;
}
