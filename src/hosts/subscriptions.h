/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who wants the statistics of which VM. */

#include <systemd/sd-bus.h>

#include "hosts/host.h"

/* The sender of @message wants the statistics of that VM (by name or UUID), or no more. 0, or negative errno
 * with
 * @error set. */
int hosts_subscribe(Hosts *hosts, Host *h, const char *vm, sd_bus_message *message, sd_bus_error *error);
int hosts_unsubscribe(Hosts *hosts, const char *host_id, const char *vm, sd_bus_message *message);
void hosts_drop_subscriptions(Hosts *hosts);
