/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/job-view.h"
#include "ctl/journal-print.h"
#include "ctl/text.h"
#include "ctl/verb-logs.h"
#include "ctl/view.h"
#include "spec/job-spec.h"
#include "json/json-table.h"

#define PAGE 1000u

/* --- another machine
 * ------------------------------------------------------------------------------------------- */

/* "user@host:2222" is host and port, as sd_bus_open_system_remote(3) reads it. */
static int split_port(const char *host, char **ret_host, char **ret_port) {
        const char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');
        _cleanup_free_ char *name = NULL, *port = NULL;

        /* Of an IPv6 address only what is behind its bracket is a port. */
        if (colon && (bracket ? colon > bracket : strchr(host, ':') == colon)) {
                name = strndup(host, (size_t) (colon - host));
                port = strdup(colon + 1);
        } else {
                name = strdup(host);
                port = strdup("22");
        }
        if (!name || !port)
                return -ENOMEM;
        *ret_host = TAKE_PTR(name);
        *ret_port = TAKE_PTR(port);
        return 0;
}

/* The words go through a shell on the other side: only what needs no quoting may be among them. */
static int make_command(Ctl *ctl, const char *id, bool follow, char ***ret) {
        _cleanup_free_ char *host = NULL, *port = NULL;
        _cleanup_strv_free_ char **l = NULL;
        const char *plain[] = { "ssh", "-xT" };
        int r;

        assert(job_id_is_valid(id));
        r = split_port(ctl->args.host, &host, &port);
        for (size_t i = 0; i < ELEMENTSOF(plain) && r >= 0; i++)
                r = strv_extend(&l, plain[i]);
        if (r >= 0 && !streq(port, "22")) {
                r = strv_extend(&l, "-p");
                if (r >= 0)
                        r = strv_extend(&l, port);
        }
        if (r >= 0)
                r = strv_extend(&l, "--");
        if (r >= 0)
                r = strv_extend(&l, host);
        if (r >= 0)
                r = strv_extend(&l, "hyperctl");
        if (r >= 0)
                r = strv_extend(&l, "logs");
        if (r >= 0 && follow)
                r = strv_extend(&l, "--follow");
        if (r >= 0 && ctl->args.lines <= INT64_MAX)
                r = strv_extendf(&l, "--lines=%" PRIu64, ctl->args.lines);
        if (r >= 0 && ctl->args.json != JSON_MODE_OFF)
                r = strv_extend(&l, ctl->args.json == JSON_MODE_PRETTY ? "--json=pretty" : "--json=short");
        if (r >= 0)
                r = strv_extend(&l, id);
        if (r >= 0)
                *ret = TAKE_PTR(l);
        return r;
}

