/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/journal-print.h"
#include "ctl/password.h"
#include "ctl/submit-spec.h"
#include "ctl/text.h"
#include "ctl/verb-submit.h"
#include "ctl/watch.h"

/* For a person who would otherwise look at a bare id. */
static void tell_next(Ctl *ctl, const char *id) {
        if (ctl->err.tty && ctl->out.tty && !ctl->args.quiet && !ctl->args.wait && !ctl->args.follow)
                log_info("\"hyperctl watch %s\" shows its progress.", id);
}

int submit_silently(Ctl *ctl, sd_bus *bus, json_t *spec, char **ret_id, char **ret_path, bool *ret_created) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_free_ char *text = json_dumps(spec, JSON_COMPACT), *id_copy = NULL, *path_copy = NULL;
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
        id_copy = strdup(id);
        path_copy = strdup(path);
        if (!id_copy || !path_copy)
                return log_oom(), EXIT_OTHER;
        if (!created && !ctl->args.quiet)
                log_info("Job %s is there already, with the same spec; it is not run a second time.", id);
        *ret_id = TAKE_PTR(id_copy);
        *ret_path = TAKE_PTR(path_copy);
        *ret_created = created;
        return EXIT_OK;
}

int submit_job(Ctl *ctl, sd_bus *bus, json_t *spec, char **ret_id) {
        _cleanup_(json_decrefp) json_t *answer = NULL;
        _cleanup_free_ char *id = NULL, *path = NULL;
        bool created;

        int status = submit_silently(ctl, bus, spec, &id, &path, &created);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json == JSON_MODE_OFF) {
                if (puts(id) < 0 || fflush(stdout) != 0)
                        return EXIT_OTHER;
                tell_next(ctl, id);
        } else if (!ctl->args.wait && !ctl->args.follow) { /* else the finished job is written instead */
                answer = json_pack("{s:s, s:s, s:b}", "id", id, "path", path, "created", (int) created);
                status = client_print_json(ctl, answer);
        }
        *ret_id = TAKE_PTR(id);
        return status;
}

/* --- the directory that is written to if no destination is given ----------------------------------------
 */

/* The first of the directories of the configuration that is not one of devices, with a slash at its end. */
static char *first_directory(json_t *config) {
        json_t *paths = json_object_get(json_object_get(config, "jobs"), "destination_paths"), *path;
        size_t i;

        json_array_foreach(paths, i, path) {
                const char *s = strempty(json_string_value(path));

                if (s[0] == '/' && !startswith(s, "/dev/") && !streq(s, "/dev"))
                        return strprintf("%s/", s);
        }
        return NULL;
}

static int find_default_directory(Ctl *ctl, sd_bus *bus, char **ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_(json_decrefp) json_t *config = NULL;
        const char *text;
        int status, r;

        status = client_call(ctl, bus, &reply, "Looking for the default destination", "GetConfig", NULL);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "s", &text);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Looking for the default destination");
        config = json_loads(text, 0, NULL);
        *ret = first_directory(config);
        if (*ret)
                return EXIT_OK;
        log_error("No destination is given, and jobs.destination_paths in the configuration has no "
                  "directory to use "
                  "instead. Give a destination: a file, or a directory that ends in \"/\".");
        return EXIT_USAGE;
}

/* Only an image or a server that was named on the command line gets a default: a spec in a file says what it
 * wants, and other operations than a conversion may have no destination. */
static bool needs_default_directory(const Arguments *a, const char *spec) {
        return !spec && a->source && !a->destination && (!a->operation || streq(a->operation, "convert"));
}

static void tell_destination(Ctl *ctl, json_t *spec) {
        const char *path = json_string_value(json_object_get(json_object_get(spec, "destination"), "path"));
        _cleanup_free_ char *escaped = text_escape(strempty(path), ctl->err.utf8);

        if (!ctl->args.quiet && !isempty(escaped))
                log_info("The destination is %s.", escaped);
}

static int make_spec(Ctl *ctl, sd_bus *bus, const char *name, json_t **ret) {
        _cleanup_(json_decrefp) json_t *spec = NULL;
        _cleanup_free_ char *directory = NULL;
        int status = EXIT_OK;

        if (needs_default_directory(&ctl->args, name)) {
                status = find_default_directory(ctl, bus, &directory);
                if (status != EXIT_OK)
                        return status;
                ctl->args.destination = directory;
        }
        status = submit_spec_load(ctl, name, &spec);
        if (status == EXIT_OK)
                status = submit_spec_apply(&ctl->args, spec, "");
        if (status != EXIT_OK)
                return status;
        if (directory) {
                tell_destination(ctl, spec);
                ctl->args.destination = NULL;
        }
        *ret = TAKE_PTR(spec);
        return EXIT_OK;
}

int submit_ask_password(Ctl *ctl, json_t *spec, bool given) {
        json_t *source = json_object_get(spec, "source");
        const char *server = json_string_value(json_object_get(source, "vcenter_url"));
        _cleanup_(password_freep) char *password = NULL;
        _cleanup_free_ char *prompt = NULL;
        int status;

        if (!given || !server)
                return EXIT_OK;
        prompt = strprintf("Password for %s", server);
        if (!prompt)
                return log_oom(), EXIT_OTHER;
        status = password_read(ctl, prompt, &password);
        if (status != EXIT_OK)
                return status;
        return json_object_set_new(source, "password", json_string(password)) < 0 ? (log_oom(), EXIT_OTHER)
                                                                                  : EXIT_OK;
}

int verb_submit(Ctl *ctl, char **words) {
        _cleanup_(json_decrefp) json_t *spec = NULL;
        _cleanup_free_ char *id = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        const char *name;
        int status;

        status = submit_spec_words(&ctl->args, words, &name);
        if (status != EXIT_OK)
                return status;
        if (!name && !ctl->args.source) {
                log_error("\"submit\" needs a source, or a spec. See \"hyperctl help submit\".");
                return EXIT_USAGE;
        }
        if (needs_default_directory(&ctl->args, name))
                status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = make_spec(ctl, bus, name, &spec);
        if (status == EXIT_OK)
                status = submit_ask_password(ctl, spec, ctl->args.source);
        if (status == EXIT_OK && !bus)
                status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = submit_job(ctl, bus, spec, &id);
        if (status == EXIT_OK && ctl->args.follow)
                status = journal_print(ctl, id, /* follow= */ true);
        if (status == EXIT_OK && (ctl->args.wait || ctl->args.follow))
                status = watch_jobs(ctl, &bus, (char *[]){ id, NULL });
        return status;
}
