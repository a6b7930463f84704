/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-apid: takes the sockets from systemd, serves a dialect on each, and leaves when nobody asks. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "api/access/peer.h"
#include "api/api-bus.h"
#include "api/api.h"
#include "api/hosts/hosts-routes.h"
#include "api/http/router.h"
#include "api/hypersdk/hypersdk-routes.h"
#include "api/v1/v1-routes.h"
#include "api/worker/worker-routes.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/daemon-arguments.h"
#include "shared/daemon.h"
#include "shared/settings.h"
#include "tls/tls-pair.h"

/* What is served on which sockets: by the FileDescriptorName= of the socket unit. */
static const Dialect *const dialects[] = {
        &hypersdk_dialect,
        &worker_dialect,
        &hosts_dialect,
        &v1_dialect,
};

static const Dialect *dialect_by_fd_name(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(dialects); i++)
                if (streq(dialects[i]->fd_name, name))
                        return dialects[i];
        return NULL;
}

static bool print_routes;
static const DaemonOption options[] = {
        { .name = "routes",
                        .flag = &print_routes,
                        .help = "Show each route, and the scope that it requires" },
        {},
};

static const DaemonProgram program = {
        .name = "hyper-apid",
        .options = options,
        .about = "The HTTP API of hyper. It is started by systemd when a client connects to one of its "
                 "sockets\n"
                 "(systemctl start hyper.socket), and leaves when nobody has asked for anything for a "
                 "while.",
};

#define CONFIG_DIRECTORY SYSCONFDIR "/hyper"

/* With a wrong configuration each request is answered with what is wrong, for so long; then we end, and the
 * next request has it read again. To fail instead would have systemd give up on the sockets. */
#define REFUSE_TIME (5 * USEC_PER_SEC)

static int load_settings(Settings **ret, char **ret_refusal) {
        _cleanup_free_ char *error = NULL;
        _cleanup_(settings_freep) Settings *settings = NULL;
        int r, level;

        r = settings_load(CONFIG_DIRECTORY, &settings, &error);
        if (r == -ENOMEM)
                return log_oom();
        if (r < 0) {
                *ret_refusal = strprintf("The configuration is not valid: %s. The API answers again when "
                                         "that is mended.",
                                error ? error : strerror(-r));
                settings = settings_new();
                if (!*ret_refusal || !settings)
                        return log_oom();
                log_error("%s", *ret_refusal);
        }

        level = settings->daemon.log_level ? log_level_from_string(settings->daemon.log_level) : -EINVAL;
        if (level >= 0)
                log_set_max_level(level);

        *ret = TAKE_PTR(settings);
        return 0;
}

static void show_routes(void) {
        for (size_t i = 0; i < ELEMENTSOF(dialects); i++)
                for (const Route *route = dialects[i]->routes; route->handler; route++)
                        printf("%s %s %s %s\n", dialects[i]->fd_name, http_method_to_string(route->method),
                                        route->path,
                                        route->scope == SCOPE_PUBLIC ? "public"
                                                                     : scope_to_string(route->scope));
}

/* 0 if there is no certificate that can be used: then the others are served without this one. */
static int load_certificate(const char *name, TlsPair *ret) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_tls_pair_ TlsPair p = {};
        _cleanup_free_ char *why = NULL;
        int r = directory ? tls_pair_read(directory, &p, &why) : -ENOENT;

        if (r >= 0)
                r = tls_pair_check_time(&p, now_realtime(), &why);
        if (r == -ENOMEM)
                return log_oom();
        if (r < 0) {
                log_error("%s.socket is not served: %s. See hyper-certificate(8).", name,
                                why ? why : "there is no certificate");
                return 0;
        }
        log_debug("%s.socket has the certificate with the SHA-256 fingerprint %s.", name, p.fingerprint);
        *ret = p;
        p = (TlsPair){};
        return 1;
}

static int refuse(Api *api, int fd, const char *name) {
        int r = api_refuse_socket(api, fd);

        return r < 0 ? log_error_errno(r, "Failed to refuse clients of %s.socket: %m", name) : 0;
}

static int serve(Api *api, int fd, const char *name) {
        const Dialect *dialect = dialect_by_fd_name(name);
        _cleanup_tls_pair_ TlsPair tls = {};
        _cleanup_close_ int again = -EBADF;
        int r;

        if (peer_socket_is_valid(fd)) {
                api_take_peer_socket(api, fd);
                return 0;
        }
        if (!dialect) {
                log_error("No API is known for a socket named \"%s\"; see FileDescriptorName= of the socket "
                          "unit "
                          "that started this.",
                                name);
                return -EINVAL;
        }

        r = sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, /* listening= */ 1);
        if (r == 0) {
                log_error("%s.socket: what was passed is not a listening stream socket (ListenStream=).",
                                name);
                return -EINVAL;
        }
        if (r < 0)
                return log_error_errno(r, "Failed to look at a socket of %s.socket: %m", name);

        if (dialect->tls) {
                r = load_certificate(name, &tls);
                if (r <= 0)
                        return r < 0 ? r : refuse(api, fd, name);
        }
        again = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (again < 0)
                return log_error_errno(-errno, "Failed to copy a socket of %s.socket: %m", name);
        r = api_add_listener(api, dialect, fd, dialect->tls ? &tls : NULL);
        if (r == -EADDRNOTAVAIL) {
                log_error("Refusing to serve %s.socket: one of its addresses can be reached from other "
                          "machines, "
                          "and there is no API key that a request from there could come with. Make one "
                          "('hyperctl key add'), or change its ListenStream= to an address in 127.0.0.0/8, "
                          "[::1] "
                          "or a unix socket ('systemctl edit %s.socket'); then 'systemctl restart "
                          "%s.socket'.",
                                name, name, name);
                return refuse(api, TAKE_FD(again), name);
        }
        if (r < 0)
                return log_error_errno(r, "Failed to serve %s.socket: %m", name);
        if (r > 0 && !dialect->tls)
                log_notice("%s.socket can be reached from other machines. Each request needs an API key, "
                           "but "
                           "nothing is encrypted: see hyper-apid(8).",
                                name);
        return 0;
}

