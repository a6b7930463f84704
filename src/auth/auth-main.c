/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-auth: one login to the v1 API. systemd starts it for each connection of hyper-apid to
 * hyper-auth.socket. */

#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "auth/auth.h"
#include "basic/log.h"
#include "shared/daemon-arguments.h"
#include "shared/role.h"

static const DaemonProgram program = {
        .name = "hyper-auth",
        .about = "Checks one login to the HTTP API with PAM. It is started by systemd when hyper-apid\n"
                 "connects to hyper-auth.socket.",
};

static int open_bus(sd_bus **ret) {
        return sd_bus_open_system_with_description(ret, "hyper-auth");
}

static int serve(int fd) {
        const Auth auth = { .open_bus = open_bus, .role_of_login = role_of_login };
        _cleanup_(auth_request_done) AuthRequest request = {};
        _cleanup_(auth_answer_done) AuthAnswer answer = {};
        int r = auth_read_request(fd, &request);

        if (r < 0)
                return log_error_errno(r, "Failed to read the request: %m");
        r = auth_decide(&auth, &request, &answer);
        if (r < 0)
                return log_error_errno(r, "Failed to check the login: %m");
        r = auth_write_answer(fd, &answer);
        return r < 0 ? log_error_errno(r, "Failed to send the answer: %m") : 0;
}

int main(int argc, char *argv[]) {
        int r, n;

        log_open("hyper-auth");
        r = daemon_parse_arguments(&program, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        /* Neither this process nor what a module starts leaves the password in a file. */
        if (setrlimit(RLIMIT_CORE, &(struct rlimit){}) < 0)
                return log_error_errno(-errno, "Failed to forbid core dumps: %m"), EXIT_FAILURE;
        n = sd_listen_fds(/* unset_environment= */ true);
        if (n != 1) {
                log_error("hyper-auth serves one connection that systemd hands it. See hyper-auth(8).");
                return EXIT_FAILURE;
        }
        return serve(SD_LISTEN_FDS_START) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
