/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /ws of the hosts API. */

#include "api/stream/websocket.h"

extern const WebSocketProtocol hosts_websocket;
