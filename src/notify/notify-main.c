/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-notifyd: started by the manager or a timer when a delivery to a webhook is due. */

#include <curl/curl.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "notify/notifier.h"
#include "shared/daemon-arguments.h"
#include "shared/daemon.h"

static const DaemonProgram program = {
        .name = "hyper-notifyd",
        .about = "Delivers events of migration jobs to webhooks. hyper-managerd has it started when "
                 "something is due,\n"
                 "and it ends when there is nothing to do.",
};

static int on_terminate(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        notifier_end(userdata, "it was asked to");
        return 0;
}

static void notifier_freep(Notifier **n) {
        notifier_free(*n);
}

static int run(void) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(notifier_freep) Notifier *n = NULL;
        int r = sd_event_default(&event);

        if (r < 0)
                return log_error_errno(r, "Failed to make an event loop: %m");
        r = daemon_open_bus(event, &bus);
        if (r < 0)
                return r;
        const NotifierOptions options = {
                .event = event,
                .bus = bus,
                .credentials_directory = getenv("CREDENTIALS_DIRECTORY"),
        };
        r = notifier_new(&options, &n);
        if (r >= 0)
                r = daemon_on_end(event, on_terminate, n);
        if (r >= 0)
                r = sd_event_set_watchdog(event, true);
        if (r >= 0)
                r = notifier_start(n);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        (void) sd_notify(false, "READY=1\nSTATUS=Delivering to webhooks.");
        return sd_event_loop(event);
}

int main(int argc, char *argv[]) {
        int r;

        log_open("hyper-notifyd");
        r = daemon_parse_arguments(&program, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
                log_error("Failed to set up libcurl.");
                return EXIT_FAILURE;
        }
        r = run();
        curl_global_cleanup();
        return r < 0 ? EXIT_FAILURE : r;
}
