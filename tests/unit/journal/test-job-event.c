/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/job-event.h"
#include "unit/lib/test.h"

/* An entry as a manager would write it, to be changed by each test. */
typedef struct Entry {
        EventFieldValue fields[_EVENT_FIELD_MAX];
} Entry;

static void set(Entry *e, EventField f, const char *value) {
        e->fields[f] = (EventFieldValue){ .data = value, .size = value ? strlen(value) : 0 };
}

static Entry entry_of(const char *unit, const char *job_id, const char *event) {
        Entry e = {};

        set(&e, FIELD_UNIT, unit);
        set(&e, FIELD_JOB_ID, job_id);
        set(&e, FIELD_EVENT, event);
        set(&e, FIELD_MESSAGE, "hello");
        return e;
}

static int decode(const Entry *e) {
        JobEvent *event = NULL;
        int r = job_event_decode(e->fields, &event);

        ck_assert_int_eq(r < 0, event == NULL);
        job_event_free(event);
        return r;
}

START_TEST(a_full_event_is_read) {
        Entry e = entry_of("hyper-job-a\\x2db.service", "a-b", "progress");
        _cleanup_(job_event_freep) JobEvent *event = NULL;

        set(&e, FIELD_PHASE, "conversion");
        set(&e, FIELD_PERCENT, "42.05");
        set(&e, FIELD_BYTES_DONE, "18446744073709551615");
        set(&e, FIELD_BYTES_TOTAL, "7");
        set(&e, FIELD_RATE, "1000");
        set(&e, FIELD_DETAILS, "{\"a\":1}");
        ck_assert_int_eq(job_event_decode(e.fields, &event), 0);
        ck_assert_int_eq(event->kind, EVENT_PROGRESS);
        ck_assert_str_eq(event->job_id, "a-b");
        ck_assert_str_eq(event->message, "hello");
        ck_assert_int_eq(event->phase, PHASE_CONVERSION);
        ck_assert_int_eq(event->state, _JOB_STATE_INVALID);
        ck_assert_double_eq_tol(event->percent, 42.05, 1e-9);
        ck_assert_uint_eq(event->bytes_done, UINT64_MAX);
        ck_assert_uint_eq(event->bytes_total, 7);
        ck_assert_uint_eq(event->rate, 1000);
        ck_assert_int_eq(json_integer_value(json_object_get(event->details, "a")), 1);
}
END_TEST

START_TEST(what_is_not_there_is_not_known) {
        Entry e = entry_of("hyper-job-a.service", "a", "note");
        _cleanup_(job_event_freep) JobEvent *event = NULL;

        set(&e, FIELD_MESSAGE, NULL);
        ck_assert_int_eq(job_event_decode(e.fields, &event), 0);
        ck_assert_str_eq(event->message, "");
        ck_assert_int_eq(event->phase, _PHASE_INVALID);
        ck_assert(event->percent < 0);
        ck_assert_uint_eq(event->bytes_total, 0);
        ck_assert_ptr_null(event->details);
}
END_TEST

START_TEST(only_the_manager_and_the_job_itself_are_believed) {
        static const struct {
                const char *unit, *job_id, *event;
                int result;
        } cases[] = {
                { "hyper-managerd.service", "a", "state", 0 },
                { "hyper-managerd.service", "a", "progress", 0 },
                { "hyper-job-a.service", "a", "progress", 0 },
                { "hyper-job-a.service", "a", "error", 0 },
                { "hyper-job-a.service", "a", "state", -EPERM },
                { "hyper-job-a.service", "a", "warm_waiting", -EPERM },
                { "hyper-managerd.service", "a", "warm_waiting", 0 },
                { "hyper-job-a.service", "a", "precopy_finished", 0 },
                { "hyper-job-a.service", "a", "guest_down", 0 },
                { "hyper-job-a.service", "b", "progress", -EPERM },
                { "hyper-job-b.service", "a", "progress", -EPERM },
                { "hyper-job-a.service.service", "a", "progress", -EPERM },
                { "hyper-job-a.scope", "a", "progress", -EPERM },
                { "user@1000.service", "a", "progress", -EPERM },
                { "hyper-managerd.service2", "a", "state", -EPERM },
                { "xhyper-managerd.service", "a", "state", -EPERM },
                { "", "a", "progress", -EPERM },
                { NULL, "a", "progress", -EPERM },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Entry e = entry_of(cases[i].unit, cases[i].job_id, cases[i].event);

                set(&e, FIELD_STATE, "RUNNING");
                ck_assert_msg(decode(&e) == cases[i].result, "%s %s %s", strna(cases[i].unit),
                                cases[i].job_id, cases[i].event);
        }
}
END_TEST

