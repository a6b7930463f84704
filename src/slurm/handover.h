/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The conversation with the manager (org.hyper1.Slurm) and with slurmrestd. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "shared/settings.h"

typedef struct Handover Handover;

typedef struct HandoverOptions {
        sd_event *event;
        sd_bus *bus;
        const char *prefix; /* of the comments of our jobs */
        const char *token; /* a JSON web token; borrowed until it ends */
        Settings *settings; /* is taken, also on failure */
        usec_t interval; /* between two looks at Slurm; 0: the usual one */
} HandoverOptions;

int handover_new(const HandoverOptions *options, Handover **ret);
Handover *handover_free(Handover *h);
DEFINE_CLEANUP_FUNC(Handover *, handover_free);
