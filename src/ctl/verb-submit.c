/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/journal-print.h"
#include "ctl/submit-spec.h"
#include "ctl/watch.h"

static int submit(Ctl *ctl, sd_bus *bus, json_t *spec, char **ret_id) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_(json_decrefp) json_t *answer = NULL;
        _cleanup_free_ char *text = json_dumps(spec, JSON_COMPACT), *copy = NULL;
        const char *id, *path;
        int created, status, r;

        if (!text)
                return log_oom(), EXIT_OTHER;
        status = client_call(ctl, bus, &reply, "Submitting the job", "SubmitJob", "sa{sv}", text, 1,
                        "any-worker", "b", (int) ctl->args.any_worker);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "sob", &id, &path, &created);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Submitting the job");
        copy = strdup(id);
        if (!copy)
                return log_oom(), EXIT_OTHER;
        *ret_id = TAKE_PTR(copy);
        if (!created && !ctl->args.quiet)
                log_info("Job %s is there already, with the same spec; it is not run a second time.", id);
        if (ctl->args.json == JSON_MODE_OFF)
                return puts(id) < 0 || fflush(stdout) != 0 ? EXIT_OTHER : EXIT_OK;
        /* With --wait the finished job is written instead. */
        if (ctl->args.wait || ctl->args.follow)
                return EXIT_OK;
        answer = json_pack("{s:s, s:s, s:b}", "id", id, "path", path, "created", created);
        return client_print_json(ctl, answer);
}

int verb_submit(Ctl *ctl, char **words) {
        _cleanup_(json_decrefp) json_t *spec = NULL;
        _cleanup_free_ char *id = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status;

        if (!words[0] && !ctl->args.source) {
                log_error("\"submit\" needs a spec, or --source= and --destination=. See \"hyperctl help "
                          "submit\".");
                return EXIT_USAGE;
        }
        status = submit_spec_load(ctl, words[0], &spec);
        if (status == EXIT_OK)
                status = submit_spec_apply(&ctl->args, spec);
        if (status == EXIT_OK)
                status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = submit(ctl, bus, spec, &id);
        if (status == EXIT_OK && ctl->args.follow)
                status = journal_print(ctl, id, /* follow= */ true);
        if (status == EXIT_OK && (ctl->args.wait || ctl->args.follow))
                status = watch_jobs(ctl, &bus, (char *[]){ id, NULL });
        return status;
}
