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

/* All errors, a line each. */
static char *fields_lines(const JsonErrors *fields) {
        _cleanup_strv_free_ char **lines = NULL;

        for (size_t i = 0; i < fields->n_errors; i++)
                if (strv_consume(&lines, json_error_text(&fields->errors[i])) < 0)
                        return NULL;
        return strv_join(lines, "\n");
}

int bus_reply_fields_error(sd_bus_message *call, int r, sd_bus_error *error, const JsonErrors *fields) {
        _cleanup_free_ char *lines = NULL;

        if (fields->n_errors == 0 || !sd_bus_error_is_set(error))
                r = sd_bus_reply_method_errno(call, r, error);
        else {
                lines = fields_lines(fields);
                r = lines ? sd_bus_reply_method_errorf(call, error->name, "%s", lines) : -ENOMEM;
        }
        sd_bus_error_free(error);
        return r < 0 ? r : 1;
}

/* A field has no blanks; a text may begin with words and a colon. */
static int read_line(const char *line, size_t n, JsonErrors *ret) {
        size_t field = strcspn(line, ": ");
        bool named = field > 0 && field + 1 < n && line[field] == ':' && line[field + 1] == ' ';
        _cleanup_free_ char *name = strndup(line, named ? field : 0);
        size_t skip = named ? field + 2 : 0;

        return name ? json_errors_add(ret, name, "%.*s", (int) (n - skip), line + skip) : -ENOMEM;
}

int bus_error_fields_read(const sd_bus_error *error, JsonErrors *ret) {
        const char *line = strempty(error->message);

        for (size_t i = 0; i < JSON_ERRORS_MAX && *line; i++) {
                size_t n = strcspn(line, "\n");
                int r = read_line(line, n, ret);

                if (r < 0)
                        return r;
                line += n + (line[n] == '\n');
        }
        return 0;
}

char *bus_error_text(const sd_bus_error *error) {
        const char *message = strempty(error->message);
        char *text = new0(char, 2 * strlen(message) + 1), *p = text;

        for (; text && *message; message++)
                if (*message == '\n')
                        p = stpcpy(p, "; ");
                else
                        *p++ = *message;
        if (text)
                *p = '\0';
        return text;
}
