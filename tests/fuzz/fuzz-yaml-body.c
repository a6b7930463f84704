/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/http/yaml-body.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "json/json-table.h"

/* What is taken can be written as JSON, and read again as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *value = NULL, *again = NULL;
        _cleanup_free_ char *error = NULL, *text = NULL;
        int r = yaml_parse_any((const char *) data, size, &value, &error);

        if (r < 0) {
                if (value || (r == -EBADMSG && !startswith(error, "line ")))
                        abort();
                return 0;
        }
        text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        again = text ? json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL) : NULL;
        if (!again || json_is_object(again) != json_is_object(value) ||
                        json_is_array(again) != json_is_array(value))
                abort();
        return 0;
}
