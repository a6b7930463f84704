/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-logs.h"

#include <systemd/sd-event.h>

#include "api/api.h"
#include "api/http/list-reply.h"
#include "api/http/reply.h"
#include "api/http/request-handle.h"
#include "api/http/request-park.h"
#include "api/job-json.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "journal/journal-log.h"

/* Entries that are read, and lines that are sent, in one step. */
#define STEP 100u
/* A log that cannot be read within this time is not sent. */
#define READ_TIMEOUT (60 * USEC_PER_SEC)

typedef struct LogReading {
        Request *request;
        JobRow *row;
        JournalLog *log;
        sd_event_source *source; /* the next step */
        size_t told;
} LogReading;

static void log_reading_free(void *userdata) {
        LogReading *l = userdata;

        sd_event_source_disable_unref(l->source);
        journal_log_free(l->log);
        job_row_free(l->row);
        free(l);
}

static int lines_step(void *userdata, json_t **ret) {
        _cleanup_json_ json_t *list = json_array();
        LogReading *l = userdata;
        char *const *lines = journal_log_lines(l->log);

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < STEP && lines[l->told]; i++)
                if (json_array_append_new(list, json_text(lines[l->told++])) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(list);
        return lines[l->told] != NULL;
}

static int reply_lines(Request *r) {
        LogReading *l = request_take_userdata(r);

        l->source = sd_event_source_disable_unref(l->source);
        return request_reply_list(r,
                        json_pack("{s:o, s:s, s:I}", "job_id", json_text(l->row->id), "status",
                                        job_state_to_status(l->row->state), "total",
                                        (json_int_t) journal_log_total(l->log)),
                        "logs", lines_step, l, log_reading_free);
}

static int on_step(sd_event_source *source, void *userdata) {
        LogReading *l = userdata;
        Request *r = l->request;
        int k = journal_log_step(l->log, STEP);

        if (k > 0)
                k = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        else if (k == 0)
                k = reply_lines(r);
        else
                l->source = sd_event_source_disable_unref(l->source);
        if (k < 0)
                request_handler_returned(r, k);
        return 0;
}

/* The client is gone, or the daemon ends, or it takes too long. */
static void on_over(Request *r) {
        LogReading *l = request_userdata(r);

        l->source = sd_event_source_disable_unref(l->source);
        request_handler_returned(r, request_reply_error(r, 503, "The log was not read in time; try again."));
}

static int log_reading_new(Request *r, JobRow *row, size_t tail, LogReading **ret) {
        LogReading *l = new0(LogReading, 1);

        if (!l) {
                job_row_free(row);
                return -ENOMEM;
        }
        l->request = r;
        l->row = row;
        request_set_userdata(r, l, log_reading_free);
        *ret = l;
        return journal_log_open(api_journal_directory(request_api(r)), row->id, tail, &l->log);
}

int hypersdk_reply_logs(Request *r, JobRow *row, size_t tail) {
        LogReading *l;
        int k = log_reading_new(r, row, tail, &l);

        if (k >= 0)
                k = journal_log_step(l->log, STEP);
        if (k < 0)
                return k;
        if (k == 0)
                return reply_lines(r);
        k = sd_event_add_defer(api_event(request_api(r)), &l->source, on_step, l);
        return k < 0 ? k : request_park(r, now_monotonic() + READ_TIMEOUT, on_over);
}
