/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent-util.h"

#include <sys/random.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"

void agent_fail(Agent *a, int error, const char *what) {
        log_error_errno(error, "%s: %m. Ending, to be started again.", what);
        (void) sd_event_exit(a->event, EXIT_FAILURE);
}

usec_t agent_jitter(usec_t span) {
        uint32_t random;

        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t) sizeof(random))
                random = 500;
        return span / 2 + span * (random % 1001) / 1000;
}

void agent_status(const Agent *a) {
        const char *plural = a->n_held == 1 ? "" : "s";

        if (a->link == LINK_UP)
                (void) sd_notifyf(false, "STATUS=%zu job%s, connected to %s as %s", a->n_held, plural,
                                a->settings->server.url, a->settings->worker.id);
        else if (a->link_error)
                (void) sd_notifyf(false, "STATUS=%zu job%s, not connected to %s: %s", a->n_held, plural,
                                a->settings->server.url, a->link_error);
        else
                (void) sd_notifyf(false, "STATUS=%zu job%s, connecting to %s", a->n_held, plural,
                                a->settings->server.url);
}
