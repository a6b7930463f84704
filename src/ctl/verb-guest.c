/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-guest.h"

#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/guest-view.h"
#include "ctl/job-view.h"
#include "ctl/submit-spec.h"
#include "ctl/verb-submit.h"
#include "ctl/watch.h"

/* Submits the job, and waits for its end, which ^C hastens. EXIT_OK with *ret_guest; or another ExitStatus,
 * which watch_jobs() has explained. */
static int run_job(Ctl *ctl, json_t *spec, json_t **ret_guest) {
        JsonMode json = ctl->args.json;
        _cleanup_(json_decrefp) json_t *job = NULL;
        _cleanup_free_ char *id = NULL, *path = NULL, *found = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        bool created;

        int status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = submit_silently(ctl, bus, spec, &id, &path, &created);
        if (status != EXIT_OK)
                return status;
        ctl->args.json = JSON_MODE_OFF; /* not the whole job */
        ctl->cancel_on_signal = true;
        status = watch_jobs(ctl, &bus, (char *[]){ id, NULL });
        ctl->args.json = json;
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
        options.operation = operation;
        int status = submit_spec_apply(&options, spec, "");
        if (status == EXIT_OK)
                *ret = TAKE_PTR(spec);
        return status;
}

int verb_inspect(Ctl *ctl, char **words) {
        _cleanup_(json_decrefp) json_t *spec = NULL, *guest = NULL;

        int status = make_spec(ctl, words, "inspect", &spec);
        if (status == EXIT_OK)
                status = run_job(ctl, spec, &guest);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, guest);
        return view_heading(ctl, COLOUR_NONE, words[0]) < 0 || guest_view_report(ctl, guest) < 0
                        ? (log_oom(), EXIT_OTHER)
                        : EXIT_OK;
}

/* All operations that the guest needs. */
static int add_fix(json_t *spec) {
        json_t *parameters = json_object_get(spec, "parameters");

        if (!parameters && json_object_set_new(spec, "parameters", json_object()) >= 0)
                parameters = json_object_get(spec, "parameters");
        return json_object_set_new(parameters, "fix", json_string("auto"));
}

static int show_fix(Ctl *ctl, const char *file, json_t *guest) {
        int r = view_heading(ctl, COLOUR_NONE, file);

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
        return ctl->args.json != JSON_MODE_OFF ? client_print_json(ctl, guest)
                                               : show_fix(ctl, words[0], guest);
}
