/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-migrate.h"

#include <stdio.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/boot-view.h"
#include "ctl/guest-view.h"
#include "ctl/job-view.h"
#include "ctl/migrate-plan.h"
#include "ctl/submit-spec.h"
#include "ctl/verb-submit.h"
#include "ctl/watch.h"
#include "spec/job-spec.h"

/* At most so many of the last lines of a console are shown; "hyperctl boot" shows all. */
#define CONSOLE_LINES 5u

/* --- the spec -------------------------------------------------------------------------------------- */

/* "VM Network=default" */
static int add_networks(const Arguments *a, json_t *destination) {
        STRV_FOREACH(n, a->networks) {
                const char *equals = strrchr(*n, '=');
                _cleanup_free_ char *source = equals ? strndup(*n, (size_t) (equals - *n)) : NULL;
                json_t *map = json_object_get(destination, "network_map");

                if (!map && json_object_set_new(destination, "network_map", json_object()) >= 0)
                        map = json_object_get(destination, "network_map");
                if (!source || !map || json_object_set_new(map, source, json_string(equals + 1)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static json_t *make_destination(const Arguments *a) {
        _cleanup_(json_decrefp) json_t *d = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "type", a->to,
                        "name", a->name, "format", a->format, "directory", a->destination, "libvirt_uri",
                        a->libvirt, "pool", a->pool);

        if (!d || add_networks(a, d) < 0 || (a->start && json_object_set_new(d, "start", json_true()) < 0) ||
                        (a->firmware &&
                                        json_object_set_new(d, "hardware",
                                                        json_pack("{s:s}", "firmware", a->firmware)) < 0))
                return NULL;
        return TAKE_PTR(d);
}

static int add_boot_check(const Arguments *a, json_t *spec) {
        json_t *parameters = json_object_get(spec, "parameters");

        if (!a->boot_check)
                return 0;
        if (!parameters && json_object_set_new(spec, "parameters", json_object()) >= 0)
                parameters = json_object_get(spec, "parameters");
        return json_object_set_new(parameters, "boot_check", json_true());
}

/* The options of the source and of the job are those of "submit"; the destination is not. */
static int make_spec(Ctl *ctl, char **words, json_t **ret) {
        _cleanup_(json_decrefp) json_t *spec = NULL;
        Arguments options = ctl->args;
        const char *name;

        options.destination = options.format = NULL;
        int status = submit_spec_words(&options, words, &name);
        if (status == EXIT_OK)
                status = submit_spec_load(ctl, name, &spec);
        if (status == EXIT_OK)
                status = submit_spec_apply(&options, spec, "");
        if (status == EXIT_OK)
                status = submit_ask_password(ctl, spec, options.source);
        if (status != EXIT_OK)
                return status;
        if (json_object_set_new(spec, "destination", make_destination(&ctl->args)) < 0 ||
                        add_boot_check(&ctl->args, spec) < 0)
                return log_oom(), EXIT_OTHER;
        *ret = TAKE_PTR(spec);
        return EXIT_OK;
}

/* --- the plan -------------------------------------------------------------------------------------- */

/* As the manager will complete it. */
static int complete(json_t *spec, JobSpec **ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = job_spec_from_json(spec, ret, &errors);

        if (r == -EBADMSG) {
                for (size_t i = 0; i < errors.n_errors; i++) {
                        _cleanup_free_ char *text = json_error_text(&errors.errors[i]);
                        log_error("%s.", strempty(text));
                }
                return EXIT_REFUSED;
        }
        return r < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

/* EXIT_OK: the person agrees. */
static int confirm(void) {
        char answer[16];

        if (!isatty(STDIN_FILENO)) {
                log_error("There is no terminal to ask on: give --yes to migrate without a question.");
                return EXIT_USAGE;
        }
        fputs("Migrate? [y/N] ", stderr);
        fflush(stderr);
        if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
                return EXIT_OK;
        log_error("Nothing was done.");
        return EXIT_OTHER;
}

/* --- the end --------------------------------------------------------------------------------------- */

/* No word that a shell or virsh takes for something else. */
static bool is_plain(const char *name) {
        static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

        return *name && *name != '-' && strspn(name, characters) == strlen(name) &&
                        strspn(name, "0123456789") < strlen(name);
}

/* How to start the domain, or to see its console, on the host where it is. */
static int show_next(Ctl *ctl, const KvmSpec *kvm, const char *domain, bool running) {
        bool remote = kvm_spec_is_remote(kvm);

        return view_line(ctl, "Next", COLOUR_NONE, "virsh %s%s%s%s %s", remote ? "-c " : "",
                        remote ? kvm_spec_uri(kvm) : "", remote ? " " : "", running ? "console" : "start",
                        domain);
}

static int show_domain(Ctl *ctl, sd_bus *bus, const KvmSpec *kvm, const char *id) {
        _cleanup_(json_decrefp) json_t *job = NULL;
        _cleanup_free_ char *path = NULL;
        json_t *domain, *warning;
        size_t i;

        int status = job_view_find(ctl, bus, id, &path, &job);
        if (status != EXIT_OK)
                return status;
        domain = json_object_get(json_object_get(job, "result"), "domain");
        json_t *guest = json_object_get(json_object_get(job, "result"), "guest");
        if (!domain)
                return EXIT_OK;
        const char *name = view_string(domain, "name"), *uuid = view_string(domain, "uuid");
        bool running = json_is_true(json_object_get(domain, "running"));
        int r = view_line(ctl, "Domain", COLOUR_BOLD, "%s", name);
        if (r >= 0)
                r = view_line(ctl, "UUID", COLOUR_NONE, "%s", uuid);
        if (r >= 0 && guest)
                r = guest_view_changes(ctl, guest, /* dry_run= */ false);
        json_array_foreach(json_object_get(domain, "warnings"), i, warning)
                if (r >= 0)
                        r = view_line(ctl, "Warning", COLOUR_YELLOW, "%s", json_string_value(warning));
        if (r >= 0)
                r = boot_view(ctl, json_object_get(json_object_get(job, "result"), "boot"), CONSOLE_LINES);
        if (r >= 0 && *uuid)
                r = show_next(ctl, kvm, is_plain(name) ? name : uuid, running);
        return r < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

static int migrate(Ctl *ctl, const KvmSpec *kvm, json_t *spec) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_free_ char *id = NULL;

        int status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = submit_job(ctl, bus, spec, &id);
        if (status == EXIT_OK)
                status = watch_jobs(ctl, &bus, (char *[]){ id, NULL });
        /* A domain may be there even if its start or the proof of it has failed. */
        if ((status != EXIT_OK && status != EXIT_JOB_FAILED) || ctl->args.json != JSON_MODE_OFF)
                return status;
        int shown = show_domain(ctl, bus, kvm, id);
        return status != EXIT_OK ? status : shown;
}

int verb_migrate(Ctl *ctl, char **words) {
        _cleanup_(json_decrefp) json_t *spec = NULL;
        _cleanup_(migrate_plan_done) MigratePlan plan = {};
        _cleanup_(job_spec_freep) JobSpec *complete_spec = NULL;

        if (!ctl->args.to) {
                log_error("\"migrate\" needs --to=kvm: what is to become of the virtual machine.");
                return EXIT_USAGE;
        }
        ctl->args.wait = true;
        int status = make_spec(ctl, words, &spec);
        if (status == EXIT_OK)
                status = complete(spec, &complete_spec);
        bool show = ctl->args.json == JSON_MODE_OFF && !ctl->args.quiet;
        if (status == EXIT_OK && show)
                status = migrate_plan_read(ctl, complete_spec, json_object_get(spec, "source"), &plan);
        if (status != EXIT_OK)
                return status;
        if (show && (migrate_plan_show(ctl, complete_spec, &plan) < 0 || fflush(stdout) != 0))
                return log_oom(), EXIT_OTHER;
        if (!ctl->args.yes)
                status = confirm();
        return status == EXIT_OK ? migrate(ctl, &complete_spec->destination.kvm, spec) : status;
}
