/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/carbon-hold.h"

#include <stdio.h>

#include "basic/string-util.h"
#include "json/json-table.h"

CarbonHold *carbon_hold_new(void) {
        CarbonHold *h = new0(CarbonHold, 1);

        if (h)
                h->at_submit = h->now = h->expected = h->at_start = -1;
        return h;
}

CarbonHold *carbon_hold_free(CarbonHold *h) {
        if (!h)
                return NULL;
        free(h->warning);
        return mfree(h);
}

static double number_of(json_t *object, const char *key) {
        json_t *value = json_object_get(object, key);

        return json_is_number(value) ? json_number_value(value) : -1;
}

static usec_t time_of(json_t *object, const char *key) {
        json_int_t value = json_integer_value(json_object_get(object, key));

        return value > 0 ? (usec_t) value : 0;
}

static void copy_text(char *buffer, size_t size, json_t *object, const char *key) {
        (void) snprintf(buffer, size, "%s", strempty(json_string_value(json_object_get(object, key))));
}

int carbon_hold_decode(const char *text, CarbonHold **ret) {
        _cleanup_json_ json_t *object = json_loads(text, 0, NULL);
        _cleanup_(carbon_hold_freep) CarbonHold *h = carbon_hold_new();
        const char *warning = json_string_value(json_object_get(object, "warning"));

        if (!h)
                return -ENOMEM;
        if (!json_is_object(object))
                return -EBADMSG;
        copy_text(h->zone, sizeof(h->zone), object, "zone");
        copy_text(h->source, sizeof(h->source), object, "source");
        h->submitted_at = time_of(object, "submitted_at");
        h->not_after = time_of(object, "not_after");
        h->released_at = time_of(object, "released_at");
        h->stale_since = time_of(object, "stale_since");
        h->at_submit = number_of(object, "at_submit");
        h->now = number_of(object, "now");
        h->expected = number_of(object, "expected");
        h->at_start = number_of(object, "at_start");
        if (warning && !(h->warning = strdup(warning)))
                return -ENOMEM;
        *ret = TAKE_PTR(h);
        return 0;
}

char *carbon_hold_encode(const CarbonHold *h) {
        _cleanup_json_ json_t *object = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:s*}",
                        "zone", h->zone, "source", h->source, "submitted_at", (json_int_t) h->submitted_at,
                        "not_after", (json_int_t) h->not_after, "released_at", (json_int_t) h->released_at,
                        "stale_since", (json_int_t) h->stale_since, "at_submit", h->at_submit, "now", h->now,
                        "expected", h->expected, "at_start", h->at_start, "warning", h->warning);

        return object ? json_dumps(object, JSON_COMPACT) : NULL;
}

static json_t *intensity_json(double intensity) {
        return intensity >= 0 ? json_real(intensity) : json_null();
}

static json_t *text_json(const char *text) {
        return isempty(text) ? json_null() : json_string(text);
}

json_t *carbon_hold_waiting_json(const CarbonHold *h, JobState state, usec_t due_at) {
        if (!h || h->released_at > 0 || state != JOB_QUEUED || due_at == 0)
                return json_null();
        return json_pack("{s:o, s:o, s:s, s:o, s:o}", "until", json_time(due_at), "not_after",
                        json_time(h->not_after), "reason", "carbon", "intensity_now", intensity_json(h->now),
                        "intensity_expected", intensity_json(h->expected));
}

json_t *carbon_hold_ended_json(const CarbonHold *h) {
        usec_t waited;

        if (!h || h->released_at == 0)
                return json_null();
        waited = h->released_at > h->submitted_at ? h->released_at - h->submitted_at : 0;
        return json_pack("{s:o, s:o, s:o, s:o, s:I}", "zone", text_json(h->zone), "source",
                        text_json(h->source), "intensity_at_submit", intensity_json(h->at_submit),
                        "intensity_at_start", intensity_json(h->at_start), "waited_seconds",
                        (json_int_t) (waited / USEC_PER_SEC));
}
