/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who a client is, for what it submits. */

#include <systemd/sd-bus.h>

typedef struct Request Request;

/* Appends {"submitter": a{ss}}, an entry of an a{sv}: what is known of the client (spec/submitter.h). 0 or
 * negative errno. */
int request_append_submitter(Request *r, sd_bus_message *m);
