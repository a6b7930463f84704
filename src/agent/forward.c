/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the journal to the server. The journal keeps what is not acknowledged; of each job only its place in
 * there is written down, after the server's acknowledgement: an event may come twice, none is left out. The
 * result follows when the journal has the job's last word, and that was acknowledged. */

#include "agent/forward.h"
#include "agent/agent-util.h"
#include "agent/held-job.h"
#include "agent/link.h"
#include "agent/report.h"
#include "agent/server.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/journal-read.h"

/* A report is not larger, so that a slow link gets it through in time. */
#define REPORT_SIZE_MAX ((size_t) 512 * 1024)
/* Between two reports of a running job: events that come meanwhile go together, and many jobs do not use up
 * what a key may ask in a minute. */
#define PAUSE USEC_PER_SEC
/* How long to wait for the last word of a job that has ended; a journal that is not kept may have lost
 * it. */
#define LAST_WORD_TIMEOUT (10 * USEC_PER_SEC)
/* How often our manager is asked about a job whose end the journal may have lost. */
#define LOOK_INTERVAL (30 * USEC_PER_SEC)

static void forward(HeldJob *h);

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        HeldJob *h = userdata;

        h->forward_timer = sd_event_source_disable_unref(h->forward_timer);
        forward(h);
        return 0;
}

/* After @span at the latest. */
static void later(HeldJob *h, usec_t span) {
        uint64_t due;
        int r;

        if (h->forward_timer && sd_event_source_get_time(h->forward_timer, &due) >= 0 &&
                        due <= now_monotonic() + span)
                return;
        h->forward_timer = sd_event_source_disable_unref(h->forward_timer);
        r = sd_event_add_time_relative(h->agent->event, &h->forward_timer, CLOCK_MONOTONIC, span,
                        USEC_PER_MSEC, on_timer, h);
        if (r < 0)
                agent_fail(h->agent, r, "Failed to set a timer");
}

/* --- answers --------------------------------------------------------------------------------------- */

static void on_events(Agent *a, Ask *ask, const HttpResult *result) {
        HeldJob *h = CONTAINER_OF(ask, HeldJob, report);
        int r;

        switch (verdict_of(result, h->file.job_id)) {
        case VERDICT_NOT_OURS:
                held_drop(h, "the server says that it is not ours");
                return;
        case VERDICT_UNAVAILABLE:
                link_failed(a, result);
                return;
        case VERDICT_REFUSED:
                if (h->batch > 1) {
                        h->batch /= 2;
                        forward(h);
                        return;
                }
                log_warning("The server refuses an event of job %s, which is left out: %s", h->file.job_id,
                                strempty(result->error));
                h->batch = HELD_BATCH;
                break;
        case VERDICT_DONE:
                break;
        }
        free(h->file.cursor);
        h->file.cursor = TAKE_PTR(h->next_cursor);
        h->file.since = h->next_since;
        h->file.sequence = h->next_sequence;
        r = held_file_write(a->directory, &h->file);
        if (r < 0)
                agent_fail(a, r, "Failed to write the file of a job");
        else
                later(h, h->stage == HELD_ENDED ? 0 : PAUSE);
}

static void on_result(Agent *a, Ask *ask, const HttpResult *result) {
        HeldJob *h = CONTAINER_OF(ask, HeldJob, report);

        switch (verdict_of(result, h->file.job_id)) {
        case VERDICT_DONE:
                log_info("Job %s is done, and the server knows.", h->file.job_id);
                a->given = true; /* also if it was before a restart */
                held_forget(h);
                break;
        case VERDICT_NOT_OURS:
                /* Also when it was recorded and the acknowledgement was lost. */
                held_drop(h, "it has ended, and the server does not count it as ours");
                break;
        case VERDICT_REFUSED:
                if (h->result_refused) {
                        /* Not kept, so that it stands in nobody's way. The server still counts it as ours,
                         * and names it with each heartbeat, until it takes it back. */
                        held_drop(h, "the server refuses its result");
                        break;
                }
                /* An end without figures is better than none. */
                log_warning("The server refuses the result of job %s, and is told the least: %s",
                                h->file.job_id, strempty(result->error));
                h->result_refused = true;
                (void) json_object_del(h->result, "outputs");
                (void) json_object_del(h->result, "metrics");
                forward(h);
                break;
        case VERDICT_UNAVAILABLE:
                link_failed(a, result);
                break;
        }
}

/* --- reports --------------------------------------------------------------------------------------- */

static void send_result(HeldJob *h) {
        _cleanup_free_ char *path = strprintf("/jobs/%s/result", h->file.job_id);

        if (path)
                server_ask(h->agent, &h->report, "POST", path, json_incref(h->result), SERVER_TIMEOUT,
                                on_result);
        else
                agent_fail(h->agent, -ENOMEM, "Failed to send a result");
}

