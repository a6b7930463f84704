/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The connection to a host: made, lost, made again. */

#include "hosts/host.h"

/* Begins to connect; from then on it stays connected, or tries to. */
void host_connect(Host *h);
/* The configuration has changed: whether its URI is allowed now. */
void host_check_uri(Host *h);
/* Has @message answered when the host is connected, or could not be. From now on it is connected
 * automatically again. 1, or negative errno with @error: what a handler returns. */
int host_call_connect(Host *h, sd_bus_message *message, sd_bus_error *error);
/* Closes the connection, and makes none until host_call_connect(), also after a restart. */
int host_disconnect(Host *h, sd_bus_error *error);
