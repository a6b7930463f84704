/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdlib.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/daemon.h"

int daemon_on_signal(sd_event *event, int signal, sd_event_signal_handler_t handler, void *userdata) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, signal);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        return sd_event_add_signal(event, NULL, signal, handler, userdata);
}

int daemon_on_end(sd_event *event, sd_event_signal_handler_t handler, void *userdata) {
        int r = daemon_on_signal(event, SIGTERM, handler, userdata);

        return r < 0 ? r : daemon_on_signal(event, SIGINT, handler, userdata);
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        log_error("The connection to the bus was lost; ending to be started again.");
        return sd_event_exit(userdata, EXIT_FAILURE);
}

int daemon_open_bus(sd_event *event, sd_bus **ret) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r = sd_bus_open_system(&bus);

        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, event);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return log_error_errno(r, "Failed to connect to the system bus: %m");
        *ret = TAKE_PTR(bus);
        return 0;
}

int daemon_load_settings(const char *directory, Settings **ret, char **ret_why) {
        _cleanup_free_ char *why = NULL;
        int r = settings_load(directory, ret, &why);

        if (r == -ENOMEM)
                return log_oom();
        if (r < 0) {
                *ret_why = why ? TAKE_PTR(why) : strdup(strerror(-r));
                return -EBADMSG;
        }
        int level = log_level_from_string(strempty((*ret)->daemon.log_level));
        if (level >= 0)
                log_set_max_level(level);
        return 0;
}
