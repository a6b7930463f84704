/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-reply.h"
#include "api/http/reply.h"

int hypersdk_reply_message(Request *r, unsigned status, const sd_bus_error *error, const char *message) {
        if (error)
                return request_reply_bus_error(r, error);
        return request_reply_json(r, status,
                        json_pack("{s:s, s:o}", "message", message, "timestamp", json_time(now_realtime())));
}

int hypersdk_read_object(sd_bus_message *m, json_t **ret) {
        _cleanup_json_ json_t *object = NULL;
        const char *text;
        int k = sd_bus_message_read(m, "s", &text);

        if (k < 0)
                return k;
        object = json_loads(text, 0, NULL);
        if (!json_is_object(object))
                return -EBADMSG;
        *ret = TAKE_PTR(object);
        return 0;
}

int hypersdk_reply_object(Request *r, sd_bus_message *m, const sd_bus_error *error, const char *message) {
        _cleanup_json_ json_t *object = NULL;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = hypersdk_read_object(m, &object);
        if (k < 0)
                return k;
        if ((message && json_object_set_new(object, "message", json_string(message)) < 0) ||
                        json_object_set_new(object, "timestamp", json_time(now_realtime())) < 0)
                return -ENOMEM;
        return request_reply_json(r, 200, TAKE_PTR(object));
}
