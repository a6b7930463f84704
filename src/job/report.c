/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "job/report.h"
#include "journal/journal-sync.h"

#define LINES_MAX 50
/* Of a step, what is kept for its flush: a hundredth. */
#define FLUSH_PART 100
#define SYNC_TIMEOUT (2 * USEC_PER_SEC)

static void log_no_memory(void) {
        (void) log_oom();
}

/* journald asks /proc for the unit of a message's sender: that must still be there then. */
void report_sync(Report *r) {
        if (!r->told || r->print)
                return;
        r->told = false;
        int k = journal_sync(SYNC_TIMEOUT);
        if (k < 0)
                log_debug_errno(k, "Failed to wait for the journal: %m");
}

void report_init(Report *r, const char *job_id) {
        *r = (Report){
                .job_id = job_id,
                .phase = PHASE_INITIALIZATION,
                /* Set by systemd for what it starts: then the journal is the place to look. */
                .print = !getenv("JOURNAL_STREAM"),
        };
}

/* What "systemctl status" shows. systemd signals only a status that differs from the last one: a space that
 * nobody sees makes a difference between two that are equal. Without a signal, the entry would be read when
 * journald says that its file has changed, up to 250 ms later. */
static void tell_status(Report *r, const char *message) {
        const char *end = r->odd ? " " : "";

        r->odd = !r->odd;
        if (r->percent > 0)
                (void) sd_notifyf(false, "STATUS=%.0f %%: %s%s", r->percent, message, end);
        else
                (void) sd_notifyf(false, "STATUS=%s%s", message, end);
}

static void send_event(Report *r, JobEvent *e) {
        e->job_id = (char *) r->job_id;
        e->phase = r->phase;
        r->told = true;
        int k = job_event_send(e);
        if (k < 0)
                log_debug_errno(k, "Failed to send an event to the journal: %m");
        /* After the entry: the change of status is what followers of the journal are woken by. */
        tell_status(r, e->message);
        if (r->print || k < 0)
                log_full_errno(e->kind == EVENT_ERROR ? LOG_ERR : LOG_INFO, 0, "%s", e->message);
}

_printf_(3, 0) static void send_text(Report *r, JobEvent *e, const char *format, va_list ap) {
        _cleanup_free_ char *message = vstrprintf(format, ap);

        if (!message)
                return log_no_memory();
        e->message = message;
        send_event(r, e);
}

void report_phase(Report *r, JobPhase phase, const char *format, ...) {
        JobEvent e = JOB_EVENT_INIT(EVENT_PHASE);
        va_list ap;

        r->phase = phase;
        r->last = 0;
        e.percent = r->percent;
        va_start(ap, format);
        send_text(r, &e, format, ap);
        va_end(ap);
}

void report_note(Report *r, const char *format, ...) {
        JobEvent e = JOB_EVENT_INIT(EVENT_NOTE);
        va_list ap;

        va_start(ap, format);
        send_text(r, &e, format, ap);
        va_end(ap);
}

void report_event(Report *r, EventKind kind, json_t *details, const char *format, ...) {
        _cleanup_json_ json_t *owned = details;
        JobEvent e = JOB_EVENT_INIT(kind);
        va_list ap;

        e.details = owned;
        va_start(ap, format);
        send_text(r, &e, format, ap);
        va_end(ap);
}

void report_error(Report *r, const char *code, const char *message) {
        JobEvent e = JOB_EVENT_INIT(EVENT_ERROR);

        e.message = (char *) message;
        e.details = json_pack("{s:s}", "code", code);
        send_event(r, &e);
        json_decref(e.details);
}

static double percent_of(uint64_t part, uint64_t whole) {
        return whole > 0 ? 100.0 * (double) part / (double) whole : 100;
}

void report_progress(
                Report *r, const char *what, uint64_t done, uint64_t total, uint64_t rate, bool counts) {
        char a[BYTES_SIZE], b[BYTES_SIZE], c[BYTES_SIZE];
        int percent = (int) percent_of(done, total); /* of this step */
        usec_t now = now_monotonic();

        if (done < total && r->last > 0 && now < r->last + REPORT_INTERVAL * 9 / 10)
                return;
        r->last = now;
        if (counts && r->work_total > 0)
                r->percent = MIN(MAX(r->percent,
                                                 percent_of(r->work_done + done - done / FLUSH_PART,
                                                                 r->work_total)),
                                100.0);

        _cleanup_free_ char *message = rate > 0
                        ? strprintf("%s: %d%% complete (%s of %s, %s/s)", what, percent,
                                          format_bytes(a, done), format_bytes(b, total),
                                          format_bytes(c, rate))
                        : strprintf("%s: %d%% complete (%s of %s)", what, percent, format_bytes(a, done),
                                          format_bytes(b, total));
        if (!message)
                return log_no_memory();
        JobEvent e = JOB_EVENT_INIT(EVENT_PROGRESS);
        e.message = message;
        e.percent = r->percent;
        e.bytes_done = done;
        e.bytes_total = total;
        e.rate = rate;
        e.details = r->details;
        send_event(r, &e);
}

void report_flush(Report *r, uint64_t total, uint64_t unflushed) {
        char size[BYTES_SIZE];
        usec_t now = now_monotonic();

        if (r->flushing && now < r->last + REPORT_INTERVAL * 9 / 10)
                return;
        r->flushing = true;
        r->last = now;
        _cleanup_free_ char *message = unflushed > 0
                        ? strprintf("Flushing %s to disk", format_bytes(size, unflushed))
                        : strdup("Flushing to disk");
        if (!message)
                return log_no_memory();
        JobEvent e = JOB_EVENT_INIT(EVENT_PROGRESS);
        e.message = message;
        e.percent = r->percent;
        e.bytes_done = e.bytes_total = total;
        send_event(r, &e);
}

void report_part(Report *r, const char *what, unsigned percent, uint64_t weight) {
        usec_t now = now_monotonic();

        if (r->last > 0 && now < r->last + REPORT_INTERVAL * 9 / 10)
                return;
        r->last = now;
        if (r->work_total > 0)
                r->percent = MIN(MAX(r->percent,
                                                 percent_of(r->work_done + weight / 100 * percent,
                                                                 r->work_total)),
                                100.0);
        JobEvent e = JOB_EVENT_INIT(EVENT_PROGRESS);
        e.message = (char *) what;
        e.percent = r->percent;
        send_event(r, &e);
}

void report_package(Report *r, uint64_t total) {
        r->work_done = 4 * total;
        r->work_total = REPORT_PACKAGE(r->work_done);
}

void report_complete(Report *r) {
        r->percent = 100;
}

void report_step_done(Report *r, uint64_t total) {
        r->work_done += total;
        r->flushing = false;
}

void report_lines(Report *r, const char *program, const char *text) {
        unsigned n = 0;

        for (const char *p = text; *p;) {
                size_t length = strcspn(p, "\n");
                if (length > 0 && n++ < LINES_MAX)
                        log_warning("%s: %.*s", program, (int) MIN(length, (size_t) 1000), p);
                p += length + (p[length] == '\n');
        }
        if (n > LINES_MAX)
                log_warning("%s: … %u more lines", program, n - LINES_MAX);
}
