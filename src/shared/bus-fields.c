/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>

#include "basic/string-util.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"

int bus_error_set_fields(sd_bus_error *error, const char *bus_name, const JsonErrors *fields) {
        _cleanup_free_ char *text = json_errors_text(fields);

        return text ? bus_error_setf(error, bus_name, "%s", text) : -ENOMEM;
}

int bus_error_add_field(JsonErrors *fields, sd_bus_error *error, const char *bus_name, const char *field,
                const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = vstrprintf(format, ap);
        va_end(ap);
        if (!text)
                return -ENOMEM;
        int r = json_errors_add(fields, field, "%s", text);
        return r < 0 ? r : bus_error_set_fields(error, bus_name, fields);
}

static int append_fields(sd_bus_message *m, const JsonErrors *fields) {
        int r = sd_bus_message_open_container(m, 'a', "(ss)");

        for (size_t i = 0; r >= 0 && i < fields->n_errors; i++)
                r = sd_bus_message_append(m, "(ss)", fields->errors[i].field, fields->errors[i].text);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int reply_with_fields(sd_bus_message *call, const sd_bus_error *error, const JsonErrors *fields) {
        sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_error(call, &m, error);

        if (r >= 0)
                r = append_fields(m, fields);
        if (r >= 0)
                r = sd_bus_send(sd_bus_message_get_bus(call), m, NULL);
        sd_bus_message_unref(m);
        return r;
}

int bus_reply_fields_error(sd_bus_message *call, int r, sd_bus_error *error, const JsonErrors *fields) {
        /* (The text comes first in the body: without one there can be no fields.) */
        if (fields->n_errors == 0 || !sd_bus_error_is_set(error) || isempty(error->message))
                r = sd_bus_reply_method_errno(call, r, error);
        else /* (as sd_bus_reply_method_errno(3) does) */
                r = sd_bus_message_get_expect_reply(call) > 0 ? reply_with_fields(call, error, fields) : 0;
        sd_bus_error_free(error);
        return r < 0 ? r : 1;
}

int bus_error_fields_read(sd_bus_message *reply, JsonErrors *ret) {
        const char *field, *text;
        int r;

        if (!reply || !sd_bus_message_is_method_error(reply, NULL) ||
                        !sd_bus_message_has_signature(reply, "sa(ss)"))
                return 0;
        r = sd_bus_message_rewind(reply, true);
        if (r < 0)
                return r;
        r = sd_bus_message_skip(reply, "s");
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, 'a', "(ss)");
        if (r < 0)
                return r;
        for (size_t i = 0; i < JSON_ERRORS_MAX; i++) {
                r = sd_bus_message_read(reply, "(ss)", &field, &text);
                if (r <= 0)
                        return r;
                r = json_errors_add(ret, field, "%s", text);
                if (r < 0)
                        return r;
        }
        return 0;
}
