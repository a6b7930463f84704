/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The message of an error is read as a reply from the bus. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "shared/bus-fields.h"

#define LINE_MAX_BYTES 1024 /* as in json-table.c */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *message = strndup((const char *) data, size);
        _cleanup_(json_errors_done) JsonErrors fields = {};
        const sd_bus_error error = { "org.hyper1.Error.InvalidSpec", message };

        if (bus_error_fields_read(&error, &fields) < 0 || fields.n_errors > JSON_ERRORS_MAX)
                abort();
        for (size_t i = 0; i < fields.n_errors; i++)
                if (strpbrk(fields.errors[i].field, " :\n") ||
                                strlen(fields.errors[i].field) > LINE_MAX_BYTES + 3 ||
                                strlen(fields.errors[i].text) > LINE_MAX_BYTES + 3)
                        abort();
        _cleanup_free_ char *line = bus_error_text(&error);
        if (!line || strchr(line, '\n'))
                abort();
        return 0;
}
