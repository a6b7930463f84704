/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/job-retry.h"
#include "api/http/request-body.h"

#include "api/http/reply.h"
#include "api/job-submit.h"
#include "basic/string-util.h"

static int refuse_secrets(Request *r) {
        (void) request_reply_error(r, 400, "secrets: must be an object of strings");
        return -EBADMSG;
}

/* New reference in *ret; NULL if there are none. */
static int read_secrets(Request *r, json_t **ret) {
        _cleanup_json_ json_t *body = NULL;
        json_t *secrets, *value;
        const char *key;
        size_t size;
        int k;

        (void) request_body(r, &size);
        if (size == 0)
                return 0;
        k = request_json_object(r, &body);
        if (k < 0)
                return k;
        secrets = json_object_get(body, "secrets");
        if (!secrets || json_is_null(secrets))
                return 0;
        if (!json_is_object(secrets))
                return refuse_secrets(r);
        json_object_foreach(secrets, key, value)
                if (!json_is_string(value))
                        return refuse_secrets(r);
        *ret = json_incref(secrets);
        return 0;
}

int job_retry_call(Request *r, manager_reply_func on_reply) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *secrets = NULL;
        int k;

        k = read_secrets(r, &secrets);
        if (k < 0)
                return k;
        k = manager_call_new(r, "RetryJob", &m);
        if (k < 0)
                return k;
        k = sd_bus_message_append(m, "s", request_param(r, "id"));
        if (k < 0)
                return k;
        k = sd_bus_message_open_container(m, 'a', "{sv}");
        if (k < 0)
                return k;
        k = sd_bus_message_append(m, "{sv}", "role", "s", job_submit_role(r));
        if (k < 0)
                return k;
        k = job_submit_append_secrets(m, secrets);
        if (k < 0)
                return k;
        k = sd_bus_message_close_container(m);
        if (k < 0)
                return k;
        return manager_call(r, m, on_reply, NULL);
}
