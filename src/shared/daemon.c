/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/daemon.h"
#include "shared/refuse.h"

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

static int on_terminate(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        (void) sd_notifyf(false, "STOPPING=1\nSTATUS=%s", (const char *) userdata);
        return sd_event_exit(sd_event_source_get_event(s), EXIT_SUCCESS);
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

int daemon_set_up(const Daemon *d, sd_event **ret_event, sd_bus **ret_bus) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        int r;

        r = sd_event_default(&event);
        if (r >= 0)
                r = daemon_on_end(event, on_terminate, (void *) d->ending);
        if (r >= 0)
                r = sd_event_set_watchdog(event, true);
        if (r < 0)
                return log_error_errno(r, "Failed to set up the event loop: %m");
        r = daemon_open_bus(event, ret_bus);
        if (r >= 0)
                *ret_event = TAKE_PTR(event);
        return r;
}

/* Nothing can be done before somebody has mended something. */
static int refuse(const Daemon *d, const char *what, const char *why) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_free_ char *text =
                        strprintf("%s: %s. %s can do nothing before that is mended.", what, why, d->program);
        int r;

        if (!text)
                return log_oom();
        log_error("%s", text);
        r = daemon_set_up(d, &event, &bus);
        return r < 0 ? r : refuse_run(event, bus, d->bus_name, d->config_directory, text);
}

static void take_log_level(const Settings *s) {
        int level = log_level_from_string(strempty(s->daemon.log_level));

        if (level >= 0)
                log_set_max_level(level);
}

int daemon_configure(const Daemon *d, Settings **ret) {
        _cleanup_free_ char *why = NULL;
        int r = settings_load_for(d->config_directory, d->state_directory, ret, &why);

        if (r == -ENOMEM)
                return log_oom();
        if (r < 0)
                return refuse(d, "The configuration is not valid", why ? why : strerror(-r));
        take_log_level(*ret);
        return 0;
}

int daemon_reload_settings(
                const char *config_directory, const char *state_directory, Settings **s, char **ret_why) {
        Settings *new = NULL;
        int r = settings_load_for(config_directory, state_directory, &new, ret_why);

        if (r < 0)
                return r;
        r = settings_keep_database(new, (*s)->database.path);
        if (r < 0) {
                settings_free(new);
                return r;
        }
        settings_free(*s);
        *s = new;
        take_log_level(new);
        return 0;
}

void daemon_reload_begin(void) {
        (void) sd_notify(false, "RELOADING=1");
}

void daemon_reload_end(int r, const char *why) {
        if (r < 0)
                log_error_errno(r, "Failed to read the configuration again, the old one stays in force: %s",
                                why ? why : strerror(-r));
        (void) sd_notify(false, "READY=1");
}

int daemon_refuse_database(const Daemon *d, const char *path, int error) {
        _cleanup_free_ char *why = strprintf("%s (%s)", path,
                        error == -EBADMSG ? "it is not a database of this version of hyper"
                                          : strerror(-error));

        return why ? refuse(d, "The database cannot be opened", why) : log_oom();
}
