/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bytes per second over the last few seconds, from positions that are noted now and then. */

#include "basic/time-util.h"

#define RATE_SAMPLES 16
#define RATE_WINDOW (5 * USEC_PER_SEC)

typedef struct RateMeter {
        struct {
                usec_t time;
                uint64_t position;
        } samples[RATE_SAMPLES];
        unsigned first, n;
} RateMeter;

static inline uint64_t rate_meter_update(RateMeter *m, usec_t now, uint64_t position) {
        while (m->n > 1 && (m->n == RATE_SAMPLES || now - m->samples[m->first].time > RATE_WINDOW)) {
                m->first = (m->first + 1) % RATE_SAMPLES;
                m->n--;
        }
        unsigned next = (m->first + m->n++) % RATE_SAMPLES;
        m->samples[next].time = now;
        m->samples[next].position = position;

        usec_t span = now - m->samples[m->first].time;
        uint64_t moved = position - m->samples[m->first].position;
        return span > 0 ? (uint64_t) ((double) moved / (double) span * (double) USEC_PER_SEC) : 0;
}
