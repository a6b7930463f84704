/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dialect/carbon-metadata.h"

#include <math.h>

#include "basic/string-util.h"
#include "spec/carbon-spec.h"

static bool is_true(const json_t *value) {
        return json_is_true(value) || streq_ptr(json_string_value(value), "true");
}

/* A number, or one as a string; zero is not given. False if it is none. */
static bool read_number(const json_t *value, double *ret) {
        const char *text = json_string_value(value);
        char *end = NULL;

        *ret = 0;
        if (!value || json_is_null(value))
                return true;
        if (json_is_number(value))
                *ret = json_number_value(value);
        else if (!isempty(text))
                *ret = strtod(text, &end);
        return (json_is_number(value) || (end && *end == '\0')) && isfinite(*ret) && *ret >= 0;
}

static int take_number(Translation *t, json_t *metadata, const char *key, const char *canonical,
                double divisor, double max) {
        _cleanup_free_ char *path = strprintf("metadata.%s", key);
        double value;

        if (!path)
                return -ENOMEM;
        if (!read_number(json_object_get(metadata, key), &value) || value / divisor > max)
                return json_errors_add(t->errors, path, "must be a number, 0 to %.0f", max * divisor);
        return value > 0 ? translation_set(t, canonical, json_integer(llround(ceil(value / divisor)))) : 0;
}

int carbon_metadata_take(Translation *t) {
        json_t *metadata = json_object_get(t->request, "metadata");
        int r;

        if (!is_true(json_object_get(metadata, "carbon_aware")) || translation_get(t, "carbon"))
                return 0;
        r = translation_set(t, "carbon", json_object());
        if (r >= 0)
                r = take_number(t, metadata, "carbon_max_intensity", "carbon.max_intensity", 1,
                                CARBON_LIMIT_MAX);
        if (r >= 0)
                r = take_number(t, metadata, "carbon_max_delay", "carbon.max_delay", 1e9, CARBON_DELAY_MAX);
        return r;
}
