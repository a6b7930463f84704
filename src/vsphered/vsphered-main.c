/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-vsphered: started by the bus, owns org.hyper1.VSphere. */

#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "shared/daemon-arguments.h"
#include "shared/daemon.h"
#include "vsphered/session-store.h"
#include "vsphered/vsphered.h"

static const char *arg_config_directory = SYSCONFDIR "/hyper";

static const DaemonOption program_options[] = {
        DAEMON_CONFIG_DIRECTORY(arg_config_directory),
        {},
};

static const DaemonProgram program = {
        .name = "hyper-vsphered",
        .about = "Owns org.hyper1.VSphere on the system bus: virtual machines of vCenters and ESXi hosts.\n"
                 "The bus starts it when it is called. It exits when no session is open.",
        .options = program_options,
};

static int run(void) {
        const Daemon daemon = { .program = "hyper-vsphered",
                .bus_name = HYPER_VSPHERE_BUS_NAME,
                .config_directory = arg_config_directory,
                .state_directory = STATEDIR,
                .ending = "Logging out." };
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(vsphered_freep) Vsphered *v = NULL;
        _cleanup_(settings_freep) Settings *settings = NULL;
        int r = daemon_configure(&daemon, &settings);

        if (r != 0)
                return r;
        r = daemon_set_up(&daemon, &event, &bus);
        if (r < 0)
                return r;
        const VspheredOptions options = { .event = event, .bus = bus, .settings = TAKE_PTR(settings) };
        r = vsphered_new(&options, &v);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        session_store_end_old();
        r = sd_bus_request_name(bus, HYPER_VSPHERE_BUS_NAME, 0);
        if (r < 0)
                return log_error_errno(
                                r, "Failed to get the name %s on the bus: %m", HYPER_VSPHERE_BUS_NAME);
        (void) sd_notify(false, "READY=1");
        return sd_event_loop(event);
}

int main(int argc, char *argv[]) {
        int r;

        log_open("hyper-vsphered");
        r = daemon_parse_arguments(&program, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        r = run();
        /* A thread may still wait for a server that does not answer. */
        (void) fflush(NULL);
        _Exit(r < 0 ? EXIT_FAILURE : r);
}
