/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

/* Named options of a method, of type a{sv}. */
typedef struct BusOption {
        const char *key, *type;
} BusOption;

typedef struct BusOptions {
        const BusOption *options; /* ends with a NULL key */
        const char *prefix, *what; /* for errors: "options." and "option" */
        /* Read the value, which has the type of the option. Returns negative errno and sets @error on
         * failure. */
        int (*read)(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error);
} BusOptions;

/* Read the options at the position of @m. Returns negative errno on failure; @error names the option. */
int bus_read_options(sd_bus_message *m, const BusOptions *o, void *userdata, sd_bus_error *error);
