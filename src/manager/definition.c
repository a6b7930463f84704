/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/definition.h"

#include "basic/string-util.h"
#include "json/json-parse.h"

int definition_read(const char *text, size_t max, const JsonField *fields, void *base, JsonErrors *errors) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *why = NULL;
        int r;

        if (strlen(text) > max)
                return json_errors_add(errors, "", "the definition must be at most %zu bytes long", max);
        r = json_parse_object(text, strlen(text), &object, &why);
        if (r == -EBADMSG)
                return json_errors_add(errors, "", "%s", why);
        if (r >= 0)
                r = json_table_decode(fields, object, "", base, errors);
        return r < 0 ? r : 1;
}
