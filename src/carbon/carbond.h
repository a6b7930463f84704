/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-carbond: owns org.hyper1.Carbon, and is the only one that asks a carbon source. What it depends on is
 * given to it, so that tests use a private bus. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "shared/settings.h"

typedef struct Carbond Carbond;

typedef struct CarbondOptions {
        sd_event *event;
        sd_bus *bus;
        const char *config_directory; /* read again with each call */
        const char *cache_directory; /* where the last data are kept; NULL: nowhere */
        const char *credentials_directory; /* may have the token; NULL: there is none */
        const char *ca_file; /* tests: the CAs of the source; NULL: those of the system */
        clock_func clock;
        Settings *settings; /* also freed on failure */
} CarbondOptions;

int carbond_new(const CarbondOptions *options, Carbond **ret);
Carbond *carbond_free(Carbond *c);
DEFINE_CLEANUP_FUNC(Carbond *, carbond_free);
