/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-managerd: started by the bus, owns org.hyper1. */

#include <signal.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/manager-life.h"
#include "manager/manager-reload.h"
#include "manager/restore.h"
#include "manager/systemd-version.h"
#include "shared/daemon-arguments.h"
#include "shared/daemon.h"

static const char *arg_state_directory = STATEDIR;
static const char *arg_runtime_directory = "/run/hyper-jobs";
static const char *arg_config_directory = SYSCONFDIR "/hyper";
static bool arg_pending;

static const DaemonOption program_options[] = {
        DAEMON_CONFIG_DIRECTORY(arg_config_directory),
        { .name = "state-directory",
                        .value_name = "PATH",
                        .value = &arg_state_directory,
                        .help = "Where the database and the jobs' directories are" },
        { .name = "runtime-directory",
                        .value_name = "PATH",
                        .value = &arg_runtime_directory,
                        .help = "Where the jobs' root directories are made" },
        { .name = "pending",
                        .flag = &arg_pending,
                        .help = "Only say whether there is anything to do after a boot: exit status 0 if "
                                "so, else 1" },
        {},
};

static const DaemonProgram program = {
        .name = "hyper-managerd",
        .about = "Owns org.hyper1 on the system bus: the database, the queue and the units of migration "
                 "jobs.\n"
                 "The bus starts it when it is called, and it ends when it has nothing to do.",
        .options = program_options,
};

static int on_hangup(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        _cleanup_free_ char *why = NULL;

        daemon_reload_begin();
        int r = manager_reload(userdata, &why);
        daemon_reload_end(r, why);
        return 0;
}

static int run(void) {
        const Daemon daemon = { .program = "hyper-managerd",
                .bus_name = HYPER_BUS_NAME,
                .config_directory = arg_config_directory,
                .state_directory = arg_state_directory,
                .ending = "Stopping; running jobs go on." };
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_(manager_freep) Manager *m = NULL;
        _cleanup_(settings_freep) Settings *settings = NULL;
        int r = daemon_configure(&daemon, &settings);

        if (r != 0)
                return r;
        r = store_open(settings->database.path, STORE_OWNER, &store);
        if (r < 0)
                return daemon_refuse_database(&daemon, settings->database.path, r);
        r = daemon_set_up(&daemon, &event, &bus);
        if (r < 0)
                return r;
        const ManagerOptions options = {
                .event = event,
                .bus = bus,
                .store = store,
                .settings = TAKE_PTR(settings),
                .clock = now_realtime,
                .state_directory = arg_state_directory,
                .runtime_directory = arg_runtime_directory,
                .config_directory = arg_config_directory,
        };
        r = manager_new(&options, &m);
        if (r >= 0)
                r = daemon_on_signal(event, SIGHUP, on_hangup, m);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        m->systemd_version = systemd_version_ask(bus);
        r = manager_start(m);
        return r < 0 ? r : sd_event_loop(event);
}

/* For ExecCondition=: whether a boot has to start the manager. What cannot be read is the manager's to
 * complain about. */
static int pending(void) {
        _cleanup_(settings_freep) Settings *settings = NULL;
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_free_ char *why = NULL;
        bool needed;
        int r;

        r = settings_load_for(arg_config_directory, arg_state_directory, &settings, &why);
        if (r < 0)
                return EXIT_SUCCESS;
        r = store_open(settings->database.path, STORE_READER, &store);
        if (r == -ENOENT)
                return EXIT_FAILURE;
        if (r >= 0)
                r = restore_is_needed(store, arg_state_directory, &needed);
        return r < 0 || needed ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[]) {
        int r;

        log_open("hyper-managerd");
        r = daemon_parse_arguments(&program, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (arg_pending)
                return pending();
        /* The API reads the database by group; nobody else reads anything. */
        umask(0027);
        r = run();
        return r < 0 ? EXIT_FAILURE : r;
}
