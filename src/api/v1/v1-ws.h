/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /ws of v1: what happens to jobs, schedules and this machine, for clients that follow it. */

#include "api/stream/websocket.h"
#include "api/v1/v1-subscription.h"

int v1_open_websocket(Request *r);
