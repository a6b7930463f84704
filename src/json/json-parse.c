/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text to JSON, with the limits that text from outside needs. */

#include "json/json-parse.h"
#include "basic/string-util.h"
#include "json/json-table.h"

static int parse_error(char **ret_error, int line, int column, const char *what) {
        char *text = strprintf("line %d, column %d: %s", line, column, what);

        if (!text)
                return -ENOMEM;
        *ret_error = text;
        return -EBADMSG;
}

/* jansson itself stops at 2048 levels only, and what walks the value afterwards recurses too. */
static int check_depth(const char *text, size_t size, char **ret_error) {
        int line = 1, column = 1, depth = 0;
        bool in_string = false;

        for (size_t i = 0; i < size; i++, column++)
                switch (text[i]) {
                case '\\':
                        if (in_string && i + 1 < size && text[i + 1] != '\n')
                                i++, column++;
                        break;
                case '"':
                        in_string = !in_string;
                        break;
                case '[':
                case '{':
                        if (!in_string && ++depth > JSON_DEPTH_MAX)
                                return parse_error(ret_error, line, column, "nested too deeply");
                        break;
                case ']':
                case '}':
                        if (!in_string)
                                depth--;
                        break;
                case '\n':
                        line++;
                        column = 0;
                        break;
                }
        return 0;
}

int json_parse_any(const char *text, size_t size, json_t **ret, char **ret_error) {
        json_error_t e;
        int r;

        if (size > JSON_TEXT_MAX)
                return parse_error(ret_error, 1, 1, "the text is too long");
        r = check_depth(text, size, ret_error);
        if (r < 0)
                return r;
        json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
        if (!value) {
                if (json_error_code(&e) == json_error_out_of_memory)
                        return -ENOMEM;
                /* " near '…'" quotes the input. */
                char *near = strstr(e.text, " near '");
                if (near)
                        *near = 0;
                return parse_error(ret_error, e.line, e.column, e.text);
        }
        *ret = value;
        return 0;
}

int json_parse_object(const char *text, size_t size, json_t **ret, char **ret_error) {
        _cleanup_json_ json_t *value = NULL;
        int r = json_parse_any(text, size, &value, ret_error);

        if (r < 0)
                return r;
        if (!json_is_object(value))
                return parse_error(ret_error, 1, 1, "must be a JSON object");
        *ret = TAKE_PTR(value);
        return 0;
}
