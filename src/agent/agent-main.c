/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-agentd: the worker of a server on another machine. */

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/agent-service.h"
#include "agent/check.h"
#include "agent/one-job.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/daemon-arguments.h"
#include "shared/daemon.h"
#include "spec/job-spec.h"

#define CONFIG_FILE SYSCONFDIR "/hyper/agent.yaml"
#define AGENT_STATE STATEDIR "-agent"
#define AGENT_JOB_STATE STATEDIR "-agent-job"

static const char *arg_config = CONFIG_FILE;
static const char *arg_job;
static bool arg_check;

static const DaemonOption options[] = {
        { "check", .flag = &arg_check,
                        .help = "Check the configuration and the connection, show what would be registered, "
                                "and end" },
        { "config", "FILE", .value = &arg_config, .help = "Another configuration file" },
        { "job", "ID", .value = &arg_job,
                        .help = "Take this job of the server only, and end with its status" },
        {},
};

static const DaemonProgram program = {
        .name = "hyper-agentd",
        .about = "Works for a hyper server on another machine: takes migration jobs from its queue, has the "
                 "manager of\n"
                 "this machine carry them out, and reports how they go on and end.",
        .options = options,
};

static int on_terminate(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        (void) sd_notify(false, "STOPPING=1\nSTATUS=Ending; jobs that are begun go on.");
        return sd_event_exit(sd_event_source_get_event(s), EXIT_SUCCESS);
}

/* Takes @settings over. */
static int serve(sd_event *event, sd_bus *bus, AgentSettings *settings) {
        _cleanup_(agent_settings_freep) AgentSettings *given = settings;
        _cleanup_(agent_service_freep) AgentService *service = NULL;
        const char *state = getenv("STATE_DIRECTORY");
        _cleanup_free_ char *directory = strprintf("%s/jobs", state ? state : AGENT_STATE);
        const AgentServiceOptions service_options = { .event = event,
                .bus = bus,
                .config = arg_config,
                .credentials = getenv("CREDENTIALS_DIRECTORY"),
                .directory = directory };
        int r = directory ? mkdir_parents(directory, 0700) : -ENOMEM;

        if (r < 0)
                return log_error_errno(r, "Failed to make %s: %m", strna(directory));
        r = daemon_on_end(event, on_terminate, NULL);
        if (r >= 0)
                r = sd_event_set_watchdog(event, true);
        if (r >= 0)
                r = agent_service_new(&service_options, given, &service);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        TAKE_PTR(given);
        (void) sd_notify(false, "READY=1");
        return sd_event_loop(event);
}

static int on_stop_job(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        (void) sd_notify(false, "STOPPING=1\nSTATUS=Cancelling the job.");
        one_job_stop(userdata);
        return 0;
}

/* As a worker of its own, with a directory of its own, which is locked against another one of the job. */
static int serve_job(sd_event *event, sd_bus *bus, AgentSettings *settings) {
        const char *state = getenv("STATE_DIRECTORY");
        _cleanup_free_ char *directory = strprintf("%s/%s", state ? state : AGENT_JOB_STATE, arg_job),
                            *worker = one_job_worker(settings->worker.id, arg_job);
        _cleanup_(agent_freep) Agent *a = NULL;
        _cleanup_close_ int lock = -EBADF;
        const AgentOptions o = {
                .event = event, .bus = bus, .settings = settings, .directory = directory, .only_job = arg_job
        };
        int r = directory && worker ? mkdir_parents(directory, 0700) : -ENOMEM;

        if (r < 0)
                return log_error_errno(r, "Failed to make %s: %m", strna(directory));
        lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0) {
                log_error_errno(errno,
                                "Another hyper-agentd carries out job %s here, or %s cannot be locked: %m",
                                arg_job, directory);
                return EX_TEMPFAIL;
        }
        free(settings->worker.id);
        settings->worker.id = TAKE_PTR(worker);
        settings->worker.max_jobs = 1;
        r = agent_new(&o, &a);
        if (r >= 0)
                r = daemon_on_end(event, on_stop_job, a);
        if (r >= 0)
                r = sd_event_set_watchdog(event, true);
        if (r >= 0)
                r = one_job_start(a);
        if (r >= 0)
                r = agent_start(a);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        (void) sd_notify(false, "READY=1");
        r = sd_event_loop(event);
        (void) rmdir(directory); /* unless a job is still held */
        return r;
}

static int run(void) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(agent_settings_freep) AgentSettings *settings = NULL;
        _cleanup_free_ char *why = NULL;
        int r = agent_settings_load(arg_config, getenv("CREDENTIALS_DIRECTORY"), &settings, &why);

        if (r < 0) {
                log_error("%s", why ? why : "Out of memory.");
                return r == -ENOMEM ? r : EX_CONFIG;
        }
        if (arg_job && !job_id_is_valid(arg_job)) {
                log_error("--job=%s: this is not the ID of a job.", arg_job);
                return EX_USAGE;
        }
        r = sd_event_default(&event);
        if (r < 0)
                return log_error_errno(r, "Failed to make an event loop: %m");
        r = daemon_open_bus(event, &bus);
        if (r < 0)
                return r;
        if (arg_job && !arg_check)
                return serve_job(event, bus, settings);
        return arg_check ? agent_check(event, bus, settings) : serve(event, bus, TAKE_PTR(settings));
}

int main(int argc, char *argv[]) {
        int r;

        log_open("hyper-agentd");
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
