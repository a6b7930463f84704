/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The WebSocket of the HyperSDK API, /ws: what happens, as it happens. A client gets "jobs" (the newest
 * ones) and "status" when it comes, "status" again every two seconds, "job_update" when a job has changed: at
 * once, but at most ten times a second for one job, and never without the last change; and "schedule_event"
 * as schedules are triggered and their jobs end. Everything is read and worded once for all clients, and
 * nothing at all while there is none. */

#include "api/stream/websocket.h"

extern const WebSocketProtocol hypersdk_websocket;
