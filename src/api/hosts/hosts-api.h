/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hosts API (hyper-hosts.socket). */

#include "api/http/router.h"
#include "api/stream/websocket.h"

extern const Dialect hosts_dialect;

/* /ws */
extern const WebSocketProtocol hosts_websocket;