static int print_remote(Ctl *ctl, const char *id, bool follow) {
        _cleanup_strv_free_ char **command = NULL;
        int status;
        pid_t pid;

        if (make_command(ctl, id, follow, &command) < 0)
                return log_oom(), EXIT_OTHER;
        pid = fork();
        if (pid < 0) {
                log_error_errno(errno, "Failed to start ssh: %m");
                return EXIT_OTHER;
        }
        if (pid == 0) {
                execvp(command[0], command);
                log_error_errno(errno,
                                "Failed to run ssh, which is needed to read the journal of another machine: "
                                "%m");
                _exit(EXIT_UNAVAILABLE);
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return EXIT_OTHER;
        if (WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_UNAVAILABLE)
                return WEXITSTATUS(status);
        log_error("Failed to read the journal of %s over ssh. There, \"journalctl -u '*job*' "
                  "HYPER_JOB_ID=%s\" shows "
                  "the same lines.",
                        ctl->args.host, id);
        return EXIT_UNAVAILABLE;
}

/* --- this machine
 * ---------------------------------------------------------------------------------------------- */

/* Whether there is anything to wait for. The journal is readable without the manager, so that its absence is
 * no more than a remark: EXIT_OK with @ret_follow, or EXIT_NO_SUCH_JOB. */
static int ask_state(Ctl *ctl, const char *id, bool *ret_follow) {
        _cleanup_(job_view_done) JobView view = { .percent = -1 };
        _cleanup_free_ char *path = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status;

        status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = job_view_find(ctl, bus, id, &path, NULL);
        if (status == EXIT_OK)
                status = job_view_fetch(ctl, bus, id, path, &view);
        if (status == EXIT_NO_SUCH_JOB)
                return status;
        *ret_follow = status != EXIT_OK || !job_view_has_ended(&view);
        return EXIT_OK;
}

/* --- the manager ----------------------------------------------------------------------------------- */

/* Adds a page of the log to @list. *cursor becomes that of the next one. EXIT_OK with *ret_more, or another
 * ExitStatus. */
static int read_page(Ctl *ctl, sd_bus *bus, const char *id, char **cursor, json_t *list, bool *ret_more) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *page = NULL;
        const char *text, *next;
        int r,
                        status = client_call(ctl, bus, &reply, "Reading the log", "GetJobLog", "sa{sv}", id,
                                        2, "cursor", "s", *cursor, "limit", "t", (uint64_t) PAGE);

        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "ss", &text, &next);
        page = r >= 0 ? json_loads(text, 0, NULL) : NULL;
        if (r >= 0 && (!page || json_array_extend(list, page) < 0))
                r = -EBADMSG;
        if (r >= 0)
                r = free_and_strdup(cursor, next);
        *ret_more = json_array_size(page) == PAGE;
        return r < 0 ? client_failure(ctl, NULL, r, "Reading the log") : EXIT_OK;
}

static int print_event(Ctl *ctl, json_t *event) {
        _cleanup_free_ char *message = text_escape(view_string(event, "message"), ctl->out.utf8);
        time_t seconds = (time_t) (view_number(event, "timestamp") / USEC_PER_SEC);
        char date[32] = "";
        struct tm tm;

        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, event);
        if (!message)
                return log_oom(), EXIT_OTHER;
        if (localtime_r(&seconds, &tm))
                (void) strftime(date, sizeof(date), "%b %d %H:%M:%S", &tm);
        printf("%s %s\n", date, message);
        return EXIT_OK;
}

/* The events alone, as the manager reads them for a user who may not read the journal. */
static int print_events(Ctl *ctl, const char *id) {
        _cleanup_free_ char *cursor = strdup("");
        _cleanup_json_ json_t *list = json_array();
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = cursor && list ? client_connect(ctl, &bus) : (log_oom(), EXIT_OTHER);
        bool more = true;

        while (status == EXIT_OK && more)
                status = read_page(ctl, bus, id, &cursor, list, &more);
        size_t n = json_array_size(list), shown = (size_t) MIN((uint64_t) n, ctl->args.lines);
        for (size_t i = n - shown; i < n && status == EXIT_OK; i++)
                status = print_event(ctl, json_array_get(list, i));
        return status;
}

int journal_print(Ctl *ctl, const char *id, bool follow) {
        bool goes_on = true;
        size_t lines;
        int status;

        if (ctl->args.transport == TRANSPORT_REMOTE && !strchr(ctl->args.host, '/'))
                return print_remote(ctl, id, follow);
        if (ctl->args.transport != TRANSPORT_LOCAL) {
                log_error("The journal of a container cannot be read over the bus. \"journalctl -M "
                          "CONTAINER "
                          "HYPER_JOB_ID=%s\" on its host shows it.",
                                id);
                return EXIT_OTHER;
        }
        status = ask_state(ctl, id, &goes_on);
        if (status != EXIT_OK)
                return status;
        status = journal_print_directory(ctl, NULL, id, follow && goes_on, &lines);
        if (status != EXIT_OK || lines > 0 || geteuid() == 0)
                return status;
        if (!ctl->args.quiet)
                log_info("Events only: all lines may be read by root and the members of the groups "
                         "systemd-journal and adm.");
        return print_events(ctl, id);
}

int verb_logs(Ctl *ctl, char **words) {
        return journal_print(ctl, words[0], ctl->args.follow);
}
