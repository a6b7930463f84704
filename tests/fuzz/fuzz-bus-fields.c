/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An error with fields, "sa(ss)", made from the input: the first line is the message, each further one
 * "FIELD=TEXT". If the message is "!", the signature is another one. It is read as a reply from the bus; a
 * damaged message never gets that far, since sd-bus checks it first. */

#include <sys/socket.h>

#include "basic/string-util.h"
#include "fuzz.h"
#include "shared/bus-fields.h"

#define LINE_MAX_BYTES 1024 /* as in json-table.c */

/* A bus that leads nowhere: messages need one to be made on. */
static sd_bus *make_bus(void) {
        static sd_bus *bus;
        int fds[2];

        if (bus)
                return bus;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 || sd_bus_new(&bus) < 0 ||
                        sd_bus_set_fd(bus, fds[0], fds[0]) < 0 || sd_bus_start(bus) < 0)
                abort();
        return bus;
}

/* What is answered. */
static sd_bus_message *make_call(void) {
        static sd_bus_message *call;

        if (call)
                return call;
        if (sd_bus_message_new_method_call(make_bus(), &call, "a.b", "/", "a.b", "C") < 0 ||
                        sd_bus_message_seal(call, 1, 0) < 0)
                abort();
        return call;
}

static int fill(sd_bus_message *m, char *text, bool pairs) {
        int r = sd_bus_message_open_container(m, 'a', pairs ? "(ss)" : "s");
        char *state = NULL;

        for (char *line = strtok_r(text, "\n", &state); r >= 0 && line;
                        line = strtok_r(NULL, "\n", &state)) {
                char *value = strchr(line, '=');

                if (value)
                        *value++ = '\0';
                r = pairs ? sd_bus_message_append(m, "(ss)", line, strempty(value))
                          : sd_bus_message_append(m, "s", line);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_seal(m, 2, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        _cleanup_(json_errors_done) JsonErrors fields = {};
        sd_bus_message *m = NULL;
        char *rest = text ? strchr(text, '\n') : NULL;

        if (!rest)
                return 0;
        *rest++ = '\0';
        const sd_bus_error error = SD_BUS_ERROR_MAKE_CONST("org.hyper1.Error.InvalidSpec", text);
        bool pairs = !streq(text, "!");
        /* (What is not UTF-8 cannot be in a message.) */
        if (sd_bus_message_new_method_error(make_call(), &m, &error) >= 0 && fill(m, rest, pairs) >= 0) {
                if (bus_error_fields_read(m, &fields) < 0 || fields.n_errors > JSON_ERRORS_MAX ||
                                (!pairs && fields.n_errors > 0))
                        abort();
                for (size_t i = 0; i < fields.n_errors; i++)
                        if (strlen(fields.errors[i].field) > LINE_MAX_BYTES + 3 ||
                                        strlen(fields.errors[i].text) > LINE_MAX_BYTES + 3)
                                abort();
        }
        sd_bus_message_unref(m);
        return 0;
}
