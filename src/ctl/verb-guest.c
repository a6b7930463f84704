/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-guest.h"

#include <signal.h>
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/guest-view.h"
#include "ctl/inspection.h"
#include "ctl/job-view.h"
#include "ctl/submit-spec.h"
#include "ctl/verb-submit.h"
#include "ctl/watch.h"

/* A ^C that comes before the job has an ID waits for watch_jobs(), which cancels the job. */
static void block_signals(sigset_t *ret_old) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &set, ret_old);
}

static int submit_and_watch(Ctl *ctl, sd_bus **bus, json_t *spec, char **ret_id) {
        _cleanup_free_ char *id = NULL, *path = NULL;
        JsonMode json = ctl->args.json;
        sigset_t old;
        bool created;

        block_signals(&old);
        int status = submit_silently(ctl, *bus, spec, &id, &path, &created);
        if (status == EXIT_OK) {
                ctl->args.json = JSON_MODE_OFF; /* not the whole job */
                ctl->cancel_on_signal = true;
                status = watch_jobs(ctl, bus, (char *[]){ id, NULL });
                ctl->args.json = json;
        }
        (void) sigprocmask(SIG_SETMASK, &old, NULL);
        *ret_id = TAKE_PTR(id);
        return status;
}

/* Submits the job, and waits for its end, which ^C hastens. EXIT_OK with *ret_guest; or another ExitStatus,
 * which watch_jobs() has explained. */
static int run_job(Ctl *ctl, json_t *spec, json_t **ret_guest) {
        _cleanup_(json_decrefp) json_t *job = NULL;
        _cleanup_free_ char *id = NULL, *found = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;

        int status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = submit_and_watch(ctl, &bus, spec, &id);
        if (status == EXIT_OK)
                status = job_view_find(ctl, bus, id, &found, &job);
        if (status != EXIT_OK)
                return status;
        *ret_guest = json_incref(json_object_get(json_object_get(job, "result"), "guest"));
        if (*ret_guest)
                return EXIT_OK;
        log_error("The job %s has no description of the guest.", id);
        return EXIT_OTHER;
}

static int make_spec(Ctl *ctl, char **words, const char *operation, json_t **ret) {
        _cleanup_(json_decrefp) json_t *spec = json_object();
        Arguments options = ctl->args;

        if (!spec)
                return log_oom(), EXIT_OTHER;
        options.source = words[0];
        options.further_disks = words + 1;
        options.operation = operation;
        int status = submit_spec_apply(&options, spec, "");
        if (status == EXIT_OK)
                *ret = TAKE_PTR(spec);
        return status;
}

static int show_heading(Ctl *ctl, char **words) {
        _cleanup_free_ char *disks = strv_join(words, " ");

        return disks ? view_heading(ctl, COLOUR_NONE, disks) : -ENOMEM;
}

/* Without a job. *ret may be NULL. */
static int inspect_source(Ctl *ctl, json_t *spec, json_t **ret) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = submit_ask_password(ctl, spec, true);

        if (status == EXIT_OK)
                status = client_connect(ctl, &bus);
        return status == EXIT_OK ? inspection_of_source(ctl, bus, json_object_get(spec, "source"), ret)
                                 : status;
}

/* No more than that. */
static int show_source(Ctl *ctl, char **words, json_t *inspection) {
        if (!inspection) {
                log_error("The file cannot be inspected now. See \"systemctl status hyper-inspect.socket\".");
                return EXIT_UNAVAILABLE;
        }
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, inspection);
        return show_heading(ctl, words) < 0 || inspection_view(ctl, inspection) < 0 ? (log_oom(), EXIT_OTHER)
                                                                                    : EXIT_OK;
}

static int show_guest(Ctl *ctl, char **words, json_t *inspection, json_t *guest) {
        int r = show_heading(ctl, words);

        if (r >= 0 && inspection)
                r = inspection_view(ctl, inspection);
        return r < 0 || guest_view_report(ctl, guest) < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

/* The first disk stands for all: what is wrong with others is found by the job. */
int verb_inspect(Ctl *ctl, char **words) {
        _cleanup_(json_decrefp) json_t *spec = NULL, *inspection = NULL, *guest = NULL;
        bool json = ctl->args.json != JSON_MODE_OFF;
        int status = make_spec(ctl, words, "inspect", &spec);

        if (status != EXIT_OK)
                return status;
        const char *type = view_string(json_object_get(spec, "source"), "type");
        bool quick = ctl->args.quick || streq(type, "vsphere");
        if (quick || (!json && streq(type, "file")))
                status = inspect_source(ctl, spec, &inspection);
        if (status != EXIT_OK || quick)
                return status == EXIT_OK ? show_source(ctl, words, inspection) : status;
        status = run_job(ctl, spec, &guest);
        if (status != EXIT_OK)
                return status;
        return json ? client_print_json(ctl, guest) : show_guest(ctl, words, inspection, guest);
}

/* All operations that the guest needs. */
static int add_fix(json_t *spec) {
        json_t *parameters = json_object_get(spec, "parameters");

        if (!parameters && json_object_set_new(spec, "parameters", json_object()) >= 0)
                parameters = json_object_get(spec, "parameters");
        return json_object_set_new(parameters, "fix", json_string("auto"));
}

static int show_fix(Ctl *ctl, char **words, json_t *guest) {
        int r = show_heading(ctl, words);

        if (r >= 0)
                r = guest_view_changes(ctl, guest, ctl->args.dry_run);
        if (r >= 0 && !ctl->args.dry_run)
                r = guest_view_boots(ctl, guest);
        return r < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

int verb_fix(Ctl *ctl, char **words) {
        _cleanup_(json_decrefp) json_t *spec = NULL, *guest = NULL;

        int status = make_spec(ctl, words, "offline_fix", &spec);
        if (status == EXIT_OK && add_fix(spec) < 0)
                return log_oom(), EXIT_OTHER;
        if (status == EXIT_OK)
                status = run_job(ctl, spec, &guest);
        if (status != EXIT_OK)
                return status;
        return ctl->args.json != JSON_MODE_OFF ? client_print_json(ctl, guest) : show_fix(ctl, words, guest);
}
