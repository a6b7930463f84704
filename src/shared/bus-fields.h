/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Errors on the bus that are about fields. The body of such an error is one string, as that of any other,
 * since clients that are based on GLib show nothing else. Each line of it is about one field: "source.path:
 * must be given". A text about the whole has no field. */

#include <systemd/sd-bus.h>

#include "json/json-table.h"

/* Fills @error with @bus_name and the text of all @fields. Returns the entry's -errno, as bus_error_setf()
 * does, or -ENOMEM. */
int bus_error_set_fields(sd_bus_error *error, const char *bus_name, const JsonErrors *fields);

/* The same with one more field, which is added to @fields first. */
int bus_error_add_field(JsonErrors *fields, sd_bus_error *error, const char *bus_name, const char *field,
                const char *format, ...) _printf_(5, 6);

/* Answers @call with @error, or with @r if @error is not set, and with @fields; frees @error. 1 or negative
 * errno: what a handler returns after it. */
int bus_reply_fields_error(sd_bus_message *call, int r, sd_bus_error *error, const JsonErrors *fields);

/* Adds each line of @error's message to @ret: JSON_ERRORS_MAX at most, each text shortened. The field of a
 * line that names none is "". 0 or negative errno. */
int bus_error_fields_read(const sd_bus_error *error, JsonErrors *ret);

/* The message in one line. NULL: out of memory. */
char *bus_error_text(const sd_bus_error *error);
