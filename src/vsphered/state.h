/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What hyper-vsphered is made of. */

#include <systemd/sd-bus.h>

#include "shared/bus-util.h"
#include "shared/settings.h"
#include "vsphered/server.h"

typedef struct Call Call;

typedef struct Vsphered Vsphered;

struct Vsphered {
        sd_event *event;
        sd_bus *bus;
        Settings *settings;
        PolkitRegistry *polkit;
        Servers *servers;
        Call *calls; /* that wait for an answer */
        uint64_t n_calls; /* since the start */
        usec_t call_timeout;
        void (*settled)(Vsphered *v); /* a call has ended: is there anything left to do? */

        sd_bus_slot *slots[2], *release_call;
        sd_event_source *idle_timer;
        usec_t last_call; /* monotonic */
        bool draining, released; /* the name is being given up; it is given up */
};