static int serve_all(Api *api, bool anybody) {
        _cleanup_strv_free_ char **names = NULL;
        int n, r;

        n = sd_listen_fds_with_names(/* unset_environment= */ true, &names);
        if (n < 0)
                return log_error_errno(n, "Failed to take the sockets from systemd: %m");
        if (n == 0) {
                log_error("hyper-apid serves the sockets systemd hands it, and got none. "
                          "Start it with 'systemctl start hyper.socket'.");
                return -ENOTCONN;
        }

        for (int i = 0; i < n; i++) {
                r = serve(api, SD_LISTEN_FDS_START + i, names[i]);
                if (r < 0)
                        return r;
        }
        if (anybody)
                log_notice("api.local is \"anybody\" in the configuration: each user of this machine is "
                           "admin here, and "
                           "may have files written as root.");
        else if (!api_has_peer_socket(api))
                log_warning("There is no socket to ask the kernel on, so clients over TCP have no identity, "
                            "and are "
                            "refused without an API key. Start it with 'systemctl restart hyper.socket' "
                            "(hyper-peers.socket).");
        return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        log_debug("Asked to stop, finishing the answers in flight.");
        (void) sd_notify(0, "STOPPING=1");
        api_shutdown(userdata, 0);
        return 0;
}

static int add_signals(sd_event *event, Api *api) {
        static const int signals[] = { SIGTERM, SIGINT };
        sigset_t mask;
        int r;

        /* A client that goes away is no reason to die. */
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                return -errno;

        sigemptyset(&mask);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                sigaddset(&mask, signals[i]);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                r = sd_event_add_signal(event, NULL, signals[i], on_signal, api);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int on_refused_enough(sd_event_source *source, uint64_t usec, void *userdata) {
        api_shutdown(userdata, 0);
        return 0;
}

static int run(void) {
        _cleanup_free_ char *refusal = NULL;
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(settings_freep) Settings *settings = NULL;
        _cleanup_(api_freep) Api *api = NULL;
        _cleanup_(api_bus_freep) ApiBus *bus = NULL;
        ApiConfig config;
        int r;

        r = load_settings(&settings, &refusal);
        if (r < 0)
                return r;
        r = sd_event_default(&event);
        if (r < 0)
                return log_error_errno(r, "Failed to make an event loop: %m");
        config = api_config_from_settings(settings);
        config.hosts_database = STATEDIR "-hosts/hosts.db";
        config.cache_directory = getenv("CACHE_DIRECTORY");
        config.refusal = refusal;
        r = api_new(event, &config, &api);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        if (refusal)
                r = sd_event_add_time_relative(
                                event, NULL, CLOCK_MONOTONIC, REFUSE_TIME, 0, on_refused_enough, api);
        if (r >= 0)
                r = add_signals(event, api);
        if (r < 0)
                return log_error_errno(r, "Failed to watch for signals: %m");
        r = serve_all(api, settings->api.local == LOCAL_ANYBODY);
        if (r < 0)
                return r;
        if (!refusal) {
                r = api_bus_new(api, NULL, CONFIG_DIRECTORY, settings, &bus);
                if (r < 0)
                        return log_error_errno(r, "Failed to set up: %m");
                TAKE_PTR(settings);
        }
        r = sd_event_set_watchdog(event, true);
        if (r < 0)
                log_warning_errno(r, "Failed to set up the watchdog: %m");

        (void) sd_notify(0, "READY=1");
        r = sd_event_loop(event);
        (void) sd_notify(0, "STOPPING=1");
        if (r < 0)
                return log_error_errno(r, "The event loop failed: %m");
        return r;
}

int main(int argc, char *argv[]) {
        int r;

        log_open("hyper-apid");
        r = daemon_parse_arguments(&program, argc, argv);
        if (r <= 0)
                return r < 0 ? EX_USAGE : EXIT_SUCCESS;
        if (print_routes) {
                show_routes();
                return EXIT_SUCCESS;
        }

        r = run();
        /* EX_CONFIG: starting again would not help (RestartPreventExitStatus= of hyper.service). */
        if (r == -EBADMSG || r == -EINVAL)
                return EX_CONFIG;
        return r < 0 ? EXIT_FAILURE : r;
}
