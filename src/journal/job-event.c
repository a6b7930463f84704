/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "journal/job-event.h"
#include "journal/journal-batch.h"
#include "spec/job-spec.h"
#include "json/json-parse.h"
#include "json/json-table.h"

#define MANAGER_UNIT "hyper-managerd.service"
#define JOBS_SLICE "hyper-jobs.slice"

/* Each takes about 0.1 ms. */
#define INCOMPLETE_TRIES 5u

static const struct {
        const char *name;
        sd_id128_t id;
        int priority;
} kinds[_EVENT_KIND_MAX] = {
        [EVENT_STATE] = { "state", MESSAGE_JOB_STATE, LOG_INFO },
        [EVENT_PHASE] = { "phase", MESSAGE_JOB_PHASE, LOG_INFO },
        [EVENT_PROGRESS] = { "progress", MESSAGE_JOB_PROGRESS, LOG_INFO },
        [EVENT_NOTE] = { "note", MESSAGE_JOB_NOTE, LOG_NOTICE },
        [EVENT_ERROR] = { "error", MESSAGE_JOB_ERROR, LOG_ERR },
        [EVENT_WARM_PREPARED] = { "warm_prepared", MESSAGE_WARM_PREPARED, LOG_NOTICE },
        [EVENT_PRECOPY_STARTED] = { "precopy_started", MESSAGE_PRECOPY_STARTED, LOG_NOTICE },
        [EVENT_PRECOPY_FINISHED] = { "precopy_finished", MESSAGE_PRECOPY_FINISHED, LOG_NOTICE },
        [EVENT_WARM_WAITING] = { "warm_waiting", MESSAGE_WARM_WAITING, LOG_NOTICE },
        [EVENT_CUTOVER_STARTED] = { "cutover_started", MESSAGE_CUTOVER_STARTED, LOG_NOTICE },
        [EVENT_GUEST_DOWN] = { "guest_down", MESSAGE_GUEST_DOWN, LOG_NOTICE },
        [EVENT_CUTOVER_FINISHED] = { "cutover_finished", MESSAGE_CUTOVER_FINISHED, LOG_NOTICE },
};

static const char *const field_names[_EVENT_FIELD_MAX] = {
        [FIELD_UNIT] = "_SYSTEMD_UNIT",
        [FIELD_JOB_ID] = "HYPER_JOB_ID",
        [FIELD_EVENT] = "HYPER_EVENT",
        [FIELD_STATE] = "HYPER_STATE",
        [FIELD_PHASE] = "HYPER_PHASE",
        [FIELD_PERCENT] = "HYPER_PERCENT",
        [FIELD_BYTES_DONE] = "HYPER_BYTES_DONE",
        [FIELD_BYTES_TOTAL] = "HYPER_BYTES_TOTAL",
        [FIELD_RATE] = "HYPER_RATE",
        [FIELD_DETAILS] = "HYPER_DETAILS",
        [FIELD_MESSAGE] = "MESSAGE",
};

const char *event_kind_to_string(EventKind k) {
        return k >= 0 && k < _EVENT_KIND_MAX ? kinds[k].name : NULL;
}

EventKind event_kind_from_string(const char *s) {
        for (int i = 0; s && i < _EVENT_KIND_MAX; i++)
                if (streq(kinds[i].name, s))
                        return i;
        return _EVENT_KIND_INVALID;
}

JobEvent *job_event_free(JobEvent *e) {
        if (!e)
                return NULL;
        free(e->job_id);
        free(e->message);
        json_decref(e->details);
        free(e->cursor);
        return mfree(e);
}

/* --- writing --------------------------------------------------------------------------------------- */

/* A percentage travels as hundredths with a point, whatever the locale says. */
static int add_percent(char ***fields, double percent) {
        unsigned hundredths;

        if (!(percent >= 0))
                return 0;
        hundredths = (unsigned) (MIN(percent, 100.0) * 100);
        return strv_extendf(fields, "HYPER_PERCENT=%u.%02u", hundredths / 100, hundredths % 100);
}

