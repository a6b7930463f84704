/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Webhooks: what a definition may say, and what the manager (which keeps them), the API (which lists them)
 * and hyper-notifyd (which delivers) must agree on. */

#include <jansson.h>
#include <systemd/sd-id128.h>

#include "basic/time-util.h"
#include "json/json-table.h"

/* The values are bits of a mask that is stored: new ones go to the end. */
typedef enum WebhookEvent {
        WEBHOOK_JOB_SUBMITTED, /* also "job.created" */
        WEBHOOK_JOB_STARTED,
        WEBHOOK_JOB_PROGRESS,
        WEBHOOK_JOB_COMPLETED,
        WEBHOOK_JOB_FAILED,
        WEBHOOK_JOB_CANCELLED, /* also "job.canceled" */
        WEBHOOK_SCHEDULE_TRIGGERED,
        WEBHOOK_SCHEDULE_COMPLETED,
        _WEBHOOK_EVENT_MAX,
        _WEBHOOK_EVENT_INVALID = -EINVAL,
} WebhookEvent;

const char *webhook_event_to_string(WebhookEvent e) _pure_;
WebhookEvent webhook_event_from_string(const char *s) _pure_;

#define WEBHOOK_TIMEOUT_MAX 300u
#define WEBHOOK_RETRIES_MAX 10u
#define WEBHOOK_URL_MAX ((size_t) 2048)
/* As many as there can be: the secrets of all of them are credentials of one unit, for which systemd has 1
 * MiB. */
#define WEBHOOKS_MAX 100u
#define WEBHOOK_SECRETS_MAX ((size_t) 8192)

/* What is kept of a receiver's answer. */
#define WEBHOOK_RESPONSE_MAX ((size_t) 4096)

/* The manager's entry in the journal about a delivery that was given up; its text is in
 * units/hyper.catalog. */
#define MESSAGE_DELIVERY_GIVEN_UP \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, 41)

/* How long a delivery that was tried @attempts times (at least once) waits for the next try: 1, 2, 4, …
 * s. */
usec_t webhook_pause(unsigned attempts) _pure_;
#define WEBHOOK_PAUSE_MAX (512 * USEC_PER_SEC)

/* hyper-notifyd waits itself for a retry that is due within this; for a later one a timer brings it back. */
#define WEBHOOK_WAIT_MAX (20 * USEC_PER_SEC)

/* --- the definition -------------------------------------------------------------------------------- */

typedef struct WebhookSpec {
        char *url; /* http or https; what is secret in it reads "***" */
        char **events; /* as they were asked for; empty: all */
        uint32_t event_mask; /* bits of WebhookEvent */
        bool enabled;
        unsigned timeout; /* seconds for one attempt */
        unsigned retry_count;
        char **headers; /* their names: the values are secrets */
        bool has_secret; /* a key for X-Hyper-Signature was given */
        char *secrets; /* JSON for webhook_secrets_parse(); NULL: there are none. Wiped when freed */
} WebhookSpec;

WebhookSpec *webhook_spec_free(WebhookSpec *w);
DEFINE_CLEANUP_FUNC(WebhookSpec *, webhook_spec_free);

/* Decodes {"url", "events", "enabled", "timeout", "retry_count" (or "retry"), "headers", "secret"}. @secrets
 * (may be NULL) is an object with values that were cut out of @definition before, where "***" stands now:
 * "url", "secret", "headers.<name>". 0, -EBADMSG with @errors filled, -ENOMEM. Unknown keys are noted in
 * @errors and are no mistake. */
int webhook_spec_decode(json_t *definition, json_t *secrets, WebhookSpec **ret, JsonErrors *errors);

/* The opposite of @secrets above: the definition with "***" in it (new reference), and what was there. Works
 * on anything; what is not a definition is for webhook_spec_decode() to refuse. 0 or -ENOMEM. */
int webhook_secrets_cut(json_t *definition, json_t **ret_definition, json_t **ret_secrets);

/* A header that a webhook may have: a token (RFC 9110, 5.6.2), and none of those that say where a message
 * ends or that are ours. */
bool webhook_header_is_valid(const char *name) _pure_;
/* An http or https URL without a fragment, in printable ASCII. On false *ret_reason says what it must be. */
bool webhook_url_is_valid(const char *url, const char **ret_reason);

/* --- the secrets ----------------------------------------------------------------------------------- */

/* What hyper-notifyd is given as a credential. */
typedef struct WebhookSecrets {
        char *url; /* the whole of it; NULL: nothing in it is secret */
        char *secret; /* NULL: deliveries are not signed */
        char **headers; /* name, value, name, value, … */
} WebhookSecrets;

void webhook_secrets_done(WebhookSecrets *s);
/* 0, -EBADMSG, -ENOMEM. */
int webhook_secrets_parse(const char *text, size_t size, WebhookSecrets *ret);

/* --- what is sent ---------------------------------------------------------------------------------- */

/* {event, timestamp, delivery_id, data} as the text that is sent and signed; @data is borrowed. NULL when
 * out of memory. The caller frees. */
char *webhook_body(const char *event, usec_t timestamp, const char *delivery_id, json_t *data);
