/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-hostd: started by the bus, owns org.hyper1.Hosts. */

#include <jansson.h>
#include <libxml/parser.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/hostd.h"
#include "hosts/hosts-reload.h"
#include "shared/daemon-arguments.h"
#include "shared/daemon.h"

static const char *arg_state_directory = STATEDIR "-hosts";
static const char *arg_config_directory = SYSCONFDIR "/hyper";

static const DaemonOption program_options[] = {
        DAEMON_CONFIG_DIRECTORY(arg_config_directory),
        { .name = "state-directory",
                        .value_name = "PATH",
                        .value = &arg_state_directory,
                        .help = "Where the database and the ssh key are" },
        {},
};

static const DaemonProgram program = {
        .name = "hyper-hostd",
        .about = "Owns org.hyper1.Hosts on the system bus: libvirt hosts and their virtual machines.\n"
                 "The bus starts it when it is called. It stays while there is a host.",
        .options = program_options,
};

static int on_hangup(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        _cleanup_free_ char *why = NULL;

        daemon_reload_begin();
        int r = hosts_reload(userdata, &why);
        daemon_reload_end(r, why);
        return 0;
}

static int run(void) {
        const Daemon daemon = { .program = "hyper-hostd",
                .bus_name = HYPER_HOSTS_BUS_NAME,
                .config_directory = arg_config_directory,
                .state_directory = STATEDIR,
                .ending = "Stopping; the VMs go on." };
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_(hosts_freep) Hosts *h = NULL;
        _cleanup_(settings_freep) Settings *settings = NULL;
        _cleanup_free_ char *path = strprintf("%s/hosts.db", arg_state_directory);
        int r = path ? daemon_configure(&daemon, &settings) : log_oom();

        if (r != 0)
                return r;
        r = store_open_hosts(path, STORE_OWNER, &store);
        if (r < 0)
                return daemon_refuse_database(&daemon, path, r);
        r = daemon_set_up(&daemon, &event, &bus);
        if (r < 0)
                return r;
        const HostsOptions options = {
                .event = event,
                .bus = bus,
                .store = store,
                .settings = TAKE_PTR(settings),
                .state_directory = arg_state_directory,
                .config_directory = arg_config_directory,
        };
        r = hosts_new(&options, &h);
        if (r >= 0)
                r = daemon_on_signal(event, SIGHUP, on_hangup, h);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        r = hosts_start(h);
        if (r < 0)
                return r;
        (void) sd_notify(false, "READY=1");
        return sd_event_loop(event);
}

int main(int argc, char *argv[]) {
        int r;

        log_open("hyper-hostd");
        r = daemon_parse_arguments(&program, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        /* The API reads the database through its group; other users have no access. */
        umask(0027);
        /* Both are used by threads later. */
        xmlInitParser();
        json_object_seed(0);
        r = run();
        /* A thread may still be in a call of libvirt's that does not come back: nothing waits for it. */
        (void) fflush(NULL);
        _Exit(r < 0 ? EXIT_FAILURE : r);
}
