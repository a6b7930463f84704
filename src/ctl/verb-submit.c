/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/journal-print.h"
#include "ctl/submit-spec.h"
#include "ctl/text.h"
#include "ctl/watch.h"

#define SPEC_SIZE_MAX (1024 * 1024)

static int read_all(FILE *f, char **ret) {
        _cleanup_free_ char *text = new0(char, SPEC_SIZE_MAX + 2);
        size_t n;

        if (!text)
                return -ENOMEM;
        n = fread(text, 1, SPEC_SIZE_MAX + 1, f);
        if (ferror(f))
                return -EIO;
        if (n > SPEC_SIZE_MAX)
                return -EFBIG;
        if (strlen(text) != n)
                return -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}

/* Reads the spec's file, or "-"; an empty object without one. */
static int load_spec(Ctl *ctl, const char *name, json_t **ret) {
        _cleanup_free_ char *text = NULL, *shown = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        json_error_t error;
        int r;

        if (!name) {
                *ret = json_object();
                return *ret ? EXIT_OK : (log_oom(), EXIT_OTHER);
        }
        if (streq(name, "-"))
                r = read_all(stdin, &text);
        else {
                f = fopen(name, "re");
                r = f ? read_all(f, &text) : -errno;
        }
        if (r < 0) {
                log_error_errno(r, "Failed to read the spec %s: %m", name);
                return EXIT_OTHER;
        }
        *ret = json_loads(text, JSON_REJECT_DUPLICATES, &error);
        if (json_is_object(*ret))
                return EXIT_OK;
        shown = text_escape(*ret ? "an object { … } is needed" : error.text, ctl->err.utf8);
        log_error("%s:%d:%d: %s", name, *ret ? 1 : error.line, *ret ? 1 : error.column, strempty(shown));
        json_decref(*ret);
        *ret = NULL;
        return EXIT_REFUSED;
}

static int submit(Ctl *ctl, sd_bus *bus, json_t *spec, char **ret_id) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_(json_decrefp) json_t *answer = NULL;
        _cleanup_free_ char *text = json_dumps(spec, JSON_COMPACT), *copy = NULL;
        const char *id, *path;
        int created, status, r;

        if (!text)
                return log_oom(), EXIT_OTHER;
        status = client_call(ctl, bus, &reply, "Submitting the job", "SubmitJob", "sa{sv}", text, 0);
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
                log_error("\"submit\" needs a spec, or --source= and --destination=. See \"hyperctl help submit\".");
                return EXIT_USAGE;
        }
        status = load_spec(ctl, words[0], &spec);
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
