/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/hosts-call.h"

#include <unistd.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"

/* hyper-hostd gives up libvirt sooner. */
#define CALL_TIMEOUT (70 * USEC_PER_SEC)

int hosts_call_new(const char *uri, const char *method, sd_bus **ret_bus, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;

        int r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &call, HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                                HYPER_HOSTS_MANAGER_INTERFACE, method);
        if (r >= 0)
                r = sd_bus_message_append(call, "s", uri);
        if (r < 0)
                return r;
        *ret_bus = TAKE_PTR(bus);
        *ret = TAKE_PTR(call);
        return 0;
}

int hosts_call_result(int r, const sd_bus_error *error, char **ret_error) {
        if (r >= 0)
                return 0;
        *ret_error = strdup(error->message ? error->message : strerror(-r));
        return sd_bus_error_has_name(error, HYPER_BUS_ERROR_INVALID_ARGUMENT) ? -EINVAL : r;
}

int hosts_call_once(const char *uri, const char *method, const char *text, const uint32_t *limit,
                sd_bus_message **ret, char **ret_error) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;

        int r = hosts_call_new(uri, method, &bus, &call);
        if (r >= 0 && text)
                r = sd_bus_message_append(call, "s", text);
        if (r >= 0 && limit)
                r = sd_bus_message_append(call, "u", *limit);
        if (r >= 0)
                r = sd_bus_call(bus, call, limit ? USEC_INFINITY : CALL_TIMEOUT, &error, ret);
        return hosts_call_result(r, &error, ret_error);
}

/* The pauses are 1, 2, 4 and 8 seconds. */
bool hosts_call_again(unsigned n, int r, char **error) {
        if (r >= 0 || r == -EINVAL || r == -ENOMEM || n + 1 >= HOSTS_TRIES)
                return false;
        log_warning_errno(r, "hyper-hostd does not answer, trying again: %s", strempty(*error));
        *error = mfree(*error);
        (void) usleep((useconds_t) (USEC_PER_SEC << n));
        return true;
}

int hosts_call(const char *uri, const char *method, const char *text, char **ret, char **ret_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        unsigned n = 0;
        const char *answer;
        int r;

        do
                r = hosts_call_once(uri, method, text, NULL, &reply, ret_error);
        while (hosts_call_again(n++, r, ret_error));
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &answer);
        if (r < 0)
                return r;
        *ret = strdup(answer);
        return *ret ? 0 : -ENOMEM;
}
