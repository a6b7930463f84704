/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The display of a VM as a WebSocket of binary messages: VNC or SPICE, as noVNC and the like speak it.
 * hyper-hostd gives the connection to the display as a descriptor; no port is opened. */

#include "api/stream/websocket.h"

/* One of VNC, or else of SPICE; with ?type= of that. */
int hosts_get_console(Request *r);
/* One of SPICE: each of its channels is a WebSocket. */
int hosts_get_spice(Request *r);
extern const QueryField hosts_console_query[];

/* For the tests. The request's userdata is what console_take() made. */
extern const WebSocketProtocol hosts_console_protocol;
/* Has @fd, which is taken over, served when the request becomes a WebSocket. 0 or negative errno. */
int console_take(Request *r, int fd);
