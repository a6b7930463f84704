/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How long a worker holds a job. */

#include "basic/time-util.h"

/* A worker that was not heard from for so long has lost its jobs. */
#define WORKER_LEASE (300 * USEC_PER_SEC)
/* A worker begins a job without a time limit within this time and a lease, or loses it. */
#define WORKER_BEGIN_TIME (7200 * USEC_PER_SEC)