START_TEST(lines_that_are_no_events_are_told_apart) {
        Entry e = entry_of("hyper-job-a.service", NULL, "note");

        ck_assert_int_eq(decode(&e), -ENODATA);
        e = entry_of("hyper-job-a.service", "a", NULL);
        ck_assert_int_eq(decode(&e), -ENODATA);
        /* a forged line is refused before what is in it is looked at */
        e = entry_of("cron.service", "a", "nonsense");
        ck_assert_int_eq(decode(&e), -EPERM);
}
END_TEST

START_TEST(fields_that_make_no_sense_are_refused) {
        static const struct {
                EventField field;
                const char *value;
        } cases[] = { { FIELD_JOB_ID, "../x" }, { FIELD_JOB_ID, "" }, { FIELD_EVENT, "party" },
                { FIELD_EVENT, "" }, { FIELD_STATE, "runs" }, { FIELD_STATE, NULL },
                { FIELD_PHASE, "lunch" }, { FIELD_PERCENT, "101" }, { FIELD_PERCENT, "100.01" },
                { FIELD_PERCENT, "-1" }, { FIELD_PERCENT, "nan" }, { FIELD_PERCENT, "1.5" },
                { FIELD_PERCENT, "1e1" }, { FIELD_PERCENT, "" }, { FIELD_BYTES_DONE, "-1" },
                { FIELD_BYTES_TOTAL, "1 " }, { FIELD_RATE, "18446744073709551616" },
                { FIELD_DETAILS, "[1]" }, { FIELD_DETAILS, "{" }, { FIELD_DETAILS, "" } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Entry e = entry_of("hyper-managerd.service", "a", "state");

                set(&e, FIELD_STATE, "RUNNING");
                ck_assert_int_eq(decode(&e), 0);
                set(&e, cases[i].field, cases[i].value);
                ck_assert_msg(decode(&e) == -EBADMSG, "%d %s", (int) cases[i].field, strna(cases[i].value));
        }
}
END_TEST

START_TEST(binary_and_huge_fields_are_bounded) {
        size_t huge = 10 * 1024 * 1024;
        _cleanup_free_ char *data = malloc(huge);
        Entry e = entry_of("hyper-managerd.service", "a", "note");
        _cleanup_(job_event_freep) JobEvent *event = NULL;

        memset(data, 0xff, huge);
        e.fields[FIELD_MESSAGE] = (EventFieldValue){ .data = data, .size = huge };
        ck_assert_int_eq(job_event_decode(e.fields, &event), 0);
        ck_assert_uint_le(strlen(event->message), EVENT_MESSAGE_MAX);
        ck_assert_uint_gt(strlen(event->message), EVENT_MESSAGE_MAX - 4);
        ck_assert(utf8_is_valid(event->message));

        memset(data, ' ', huge);
        for (EventField f = FIELD_PHASE; f <= FIELD_DETAILS; f++) {
                e = entry_of("hyper-managerd.service", "a", "note");
                e.fields[f] = (EventFieldValue){ .data = data, .size = huge };
                ck_assert_msg(decode(&e) == -EBADMSG, "%d", (int) f);
        }
        /* "a" and what stands behind a NUL are not the same id */
        e = entry_of("hyper-managerd.service", "a", "note");
        e.fields[FIELD_JOB_ID] = (EventFieldValue){ .data = "a\0b", .size = 3 };
        ck_assert_int_eq(decode(&e), -EBADMSG);
}
END_TEST

START_TEST(what_cannot_be_sent_is_refused) {
        JobEvent e = JOB_EVENT_INIT(EVENT_NOTE);
        _cleanup_free_ char *text = malloc(EVENT_DETAILS_MAX + 1);

        ck_assert_int_eq(job_event_send(&e), -EINVAL);
        e.job_id = (char *) "a";
        e.kind = _EVENT_KIND_INVALID;
        ck_assert_int_eq(job_event_send(&e), -EINVAL);
        e.kind = EVENT_NOTE;
        memset(text, 'x', EVENT_DETAILS_MAX);
        text[EVENT_DETAILS_MAX] = 0;
        e.details = json_pack("{s:s}", "a", text);
        ck_assert_int_eq(job_event_send(&e), -E2BIG);
        json_decref(e.details);
}
END_TEST

START_TEST(kinds_read_back_as_themselves) {
        for (EventKind k = 0; k < _EVENT_KIND_MAX; k++)
                ck_assert_int_eq(event_kind_from_string(event_kind_to_string(k)), k);
        ck_assert_int_eq(event_kind_from_string("STATE"), _EVENT_KIND_INVALID);
        ck_assert_ptr_null(event_kind_to_string(_EVENT_KIND_INVALID));
}
END_TEST

TEST_MAIN("job-event", a_full_event_is_read, what_is_not_there_is_not_known,
                only_the_manager_and_the_job_itself_are_believed, lines_that_are_no_events_are_told_apart,
                fields_that_make_no_sense_are_refused, binary_and_huge_fields_are_bounded,
                what_cannot_be_sent_is_refused, kinds_read_back_as_themselves)
