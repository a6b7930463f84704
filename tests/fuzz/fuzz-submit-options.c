/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The options of SubmitJob, a{sv}, made from the input line by line: "KEY=TYPE:VALUE", with the types s, u,
 * b, t, as and a{ss} (words between blanks). The message is sealed and read as one that came from the bus; a
 * damaged message never gets that far, since sd-bus checks it first. */

#include <sys/socket.h>

#include "basic/string-util.h"
#include "fuzz.h"
#include "manager/manager.h"
#include "manager/submit-options.h"

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

/* Appends the words of @text as @type says. */
static int append_words(sd_bus_message *m, const char *type, char *text) {
        bool pairs = streq(type, "a{ss}");
        char *state = NULL;
        int r = sd_bus_message_open_container(m, 'a', pairs ? "{ss}" : "s");

        for (char *w = strtok_r(text, " ", &state); r >= 0 && w; w = strtok_r(NULL, " ", &state)) {
                char *value = pairs ? strtok_r(NULL, " ", &state) : NULL;

                r = pairs ? sd_bus_message_append(m, "{ss}", w, strempty(value))
                          : sd_bus_message_append(m, "s", w);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(sd_bus_message *m, const char *type, char *text) {
        if (streq(type, "u"))
                return sd_bus_message_append(m, "u", (uint32_t) strlen(text));
        if (streq(type, "t"))
                return sd_bus_message_append(m, "t", (uint64_t) strlen(text));
        if (streq(type, "b"))
                return sd_bus_message_append(m, "b", *text != '\0');
        if (streq(type, "s"))
                return sd_bus_message_append(m, "s", text);
        return append_words(m, type, text);
}

static int append_option(sd_bus_message *m, char *line) {
        static const char *const types[] = { "s", "u", "t", "b", "as", "a{ss}" };
        char *type = strchr(line, '='), *value = type ? strchr(type, ':') : NULL;

        if (!value)
                return 0;
        *type++ = *value++ = '\0';
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (streq(type, types[i])) {
                        int r;

                        r = sd_bus_message_open_container(m, 'e', "sv");
                        if (r >= 0)
                                r = sd_bus_message_append(m, "s", line);
                        if (r >= 0)
                                r = sd_bus_message_open_container(m, 'v', type);
                        if (r >= 0)
                                r = append_value(m, type, value);
                        if (r >= 0)
                                r = sd_bus_message_close_container(m);
                        if (r < 0)
                                return r;
                        return sd_bus_message_close_container(m);
                }
        return 0;
}

static int fill(sd_bus_message *m, char *text) {
        char *state = NULL;
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        for (char *line = strtok_r(text, "\n", &state); r >= 0 && line; line = strtok_r(NULL, "\n", &state))
                r = append_option(m, line);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_seal(m, 1, 0);
        return r < 0 ? r : sd_bus_message_rewind(m, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(submit_options_done) SubmitOptions options = {};
        _cleanup_free_ char *text = strndup((const char *) data, size);

        if (!text ||
                        sd_bus_message_new_method_call(make_bus(), &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                        HYPER_MANAGER_INTERFACE, "SubmitJob") < 0)
                return 0;
        if (fill(m, text) < 0)
                return 0; /* not UTF-8: no such message exists */
        int r = submit_options_read(m, &options, &error);
        /* What is refused is refused with a text, and what is taken is within its bounds. */
        if (r < 0 ? !sd_bus_error_is_set(&error) : strv_length(options.secrets) > 32 || !options.dialect)
                abort();
        return 0;
}
