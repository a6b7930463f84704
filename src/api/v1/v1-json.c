/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/v1/v1-json.h"
#include "api/job-json.h"
#include "basic/string-util.h"
#include "json/json-table.h"

#define FIELD_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.[]"

/* The length of the field that a line begins with, or 0 if it begins with none. */
static size_t field_length(const char *line) {
        size_t n = strspn(line, FIELD_CHARACTERS);

        return strncmp(line + n, ": ", 2) == 0 ? n : 0;
}

/* Errors of several fields are lines, or have "; " between them. */
static size_t line_length(const char *line) {
        size_t n = 0;

        while (line[n] && line[n] != '\n' &&
                        !(strncmp(line + n, "; ", 2) == 0 && field_length(line + n + 2) > 0))
                n++;
        return n;
}

/* {"field", "message"} of a line, or NULL if it has no field. */
static json_t *line_json(const char *line, size_t length) {
        size_t field = field_length(line);

        if (field == 0 || field + 2 >= length)
                return NULL;
        return json_pack("{s:s%, s:s%}", "field", line, field, "message", line + field + 2,
                        length - field - 2);
}

/* An empty array if a line has no field: then the message is about something else. */
static json_t *lines_json(const char *message) {
        json_t *lines = json_array();

        for (const char *line = message; lines && *line;) {
                size_t length = line_length(line);

                if (json_array_append_new(lines, line_json(line, length)) < 0) {
                        json_array_clear(lines);
                        break;
                }
                line += length;
                line += *line == '\n' ? 1 : *line == ';' ? 2 : 0;
        }
        return lines;
}

/* The lines on one line, with "; " between them. */
static char *join_lines(const char *message) {
        char *text = malloc(2 * strlen(message) + 1), *out = text;

        for (const char *in = message; text && *in; in++)
                if (*in != '\n')
                        *out++ = *in;
                else if (in[1])
                        out = stpcpy(out, "; ");
        if (text)
                *out = '\0';
        return text;
}

json_t *v1_error_json(unsigned status, const char *message, usec_t now) {
        _cleanup_json_ json_t *errors = status == 400 ? lines_json(message) : NULL, *error = NULL;
        _cleanup_free_ char *text = join_lines(message);

        if (!text)
                return NULL;
        error = json_pack("{s:o, s:i, s:o}", "error", json_text(text), "status", (int) status, "timestamp",
                        json_time(now));
        if (error && json_array_size(errors) > 0 && json_object_set(error, "errors", errors) < 0)
                return NULL;
        return TAKE_PTR(error);
}
