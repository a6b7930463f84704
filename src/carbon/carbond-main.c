/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-carbond: started by the bus, owns org.hyper1.Carbon. */

#include <curl/curl.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "carbon/carbond.h"
#include "shared/bus-util.h"
#include "shared/daemon-arguments.h"
#include "shared/daemon.h"

static const char *arg_config_directory = SYSCONFDIR "/hyper";

static const DaemonOption program_options[] = {
        DAEMON_CONFIG_DIRECTORY(arg_config_directory),
        {},
};

static const DaemonProgram program = {
        .name = "hyper-carbond",
        .about = "Owns org.hyper1.Carbon on the system bus: the carbon intensity of the grid.\n"
                 "The bus starts it when it is called. It exits when no call has come for some seconds.",
        .options = program_options,
};

static int run(void) {
        const Daemon daemon = { .program = "hyper-carbond",
                .bus_name = HYPER_CARBON_BUS_NAME,
                .config_directory = arg_config_directory,
                .state_directory = STATEDIR,
                .ending = "Ending." };
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(carbond_freep) Carbond *c = NULL;
        _cleanup_(settings_freep) Settings *settings = NULL;
        int r = daemon_configure(&daemon, &settings);

        if (r != 0)
                return r;
        r = daemon_set_up(&daemon, &event, &bus);
        if (r < 0)
                return r;
        const CarbondOptions options = { .event = event,
                .bus = bus,
                .config_directory = arg_config_directory,
                .cache_directory = getenv("CACHE_DIRECTORY"),
                .credentials_directory = getenv("CREDENTIALS_DIRECTORY"),
                .clock = now_realtime,
                .settings = TAKE_PTR(settings) };
        r = carbond_new(&options, &c);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        r = sd_bus_request_name(bus, HYPER_CARBON_BUS_NAME, 0);
        if (r < 0)
                return log_error_errno(r, "Failed to get the name %s on the bus: %m", HYPER_CARBON_BUS_NAME);
        (void) sd_notify(false, "READY=1");
        return sd_event_loop(event);
}

int main(int argc, char *argv[]) {
        int r;

        log_open("hyper-carbond");
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
