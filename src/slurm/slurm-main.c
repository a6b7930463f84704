/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-slurmd: started by the manager when there are jobs that Slurm is to place. */

#include <curl/curl.h>
#include <fcntl.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/daemon-arguments.h"
#include "shared/daemon.h"
#include "slurm/handover.h"

#define TOKEN_MAX ((size_t) 16384)
#define APPLICATION SD_ID128_MAKE(3f, 5b, 0c, 7e, 91, 1d, 4a, 62, 8e, d4, 27, a0, 6b, c8, 15, 93)

static const char *arg_config_directory = SYSCONFDIR "/hyper";

static const DaemonOption program_options[] = {
        DAEMON_CONFIG_DIRECTORY(arg_config_directory),
        {},
};

static const DaemonProgram program = {
        .name = "hyper-slurmd",
        .about = "Hands jobs over to Slurm. hyper-managerd has it started when there are such jobs, and it "
                 "ends\n"
                 "when Slurm has none of them any more.",
        .options = program_options,
};

/* Of the two files that systemd may have made of it, the encrypted one wins. -ENOENT: there is none. */
static int read_token(const char *directory, char **ret) {
        static const char *const names[] = { "hyper.slurm-token", "hyper.slurm-token.plain" };

        for (size_t i = 0; directory && i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = strprintf("%s/%s", directory, names[i]), *text = NULL;
                int r = path ? read_file_at(AT_FDCWD, path, TOKEN_MAX, &text, NULL) : -ENOMEM;

                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                text[strcspn(text, "\r\n")] = '\0';
                if (isempty(text))
                        continue;
                for (const char *p = text; *p; p++)
                        if (*p <= ' ' || *p > '~')
                                return -EBADMSG;
                *ret = TAKE_PTR(text);
                return 0;
        }
        return -ENOENT;
}

/* Several servers may use one Slurm. */
static char *make_prefix(void) {
        sd_id128_t id;

        if (sd_id128_get_machine_app_specific(APPLICATION, &id) < 0)
                return NULL;
        return strprintf("hyper:%016llx:", (unsigned long long) be64toh(id.qwords[0]));
}

static int configure(Settings **ret, char **ret_token) {
        _cleanup_free_ char *why = NULL;
        int level, r = settings_load(arg_config_directory, ret, &why);

        if (r < 0) {
                log_error("The configuration is not in force: %s", strna(why));
                return EX_CONFIG;
        }
        if (!(*ret)->slurm.url) {
                log_error("slurm.url is not set in the configuration, so no job is handed over to Slurm.");
                return EX_CONFIG;
        }
        level = log_level_from_string(strempty((*ret)->daemon.log_level));
        if (level >= 0)
                log_set_max_level(level);
        r = read_token(getenv("CREDENTIALS_DIRECTORY"), ret_token);
        if (r < 0) {
                log_error_errno(r,
                                "Failed to read the token for slurmrestd, which is in "
                                "/etc/credstore/hyper.slurm-token or, encrypted, in "
                                "/etc/credstore.encrypted/hyper.slurm-token: %m");
                return EX_CONFIG;
        }
        return 0;
}

static int run(void) {
        const Daemon daemon = { .program = "hyper-slurmd",
                .config_directory = arg_config_directory,
                .state_directory = STATEDIR,
                .ending = "Ending." };
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(handover_freep) Handover *h = NULL;
        _cleanup_(settings_freep) Settings *settings = NULL;
        _cleanup_free_ char *token = NULL, *prefix = make_prefix();
        int r = configure(&settings, &token);

        if (r != 0)
                return r;
        if (!prefix)
                return log_error_errno(-ENOENT, "Failed to read the ID of this machine.");
        r = daemon_set_up(&daemon, &event, &bus);
        if (r < 0)
                return r;
        const HandoverOptions options = {
                .event = event, .bus = bus, .prefix = prefix, .token = token, .settings = TAKE_PTR(settings)
        };
        r = handover_new(&options, &h);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        (void) sd_notify(false, "READY=1\nSTATUS=Handing jobs over to Slurm.");
        return sd_event_loop(event);
}

int main(int argc, char *argv[]) {
        int r;

        log_open("hyper-slurmd");
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
