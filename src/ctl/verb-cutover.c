/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-cutover.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "ctl/client.h"
#include "ctl/job-view.h"
#include "ctl/watch.h"

/* What SetCutover is given. A time without an offset is one of UTC, and "now" is the present one, so that a
 * cutover can follow the first pass. */
static int read_when(const Arguments *a, char buf[static RFC3339_SIZE], const char **ret) {
        usec_t at;

        if (a->at && a->cancel) {
                log_error("--at= and --cancel cannot be combined.");
                return EXIT_USAGE;
        }
        if (!a->at) {
                *ret = a->cancel ? "cancel" : "now";
                return EXIT_OK;
        }
        if (streq(a->at, "now"))
                at = now_realtime();
        else if (parse_rfc3339(a->at, &at) < 0) {
                log_error("--at= must be a time such as 2026-05-01T02:00:00Z, or now.");
                return EXIT_USAGE;
        }
        *ret = format_rfc3339(buf, at);
        return EXIT_OK;
}

static int set_cutover(Ctl *ctl, sd_bus *bus, const char *id, const char *when) {
        _cleanup_free_ char *what = strprintf("Planning the cutover of job %s", id), *path = NULL;
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        const char *warning;

        if (!what)
                return log_oom(), EXIT_OTHER;
        int status = job_view_find(ctl, bus, id, &path, NULL);
        if (status != EXIT_OK)
                return status;
        int r = sd_bus_message_new_method_call(
                        bus, &m, HYPER_BUS_NAME, path, HYPER_JOB_INTERFACE, "SetCutover");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", when);
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        status = client_call_message(ctl, bus, m, &reply, what);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "s", &warning);
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        if (!isempty(warning) && !ctl->args.quiet)
                log_warning("%s", warning);
        return EXIT_OK;
}

int verb_cutover(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        char buf[RFC3339_SIZE];
        const char *when;

        int status = read_when(&ctl->args, buf, &when);
        if (status == EXIT_OK)
                status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = set_cutover(ctl, bus, words[0], when);
        return status == EXIT_OK && ctl->args.wait && !ctl->args.cancel ? watch_jobs(ctl, &bus, words)
                                                                        : status;
}
