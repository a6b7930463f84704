/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-log.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/journal-read.h"
#include "manager/file/file-bus.h"
#include "manager/idle.h"
#include "manager/manager.h"
#include "shared/bus-options.h"
#include "shared/error-table.h"
#include "shared/thread-call.h"
#include "store/jobs.h"

#define LIMIT_DEFAULT 100u
#define LIMIT_MAX 1000u
#define CURSOR_MAX 1024u

/* One call, which a thread works on. */
typedef struct LogCall {
        Manager *manager;
        sd_bus_message *message; /* the loop's; NULL: it was answered */
        char *directory, *id, *cursor;
        uint64_t limit;
        bool progress;
        JobEvent **events;
        size_t n;
} LogCall;

static void log_call_free(void *userdata) {
        LogCall *c = userdata;

        job_events_free(c->events, c->n);
        free(c->directory);
        free(c->id);
        free(c->cursor);
        free(c);
}

static int read_log_option(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error) {
        LogCall *c = userdata;
        const char *cursor;
        int r, progress;

        if (streq(key, "progress")) {
                r = sd_bus_message_read(m, "b", &progress);
                c->progress = r >= 0 && progress;
                return r;
        }
        if (streq(key, "limit")) {
                r = sd_bus_message_read(m, "t", &c->limit);
                if (r >= 0 && (c->limit < 1 || c->limit > LIMIT_MAX))
                        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                        "options.limit: must be 1 to %u", LIMIT_MAX);
                return r;
        }
        r = sd_bus_message_read(m, "s", &cursor);
        if (r >= 0 && strlen(cursor) > CURSOR_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "options.cursor: must be a cursor that this method has returned");
        return r < 0 ? r : free_and_strdup(&c->cursor, isempty(cursor) ? NULL : cursor);
}

static const BusOptions log_options = {
        .options = (const BusOption[]){ { "cursor", "s" }, { "limit", "t" }, { "progress", "b" }, {} },
        .prefix = "options.",
        .what = "option",
        .read = read_log_option,
};

static int work(void *userdata) {
        LogCall *c = userdata;

        return journal_read_page(
                        c->directory, c->id, c->cursor, c->progress, (size_t) c->limit, &c->events, &c->n);
}

static json_t *event_to_json(const JobEvent *e) {
        return json_pack("{s:I, s:s, s:s?, s:s?, s:s}", "timestamp", (json_int_t) e->realtime, "event",
                        event_kind_to_string(e->kind), "phase", job_phase_to_string(e->phase), "state",
                        job_state_to_string(e->state), "message", strempty(e->message));
}

static int reply(LogCall *c) {
        _cleanup_json_ json_t *list = json_array();
        const char *next = c->n > 0 ? c->events[c->n - 1]->cursor : c->cursor;

        for (size_t i = 0; i < c->n; i++)
                if (json_array_append_new(list, event_to_json(c->events[i])) < 0)
                        return -ENOMEM;
        _cleanup_free_ char *text = list ? json_dumps(list, JSON_COMPACT) : NULL;
        return text ? sd_bus_reply_method_return(c->message, "ss", text, strempty(next)) : -ENOMEM;
}

static void on_done(int r, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        LogCall *c = userdata;

        if (r == -EINVAL)
                r = bus_error_setf(&error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "options.cursor: the journal does not have this entry any more; read the "
                                "log from its beginning");
        else if (r >= 0)
                r = reply(c);
        file_call_end(c->manager, &c->message, r, &error);
}

static int start(Manager *m, LogCall *c, const char *id, sd_bus_message *message, sd_bus_error *error) {
        c->manager = m;
        c->id = strdup(id);
        if (!c->id || (m->journal_directory && !(c->directory = strdup(m->journal_directory))))
                return -ENOMEM;
        int r = thread_call(m->file_calls, work, on_done, log_call_free, c);
        if (r < 0)
                return r == -EBUSY ? files_busy(error) : r;
        c->message = sd_bus_message_ref(message);
        return 1;
}

static int check_job(Manager *m, const char *id, sd_bus_error *error) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int r = job_id_is_valid(id) ? store_job_get(m->store, id, &row) : -ENOENT;

        return r == -ENOENT ? no_such_job(error, id) : r;
}

int method_get_job_log(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        LogCall *c = new0(LogCall, 1);
        Manager *m = userdata;
        const char *id;
        int r;

        if (!c)
                return -ENOMEM;
        c->limit = LIMIT_DEFAULT;
        r = sd_bus_message_read(message, "s", &id);
        if (r >= 0)
                r = check_job(m, id, error);
        if (r >= 0)
                r = bus_read_options(message, &log_options, c, error);
        if (r >= 0)
                r = start(m, c, id, message, error);
        if (r < 0)
                log_call_free(c);
        return r;
}