/* Those that fit into one report, in *ret; what is behind the last of them is read again. Returns how many
 * events were looked at. */
static int gather(HeldJob *h, JobEvent *const *events, size_t n, json_t **ret, size_t *ret_used) {
        _cleanup_json_ json_t *list = json_array();
        size_t size = 0, i;

        if (!list)
                return -ENOMEM;
        h->next_sequence = h->file.sequence;
        for (i = 0; i < n; i++) {
                json_t *event;
                size_t length;

                if (!event_is_told(events[i])) {
                        h->end_seen = h->end_seen || job_state_is_terminal(events[i]->state);
                        continue;
                }
                event = event_json(h->file.worker_id, events[i], h->next_sequence + 1);
                if (!event)
                        return -ENOMEM;
                length = json_dumpb(event, NULL, 0, JSON_COMPACT);
                if (json_array_size(list) > 0 && size + length > REPORT_SIZE_MAX) {
                        json_decref(event);
                        break;
                }
                size += length;
                if (json_array_append_new(list, event) < 0)
                        return -ENOMEM;
                h->next_sequence++;
        }
        *ret = TAKE_PTR(list);
        *ret_used = i;
        return 0;
}

static int read_events(HeldJob *h, JobEvent ***ret, size_t *ret_n) {
        const char *directory = h->agent->journal_directory;
        int r = journal_read_events(directory, h->file.local_id, h->file.cursor, 0, h->batch, ret, ret_n);

        /* The place is gone, by rotation or in a power cut: by the time then. */
        if (r == -EINVAL && h->file.cursor)
                r = journal_read_events(
                                directory, h->file.local_id, NULL, h->file.since + 1, h->batch, ret, ret_n);
        return r;
}

/* Takes over where the last of @n events stands. */
static int note_place(HeldJob *h, JobEvent *const *events, size_t n) {
        if (n == 0)
                return 0;
        h->next_since = events[n - 1]->realtime;
        return free_and_strdup(&h->next_cursor, events[n - 1]->cursor);
}

/* Nothing is left in the journal. */
static void all_told(HeldJob *h) {
        usec_t waited = now_monotonic() - h->ended_at;

        if (h->stage == HELD_ENDED) {
                if (h->end_seen || waited >= LAST_WORD_TIMEOUT)
                        send_result(h);
                else
                        later(h, LAST_WORD_TIMEOUT - waited);
        } else if (h->stage == HELD_RUNNING) {
                if (h->end_seen || now_monotonic() >= h->looked_at + LOOK_INTERVAL)
                        held_look(h);
                later(h, LOOK_INTERVAL);
        }
}

static int forward_events(HeldJob *h, JobEvent *const *events, size_t n) {
        _cleanup_free_ char *path = strprintf("/jobs/%s/events", h->file.job_id);
        _cleanup_json_ json_t *list = NULL;
        size_t used = 0;
        int r = path ? gather(h, events, n, &list, &used) : -ENOMEM;

        if (r >= 0)
                r = note_place(h, events, used);
        if (r < 0)
                return r;
        if (json_array_size(list) > 0) {
                server_ask(h->agent, &h->report, "POST", path, TAKE_PTR(list), SERVER_TIMEOUT, on_events);
                return 0;
        }
        if (used == 0) {
                all_told(h);
                return 0;
        }
        /* Nothing for the server in them: on behind them, which need not be on disk. */
        free(h->file.cursor);
        h->file.cursor = TAKE_PTR(h->next_cursor);
        h->file.since = h->next_since;
        later(h, 0);
        return 0;
}

static void forward(HeldJob *h) {
        JobEvent **events = NULL;
        size_t n = 0;
        int r;

        if (h->agent->link != LINK_UP || h->report.out ||
                        (h->stage != HELD_RUNNING && h->stage != HELD_ENDED))
                return;
        r = read_events(h, &events, &n);
        if (r >= 0)
                r = forward_events(h, events, n);
        job_events_free(events, n);
        if (r < 0)
                agent_fail(h->agent, r, "Failed to forward the events of a job");
}

void forward_wake(HeldJob *h) {
        if (h->stage != HELD_RUNNING && h->stage != HELD_ENDED)
                return;
        /* (A report that is out looks again when it is answered.) */
        if (h->agent->link != LINK_UP || h->report.out)
                return;
        /* (The first event makes the job RUNNING there.) */
        later(h, h->stage == HELD_ENDED || h->file.sequence == 0 ? 0 : PAUSE);
}

void forward_stop(HeldJob *h) {
        server_abort(&h->report);
        h->forward_timer = sd_event_source_disable_unref(h->forward_timer);
}
