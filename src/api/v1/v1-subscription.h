/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a client of the WebSocket wants to hear of. Pure. */

#include <stddef.h>
#include <stdint.h>

#include "json/json-table.h"

typedef enum V1Topic {
        V1_TOPIC_JOBS,
        V1_TOPIC_METRICS,
        V1_TOPIC_ALERTS,
        V1_TOPIC_SCHEDULES,
        V1_TOPIC_UPLOADS,
        _V1_TOPIC_MAX,
} V1Topic;

typedef struct V1Subscription {
        uint32_t topics; /* mask of 1u << V1Topic */
        char **job_ids; /* NULL: all */
} V1Subscription;

void v1_subscription_done(V1Subscription *s);

/* Reads {"type": "subscribe", "topics": […], "job_ids": […]}; without topics, all. 0 with *ret; -EBADMSG with
 * @errors; -ENOMEM. */
int v1_subscription_decode(const char *text, size_t size, V1Subscription *ret, JsonErrors *errors);