static int add_bytes(char ***fields, const JobEvent *e) {
        int r = 0;

        if (e->bytes_done > 0 || e->bytes_total > 0) {
                r = strv_extendf(fields, "HYPER_BYTES_DONE=%" PRIu64, e->bytes_done);
                if (r >= 0)
                        r = strv_extendf(fields, "HYPER_BYTES_TOTAL=%" PRIu64, e->bytes_total);
        }
        if (r >= 0 && e->rate > 0)
                r = strv_extendf(fields, "HYPER_RATE=%" PRIu64, e->rate);
        return r;
}

static int add_details(char ***fields, json_t *details) {
        _cleanup_free_ char *text = NULL;

        if (!details)
                return 0;
        text = json_dumps(details, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        return strlen(text) > EVENT_DETAILS_MAX ? -E2BIG : strv_extendf(fields, "HYPER_DETAILS=%s", text);
}

static int add_kind(char ***fields, EventKind kind) {
        int r;

        r = strv_extendf(fields, "HYPER_EVENT=%s", kinds[kind].name);
        if (r >= 0)
                r = strv_extendf(fields, "PRIORITY=%d", kinds[kind].priority);
        if (r >= 0)
                r = strv_extendf(fields, "MESSAGE_ID=" SD_ID128_FORMAT_STR,
                                SD_ID128_FORMAT_VAL(kinds[kind].id));
        return r;
}

/* The entry of @e as a strv. */
static int make_fields(const JobEvent *e, char ***ret) {
        _cleanup_strv_free_ char **fields = NULL;
        int r;

        if (e->kind < 0 || e->kind >= _EVENT_KIND_MAX || isempty(e->job_id))
                return -EINVAL;
        r = strv_extendf(&fields, "MESSAGE=%s", strempty(e->message));
        if (r >= 0)
                r = strv_extendf(&fields, "HYPER_JOB_ID=%s", e->job_id);
        if (r >= 0)
                r = add_kind(&fields, e->kind);
        if (r >= 0 && job_state_to_string(e->state))
                r = strv_extendf(&fields, "HYPER_STATE=%s", job_state_to_string(e->state));
        if (r >= 0 && !isempty(e->submitter))
                r = strv_extendf(&fields, "HYPER_SUBMITTER=%s", e->submitter);
        if (r >= 0 && e->change > 0)
                r = strv_extendf(&fields, "HYPER_CHANGE=%" PRIu64, e->change);
        if (r >= 0 && job_phase_to_string(e->phase))
                r = strv_extendf(&fields, "HYPER_PHASE=%s", job_phase_to_string(e->phase));
        if (r >= 0)
                r = add_percent(&fields, e->percent);
        if (r >= 0)
                r = add_bytes(&fields, e);
        if (r >= 0)
                r = add_details(&fields, e->details);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(fields);
        return 0;
}

static int send_fields(char *const *fields) {
        struct iovec iov[16];
        size_t n = 0;

        STRV_FOREACH(f, fields)
                iov[n++] = (struct iovec){ .iov_base = *f, .iov_len = strlen(*f) };
        return sd_journal_sendv(iov, (int) n);
}

int job_event_send(const JobEvent *e) {
        _cleanup_strv_free_ char **fields = NULL;
        int r = make_fields(e, &fields);

        return r < 0 ? r : send_fields(fields);
}

/* Sends what waits, and @fields after it, in the same datagram as what follows if it has room. */
static int add_to_batch(JournalBatch *b, char *const *fields) {
        int r = journal_batch_add(b, fields);

        if (r != -ENOBUFS)
                return r;
        r = journal_batch_send(b, NULL);
        if (r >= 0)
                r = journal_batch_add(b, fields);
        return r == -ENOBUFS ? send_fields(fields) : r;
}

int job_events_send(const JobEvent *events, size_t n, size_t *ret_sent) {
        _cleanup_(journal_batch_done) JournalBatch batch = {};
        size_t i;
        int r = 0, q;

        *ret_sent = 0;
        for (i = 0; i < n; i++) {
                _cleanup_strv_free_ char **fields = NULL;

                r = make_fields(&events[i], &fields);
                if (r < 0)
                        break;
                q = add_to_batch(&batch, fields);
                if (q < 0)
                        return q;
                *ret_sent = i + 1 - batch.n;
        }
        q = journal_batch_send(&batch, NULL);
        if (q >= 0)
                *ret_sent = i;
        return r < 0 ? r : q;
}

/* --- reading --------------------------------------------------------------------------------------- */

static bool field_is(const EventFieldValue *f, const char *s) {
        return f->data && f->size == strlen(s) && memcmp(f->data, s, f->size) == 0;
}

/* A short field as a string; -EBADMSG if it is longer than such a field can be, or binary. */
#define SHORT_MAX 256
static int take_short(const EventFieldValue *f, char buf[static SHORT_MAX]) {
        if (f->size >= SHORT_MAX || memchr(f->data, 0, f->size))
                return -EBADMSG;
        memcpy(buf, f->data, f->size);
        buf[f->size] = 0;
        return 0;
}

/* @ret is left alone for a field that is not there. */
static int take_number(const EventFieldValue *f, uint64_t *ret) {
        char buf[SHORT_MAX];

        if (!f->data)
                return 0;
        return take_short(f, buf) < 0 || parse_uint64(buf, ret) < 0 ? -EBADMSG : 0;
}

static int take_percent(const EventFieldValue *f, double *ret) {
        uint64_t whole, hundredths = 0;
        char buf[SHORT_MAX];

        if (!f->data)
                return 0;
        if (take_short(f, buf) < 0)
                return -EBADMSG;
        char *point = strchr(buf, '.');
        if (point) {
                *point = 0;
                if (strlen(point + 1) != 2 || parse_uint64(point + 1, &hundredths) < 0)
                        return -EBADMSG;
        }
        if (parse_uint64(buf, &whole) < 0 || whole > 100 || (whole == 100 && hundredths > 0))
                return -EBADMSG;
        *ret = (double) whole + (double) hundredths / 100;
        return 0;
}

static int take_details(const EventFieldValue *f, json_t **ret) {
        _cleanup_free_ char *error = NULL;

        if (!f->data)
                return 0;
        return f->size > EVENT_DETAILS_MAX ? -EBADMSG : json_parse_object(f->data, f->size, ret, &error);
}

static int check_origin(const EventFieldValue *unit, const char *job_id, EventKind kind) {
        _cleanup_free_ char *own = NULL;

        if (!unit->data)
                return -EPERM;
        if (field_is(unit, MANAGER_UNIT))
                return 0;
        /* The job is near the image's bytes; what state it is in is not for it to say. */
        if (kind == EVENT_STATE || kind == EVENT_WARM_WAITING)
                return -EPERM;
        own = job_unit_name(job_id);
        if (!own)
                return -ENOMEM;
        return field_is(unit, own) ? 0 : -EPERM;
}

static int take_state_and_phase(const EventFieldValue *fields, JobEvent *e) {
        char buf[SHORT_MAX];

        if (fields[FIELD_STATE].data) {
                if (take_short(&fields[FIELD_STATE], buf) < 0)
                        return -EBADMSG;
                e->state = job_state_from_string(buf);
                if (e->state < 0)
                        return -EBADMSG;
        }
        if (fields[FIELD_PHASE].data) {
                if (take_short(&fields[FIELD_PHASE], buf) < 0)
                        return -EBADMSG;
                e->phase = job_phase_from_string(buf);
                if (e->phase < 0)
                        return -EBADMSG;
        }
        /* A change of state that does not say which is none; in other events the state is only in the
         * way. */
        if (e->kind != EVENT_STATE)
                e->state = _JOB_STATE_INVALID;
        return e->kind == EVENT_STATE && e->state < 0 ? -EBADMSG : 0;
}

static int take_values(const EventFieldValue *fields, JobEvent *e) {
        int r;

        r = take_state_and_phase(fields, e);
        if (r >= 0)
                r = take_percent(&fields[FIELD_PERCENT], &e->percent);
        if (r >= 0)
                r = take_number(&fields[FIELD_BYTES_DONE], &e->bytes_done);
        if (r >= 0)
                r = take_number(&fields[FIELD_BYTES_TOTAL], &e->bytes_total);
        if (r >= 0)
                r = take_number(&fields[FIELD_RATE], &e->rate);
        if (r >= 0)
                r = take_details(&fields[FIELD_DETAILS], &e->details);
        return r;
}

int job_event_decode(const EventFieldValue fields[static _EVENT_FIELD_MAX], JobEvent **ret) {
        _cleanup_(job_event_freep) JobEvent *e = NULL;
        const EventFieldValue *message = &fields[FIELD_MESSAGE];
        char id[SHORT_MAX], kind[SHORT_MAX];
        int r;

        if (!fields[FIELD_JOB_ID].data || !fields[FIELD_EVENT].data)
                return -ENODATA;
        if (take_short(&fields[FIELD_JOB_ID], id) < 0 || !job_id_is_valid(id) ||
                        take_short(&fields[FIELD_EVENT], kind) < 0)
                return -EBADMSG;
        EventKind k = event_kind_from_string(kind);
        r = check_origin(&fields[FIELD_UNIT], id, k);
        if (r < 0)
                return r;
        if (k < 0)
                return -EBADMSG;

        e = new0(JobEvent, 1);
        if (!e)
                return -ENOMEM;
        *e = JOB_EVENT_INIT(k);
        e->job_id = strdup(id);
        e->message = utf8_make_valid(message->data ? message->data : "", message->data ? message->size : 0,
                        EVENT_MESSAGE_MAX);
        if (!e->job_id || !e->message)
                return -ENOMEM;
        r = take_values(fields, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(e);
        return 0;
}

/* journald adds an entry to the file before it links the fields of the entry to it, and libsystemd passes
 * over a field that is being linked (journal_file_check_object(): "Bad data n_entries"). Each event has a
 * message: without one, the entry is read too early, and is complete in a moment. */
static int get_field(sd_journal *j, EventField which, const void **ret, size_t *ret_size) {
        int r = sd_journal_get_data(j, field_names[which], ret, ret_size);

        for (unsigned i = 0; i < INCOMPLETE_TRIES && which == FIELD_MESSAGE && r == -ENOENT; i++) {
                (void) nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
                r = sd_journal_get_data(j, field_names[which], ret, ret_size);
        }
        return r;
}

/* libsystemd's answer stays valid only until the next question, hence the copy. */
static int copy_field(sd_journal *j, EventField which, EventFieldValue *f, char **ret_copy) {
        size_t size, prefix = strlen(field_names[which]) + 1;
        const void *data;
        int r;

        r = get_field(j, which, &data, &size);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        if (size < prefix)
                return -EBADMSG;
        /* Enough to see that it is too much. */
        size = MIN(size - prefix, EVENT_DETAILS_MAX + 1);
        char *copy = malloc(size + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, (const char *) data + prefix, size);
        copy[size] = 0;
        *f = (EventFieldValue){ .data = copy, .size = size };
        *ret_copy = copy;
        return 0;
}

int job_event_read(sd_journal *j, JobEvent **ret) {
        _cleanup_(job_event_freep) JobEvent *e = NULL;
        EventFieldValue fields[_EVENT_FIELD_MAX] = {};
        char *copies[_EVENT_FIELD_MAX] = {};
        int r;

        /* What is decompressed of a field, its name included. */
        r = sd_journal_set_data_threshold(j, EVENT_DETAILS_MAX + SHORT_MAX);
        for (EventField f = 0; f < _EVENT_FIELD_MAX && r >= 0; f++)
                r = copy_field(j, f, &fields[f], &copies[f]);
        if (r >= 0)
                r = job_event_decode(fields, &e);
        for (EventField f = 0; f < _EVENT_FIELD_MAX; f++)
                free(copies[f]);
        if (r >= 0)
                r = sd_journal_get_realtime_usec(j, &e->realtime);
        if (r >= 0)
                r = sd_journal_get_cursor(j, &e->cursor);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(e);
        return 0;
}

static int add_match(sd_journal *j, const char *field, const char *value) {
        _cleanup_free_ char *match = strprintf("%s=%s", field, value);

        return match ? sd_journal_add_match(j, match, 0) : -ENOMEM;
}

int job_event_add_matches(sd_journal *j, const char *job_id) {
        _cleanup_free_ char *unit = NULL;
        int r;

        if (job_id) {
                unit = job_unit_name(job_id);
                if (!unit)
                        return -ENOMEM;
                r = add_match(j, "_SYSTEMD_UNIT", unit);
        } else
                r = add_match(j, "_SYSTEMD_SLICE", JOBS_SLICE);
        if (r >= 0)
                r = sd_journal_add_disjunction(j);
        if (r >= 0)
                r = add_match(j, "_SYSTEMD_UNIT", MANAGER_UNIT);
        if (r >= 0 && job_id)
                r = add_match(j, "HYPER_JOB_ID", job_id);
        return r;
}
