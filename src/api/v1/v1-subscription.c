/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-subscription.h"

#include "basic/string-util.h"
#include "json/json-parse.h"

#define JOB_IDS_MAX 100u

static const char *const topic_names[_V1_TOPIC_MAX] = {
        [V1_TOPIC_JOBS] = "jobs",
        [V1_TOPIC_METRICS] = "metrics",
        [V1_TOPIC_ALERTS] = "alerts",
        [V1_TOPIC_SCHEDULES] = "schedules",
        [V1_TOPIC_UPLOADS] = "uploads",
};

typedef struct Message {
        char *type;
        char **topics, **job_ids;
} Message;

static const JsonField fields[] = {
        { "type", JSON_FIELD_STRING, offsetof(Message, type), .flags = JSON_REQUIRED },
        { "topics", JSON_FIELD_STRV, offsetof(Message, topics), .flags = JSON_NULLABLE },
        { "job_ids", JSON_FIELD_STRV, offsetof(Message, job_ids), .flags = JSON_NULLABLE },
        {},
};

void v1_subscription_done(V1Subscription *s) {
        s->job_ids = strv_free(s->job_ids);
}

static int topic_from_string(const char *s) {
        for (int t = 0; t < _V1_TOPIC_MAX; t++)
                if (streq(topic_names[t], s))
                        return t;
        return -EINVAL;
}

static int read_message(Message *m, V1Subscription *ret, JsonErrors *errors) {
        uint32_t topics = 0;

        if (m->type && !streq(m->type, "subscribe"))
                return json_errors_add(errors, "type", "must be subscribe");
        if (strv_length(m->job_ids) > JOB_IDS_MAX)
                return json_errors_add(errors, "job_ids", "must have at most %u elements", JOB_IDS_MAX);
        STRV_FOREACH(topic, m->topics) {
                int t = topic_from_string(*topic);

                if (t < 0)
                        return json_errors_add(
                                        errors, "topics", "must be any of jobs, metrics, alerts, schedules");
                topics |= 1u << t;
        }
        *ret = (V1Subscription){ .topics = m->topics ? topics : (1u << _V1_TOPIC_MAX) - 1,
                .job_ids = errors->n_errors == 0 ? TAKE_PTR(m->job_ids) : NULL };
        return 0;
}

int v1_subscription_decode(const char *text, size_t size, V1Subscription *ret, JsonErrors *errors) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *why = NULL;
        Message m = {};
        int r = json_parse_object(text, size, &object, &why);

        if (r == -EBADMSG) {
                r = json_errors_add(errors, "", "the message is not a JSON object: %s", strna(why));
                return r < 0 ? r : -EBADMSG;
        }
        if (r >= 0)
                r = json_table_decode(fields, object, "", &m, errors);
        if (r >= 0)
                r = read_message(&m, ret, errors);
        json_table_done(fields, &m);
        return r < 0 ? r : errors->n_errors > 0 ? -EBADMSG : 0;
}
