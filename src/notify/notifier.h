/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-notifyd: asks the manager for deliveries, has them tried, tells how that went, and ends when there
 * is nothing to do. What it needs is given to it, so that tests play the manager. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct Notifier Notifier;

typedef struct NotifierOptions {
        sd_event *event;
        sd_bus *bus; /* attached to the event loop */
        const char *credentials_directory; /* NULL: systemd gave us none */
} NotifierOptions;

int notifier_new(const NotifierOptions *options, Notifier **ret);
Notifier *notifier_free(Notifier *n);

/* Asks for the first deliveries. The event loop ends by itself. 0 or negative errno. */
int notifier_start(Notifier *n);

/* Ends soon: what is being tried has a moment to end, the rest is for the next start. */
void notifier_end(Notifier *n, const char *why);
