/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/bus-options.h"

#include "basic/string-util.h"
#include "shared/error-table.h"

static int no_such_option(const BusOptions *o, const char *key, sd_bus_error *error) {
        _cleanup_strv_free_ char **keys = NULL;
        _cleanup_free_ char *all = NULL;

        for (const BusOption *k = o->options; k->key; k++)
                if (strv_extend(&keys, k->key) < 0)
                        return -ENOMEM;
        all = strv_join(keys, ", ");
        return all ? bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                     "%s%.64s: there is no such %s; there are: %s", o->prefix, key, o->what,
                                     all)
                   : -ENOMEM;
}

static int read_entry(sd_bus_message *m, const BusOptions *o, void *userdata, sd_bus_error *error) {
        const BusOption *k = o->options;
        const char *key;
        int r = sd_bus_message_read(m, "s", &key);

        if (r < 0)
                return r;
        while (k->key && !streq(key, k->key))
                k++;
        if (!k->key)
                return no_such_option(o, key, error);
        if (sd_bus_message_enter_container(m, 'v', k->type) <= 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "%s%s: must be of type %s",
                                o->prefix, key, k->type);
        r = o->read(m, k->key, userdata, error);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int bus_read_options(sd_bus_message *m, const BusOptions *o, void *userdata, sd_bus_error *error) {
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_entry(m, o, userdata, error);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}
