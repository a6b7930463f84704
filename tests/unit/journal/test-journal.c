/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Follower, replay and log on real journal files. systemd-journal-remote writes them, because it takes any
 * field, also those that otherwise journald alone sets. */

#include <endian.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "journal/journal-follow.h"
#include "journal/journal-log.h"
#include "journal/journal-read.h"
#include "unit/lib/test.h"

#define WRITER "/lib/systemd/systemd-journal-remote"
#define BEGIN (1700000000 * USEC_PER_SEC)

extern char **environ;

/* --- a journal to write to
 * ---------------------------------------------------------------------------------- */

typedef struct Journal {
        char *dir;
        FILE *entries; /* in export format, not yet written */
        char *text;
        size_t size;
        usec_t now; /* of the last entry: each is a second later */
} Journal;

static void journal_done(Journal *j) {
        if (j->entries)
                fclose(j->entries);
        free(j->text);
        test_dir_freep(&j->dir);
}
#define _cleanup_test_journal_ _cleanup_(journal_done)

static Journal journal_new(void) {
        return (Journal){ .dir = test_dir(), .now = BEGIN };
}

static void field(Journal *j, const char *name, const char *data, size_t size) {
        uint64_t le = htole64(size);

        fprintf(j->entries, "%s\n", name);
        fwrite(&le, sizeof(le), 1, j->entries);
        fwrite(data, 1, size, j->entries);
        fputc('\n', j->entries);
}

static void begin_entry(Journal *j) {
        if (!j->entries)
                j->entries = open_memstream(&j->text, &j->size);
        ck_assert_ptr_nonnull(j->entries);
        j->now += USEC_PER_SEC;
        fprintf(j->entries,
                        "__REALTIME_TIMESTAMP=%" PRIu64 "\n__MONOTONIC_TIMESTAMP=%" PRIu64
                        "\n_BOOT_ID=4ae8c1a1d3a14b0bb2b5a9ae3a6a1234\n",
                        j->now, j->now - BEGIN + USEC_PER_SEC);
}

/* One line of @unit; the other fields as "NAME=value". */
static void add_v(Journal *j, const char *unit, const char *message, const char *const *fields, size_t n) {
        begin_entry(j);
        if (unit)
                fprintf(j->entries, "_SYSTEMD_UNIT=%s\n", unit);
        if (unit && startswith(unit, "hyper-job-"))
                fprintf(j->entries, "_SYSTEMD_SLICE=hyper-jobs.slice\n");
        fprintf(j->entries, "MESSAGE=%s\n", message);
        for (size_t i = 0; i < n; i++)
                fprintf(j->entries, "%s\n", fields[i]);
        fputc('\n', j->entries);
}
#define add(j, unit, message, ...)                                       \
        do {                                                             \
                const char *const f_[] = { __VA_ARGS__ };                \
                add_v(j, unit, message, f_, sizeof(f_) / sizeof(f_[0])); \
        } while (false)

static void progress_of(Journal *j, const char *id, const char *message) {
        _cleanup_free_ char *unit = strprintf("hyper-job-%s.service", id);
        _cleanup_free_ char *job_id = strprintf("HYPER_JOB_ID=%s", id);

        add(j, unit, message, job_id, "HYPER_EVENT=progress", "HYPER_PHASE=conversion");
}

static void state_of(Journal *j, const char *id, const char *state) {
        _cleanup_free_ char *job_id = strprintf("HYPER_JOB_ID=%s", id);
        _cleanup_free_ char *field_state = strprintf("HYPER_STATE=%s", state);

        add(j, "hyper-managerd.service", state, job_id, "HYPER_EVENT=state", field_state);
}

/* Appends the entries to system.journal, which is made if it is not there. */
static void flush(Journal *j) {
        _cleanup_free_ char *output = strprintf("--output=%s/system.journal", j->dir);
        _cleanup_free_ char *input = strprintf("%s/entries", j->dir);
        char *argv[] = { (char *) WRITER, output, (char *) "-", NULL };
        posix_spawn_file_actions_t actions;
        int status;
        pid_t pid;

        fclose(TAKE_PTR(j->entries));
        FILE *f = fopen(input, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(j->text, 1, j->size, f), j->size);
        ck_assert_int_eq(fclose(f), 0);
        j->text = mfree(j->text);

        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        ck_assert_int_eq(posix_spawn(&pid, WRITER, &actions, NULL, argv, environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(unlink(input), 0);
}

/* What journald does: the file gets another name, the next entry begins a new one. */
static char *rotate(Journal *j, const char *name) {
        _cleanup_free_ char *from = strprintf("%s/system.journal", j->dir);
        char *to = strprintf("%s/system@%s.journal", j->dir, name);

        ck_assert_int_eq(rename(from, to), 0);
        return to;
}

/* --- a follower that remembers what it was told
 * ------------------------------------------------------------- */

typedef struct Told {
        sd_event *event;
        JournalFollow *follow;
        char **messages;
} Told;

static void told_done(Told *t) {
        journal_follow_free(t->follow);
        sd_event_unref(t->event);
        strv_free(t->messages);
}
#define _cleanup_told_ _cleanup_(told_done)

static void on_event(JournalFollow *f, const JobEvent *event, void *userdata) {
        Told *t = userdata;

        ck_assert_ptr_eq(f, t->follow);
        ck_assert_str_eq(journal_follow_cursor(f), event->cursor);
        ck_assert_int_eq(strv_extend(&t->messages, event->message), 0);
}

static void follow(Told *t, const Journal *j, const char *cursor) {
        ck_assert_int_eq(sd_event_new(&t->event), 0);
        ck_assert_int_eq(journal_follow_new(t->event, j->dir, cursor, on_event, t, &t->follow), 0);
}

/* Runs the loop until @n messages have come, 10 s at most, then as long as it has something to do. */
static void run_until(Told *t, size_t n) {
        usec_t end = now_monotonic() + 10 * USEC_PER_SEC;

        while (strv_length(t->messages) < n && now_monotonic() < end)
                ck_assert_int_ge(sd_event_run(t->event, USEC_PER_SEC), 0);
        while (sd_event_run(t->event, 0) > 0)
                ;
}

static void check_told(Told *t, size_t n, const char *expected) {
        run_until(t, n);
        _cleanup_free_ char *found = strv_join(t->messages, " ");
        ck_assert_str_eq(found, expected);
}

/* --- tests
 * -------------------------------------------------------------------------------------------------- */

/* The messages of what journal_read_events() gives. */
static char *replay(const Journal *j, const char *id, const char *cursor, usec_t since, size_t limit) {
        _cleanup_strv_free_ char **messages = NULL;
        JobEvent **events;
        size_t n;

        ck_assert_int_eq(journal_read_events(j->dir, id, cursor, since, limit, &events, &n), 0);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(strv_extend(&messages, events[i]->message), 0);
        job_events_free(events, n);
        return strv_join(messages, " ");
}

START_TEST(a_replay_has_the_jobs_events_in_order_and_no_forged_ones) {
        _cleanup_test_journal_ Journal j = journal_new();

        state_of(&j, "a", "CREATED");
        state_of(&j, "b", "CREATED");
        progress_of(&j, "a", "one");
        add(&j, "hyper-job-a.service", "a plain line", "HYPER_JOB_ID=a");
        add(&j, "hyper-job-b.service", "forged by b", "HYPER_JOB_ID=a", "HYPER_EVENT=progress");
        add(&j, "user@1000.service", "forged", "HYPER_JOB_ID=a", "HYPER_EVENT=state",
                        "HYPER_STATE=COMPLETED");
        add(&j, NULL, "forged too", "HYPER_JOB_ID=a", "HYPER_EVENT=state", "HYPER_STATE=COMPLETED");
        add(&j, "hyper-job-a.service", "not its business", "HYPER_JOB_ID=a", "HYPER_EVENT=state",
                        "HYPER_STATE=COMPLETED");
        add(&j, "hyper-job-a.service", "nonsense", "HYPER_JOB_ID=a", "HYPER_EVENT=progress",
                        "HYPER_PERCENT=x");
        progress_of(&j, "a", "two");
        state_of(&j, "a", "COMPLETED");
        flush(&j);

        _cleanup_free_ char *a = replay(&j, "a", NULL, 0, 0), *b = replay(&j, "b", NULL, 0, 0);
        ck_assert_str_eq(a, "CREATED one two COMPLETED");
        ck_assert_str_eq(b, "CREATED");
        _cleanup_free_ char *all = replay(&j, NULL, NULL, 0, 0);
        ck_assert_str_eq(all, "CREATED CREATED one two COMPLETED");
        _cleanup_free_ char *none = replay(&j, "c", NULL, 0, 0);
        ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(all_fields_come_through_the_journal) {
        _cleanup_test_journal_ Journal j = journal_new();
        JobEvent **events;
        size_t n;

        add(&j, "hyper-job-a\\x2db.service", "moved", "HYPER_JOB_ID=a-b", "HYPER_EVENT=progress",
                        "HYPER_PHASE=conversion", "HYPER_PERCENT=12.50", "HYPER_BYTES_DONE=5",
                        "HYPER_BYTES_TOTAL=40", "HYPER_RATE=3", "HYPER_DETAILS={\"k\":true}");
        flush(&j);
        ck_assert_int_eq(journal_read_events(j.dir, "a-b", NULL, 0, 0, &events, &n), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(events[0]->realtime, BEGIN + USEC_PER_SEC);
        ck_assert_int_eq(events[0]->phase, PHASE_CONVERSION);
        ck_assert_double_eq_tol(events[0]->percent, 12.5, 1e-9);
        ck_assert_uint_eq(events[0]->bytes_done, 5);
        ck_assert_uint_eq(events[0]->bytes_total, 40);
        ck_assert_uint_eq(events[0]->rate, 3);
        ck_assert(json_is_true(json_object_get(events[0]->details, "k")));
        ck_assert(startswith(events[0]->cursor, "s="));
        job_events_free(events, n);
}
END_TEST

START_TEST(a_replay_resumes_exactly_behind_each_cursor) {
        _cleanup_test_journal_ Journal j = journal_new();
        static const char *const rests[] = { "2 3 4", "3 4", "4", "" };
        JobEvent **events;
        size_t n;

        progress_of(&j, "a", "1");
        progress_of(&j, "b", "x");
        progress_of(&j, "a", "2");
        flush(&j);
        free(rotate(&j, "1"));
        progress_of(&j, "a", "3");
        progress_of(&j, "a", "4");
        flush(&j);

        ck_assert_int_eq(journal_read_events(j.dir, "a", NULL, 0, 0, &events, &n), 0);
        ck_assert_uint_eq(n, ELEMENTSOF(rests));
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *rest = replay(&j, "a", events[i]->cursor, 0, 0);
                ck_assert_str_eq(rest, rests[i]);
        }
        /* a cursor of another job's entry is a place in the journal as well */
        _cleanup_free_ char *b = replay(&j, "b", events[0]->cursor, 0, 0);
        ck_assert_str_eq(b, "x");
        job_events_free(events, n);
}
END_TEST

/* The messages of a page, and the cursor of the last one. */
static char *page(const Journal *j, const char *cursor, bool progress, size_t limit, char **ret_cursor) {
        _cleanup_strv_free_ char **messages = NULL;
        JobEvent **events;
        size_t n;

        ck_assert_int_eq(journal_read_page(j->dir, "a", cursor, progress, limit, &events, &n), 0);
        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(strv_extend(&messages, events[i]->message), 0);
                ck_assert_int_eq(free_and_strdup(ret_cursor, events[i]->cursor), 0);
        }
        job_events_free(events, n);
        return strv_join(messages, " ");
}

START_TEST(pages_of_a_log) {
        _cleanup_test_journal_ Journal j = journal_new();
        _cleanup_free_ char *cursor = NULL, *ignored = NULL;

        state_of(&j, "a", "CREATED");
        progress_of(&j, "a", "1");
        state_of(&j, "b", "QUEUED");
        state_of(&j, "a", "QUEUED");
        progress_of(&j, "a", "2");
        state_of(&j, "a", "RUNNING");
        flush(&j);
        _cleanup_free_ char *all = page(&j, NULL, true, 10, &ignored),
                            *first = page(&j, NULL, false, 2, &cursor),
                            *second = page(&j, cursor, false, 2, &cursor);
        ck_assert_str_eq(all, "CREATED 1 QUEUED 2 RUNNING");
        ck_assert_str_eq(first, "CREATED QUEUED");
        ck_assert_str_eq(second, "RUNNING");
        _cleanup_free_ char *none = page(&j, cursor, false, 2, &cursor);
        ck_assert_str_eq(none, "");
        state_of(&j, "a", "COMPLETED");
        flush(&j);
        _cleanup_free_ char *more = page(&j, cursor, false, 2, &cursor);
        ck_assert_str_eq(more, "COMPLETED");
}
END_TEST

START_TEST(a_cursor_that_is_gone_is_refused) {
        _cleanup_test_journal_ Journal j = journal_new();
        JobEvent **events;
        size_t n;

        progress_of(&j, "a", "1");
        flush(&j);
        ck_assert_int_eq(journal_read_events(j.dir, "a", NULL, 0, 0, &events, &n), 0);
        _cleanup_free_ char *cursor = strdup(events[0]->cursor), *old = rotate(&j, "1");
        job_events_free(events, n);
        progress_of(&j, "a", "2");
        flush(&j);
        _cleanup_free_ char *rest = replay(&j, "a", cursor, 0, 0);
        ck_assert_str_eq(rest, "2");

        ck_assert_int_eq(unlink(old), 0);
        ck_assert_int_eq(journal_read_events(j.dir, "a", cursor, 0, 0, &events, &n), -EINVAL);

        static const char *const bad[] = { "", "x", "s=1", "s=zz;i=1",
                ("s=17a67f0817ad4ca5b897bd3d438c1cfa;i=ffffffff;b=4ae8c1a1d3a14b0bb2b5a9ae3a6a1234;"
                 "m=ffffffffff;t=ffffffffffff;x=1") };
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(journal_read_events(j.dir, "a", bad[i], 0, 0, &events, &n) == -EINVAL, "%s",
                                bad[i]);
}
END_TEST

START_TEST(since_and_limit_cut_a_replay) {
        _cleanup_test_journal_ Journal j = journal_new();

        for (int i = 1; i <= 5; i++) {
                char message[2] = { (char) ('0' + i), 0 };
                progress_of(&j, "a", message);
        }
        flush(&j);
        static const struct {
                usec_t since;
                size_t limit;
                const char *expected;
        } cases[] = { { 0, 2, "1 2" }, { BEGIN + 3 * USEC_PER_SEC, 0, "3 4 5" },
                { BEGIN + 3 * USEC_PER_SEC + 1, 0, "4 5" }, { BEGIN + 3 * USEC_PER_SEC, 1, "3" },
                { BEGIN + 6 * USEC_PER_SEC, 0, "" }, { 1, 0, "1 2 3 4 5" } };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *found = replay(&j, "a", NULL, cases[i].since, cases[i].limit);
                ck_assert_str_eq(found, cases[i].expected);
        }
}
END_TEST

/* In steps of two entries. */
static JournalLog *read_log(const char *directory, const char *id, size_t tail) {
        JournalLog *l;
        int r;

        ck_assert_int_eq(journal_log_open(directory, id, tail, &l), 0);
        while ((r = journal_log_step(l, 2)) > 0)
                ;
        ck_assert_int_eq(r, 0);
        return l;
}

static void check_log(const Journal *j, const char *id, size_t tail, size_t total, const char *expected) {
        _cleanup_(journal_log_freep) JournalLog *log = read_log(j->dir, id, tail);
        _cleanup_free_ char *found = strv_join(journal_log_lines(log), "|");

        ck_assert_str_eq(found, expected);
        ck_assert_uint_eq(journal_log_total(log), total);
}

START_TEST(a_log_is_what_the_unit_said_and_what_was_said_of_it) {
        _cleanup_test_journal_ Journal j = journal_new();

        state_of(&j, "a", "CREATED");
        add(&j, "init.scope", "Started.", "_PID=1", "UNIT=hyper-job-a.service");
        add(&j, "hyper-job-a.service", "qemu-nbd: hello");
        add(&j, "hyper-job-b.service", "not mine", "HYPER_JOB_ID=a");
        add(&j, "evil.service", "forged", "_PID=77", "UNIT=hyper-job-a.service");
        begin_entry(&j);
        fprintf(j.entries, "_SYSTEMD_UNIT=hyper-job-a.service\n");
        field(&j, "MESSAGE", "two\nlines \xff\0", 12);
        fputc('\n', j.entries);
        add(&j, "hyper-job-a.service", "");
        flush(&j);

        check_log(&j, "a", 0, 5,
                        "2023-11-14T22:13:21Z CREATED|2023-11-14T22:13:22Z Started.|"
                        "2023-11-14T22:13:23Z qemu-nbd: hello|"
                        "2023-11-14T22:13:26Z two lines \xef\xbf\xbd\xef\xbf\xbd|2023-11-14T22:13:27Z ");
        check_log(&j, "a", 1, 5, "2023-11-14T22:13:27Z ");
        check_log(&j, "a", 3, 5,
                        "2023-11-14T22:13:23Z qemu-nbd: hello|"
                        "2023-11-14T22:13:26Z two lines \xef\xbf\xbd\xef\xbf\xbd|2023-11-14T22:13:27Z ");
        check_log(&j, "c", 0, 0, "");
}
END_TEST

START_TEST(huge_and_binary_lines_do_no_harm) {
        _cleanup_test_journal_ Journal j = journal_new();
        size_t huge = 8 * 1024 * 1024, n;
        _cleanup_free_ char *data = malloc(huge);
        JobEvent **events;

        for (size_t i = 0; i < huge; i++)
                data[i] = (char) (i * 7919 >> 3);
        begin_entry(&j);
        fprintf(j.entries, "_SYSTEMD_UNIT=hyper-job-a.service\nHYPER_JOB_ID=a\nHYPER_EVENT=note\n");
        field(&j, "MESSAGE", data, huge);
        fputc('\n', j.entries);
        begin_entry(&j);
        fprintf(j.entries,
                        "_SYSTEMD_UNIT=hyper-job-a.service\nHYPER_JOB_ID=a\nHYPER_EVENT=note\nMESSAGE=x\n");
        memset(data, ' ', huge); /* compresses well, and is valid in front of JSON */
        field(&j, "HYPER_DETAILS", data, huge);
        fputc('\n', j.entries);
        flush(&j);

        _cleanup_(journal_log_freep) JournalLog *log = read_log(j.dir, "a", 0);
        char *const *lines = journal_log_lines(log);
        ck_assert_uint_eq(journal_log_total(log), 2);
        ck_assert_uint_lt(strlen(lines[0]), 9000);
        ck_assert(utf8_is_valid(lines[0]));
        ck_assert_int_eq(journal_read_events(j.dir, "a", NULL, 0, 0, &events, &n), 0);
        ck_assert_uint_eq(n, 1); /* details of 8 MiB are malformed */
        ck_assert_uint_le(strlen(events[0]->message), EVENT_MESSAGE_MAX);
        job_events_free(events, n);
}
END_TEST

START_TEST(a_follower_tells_what_comes_and_not_what_was) {
        _cleanup_test_journal_ Journal j = journal_new();
        _cleanup_told_ Told t = {};

        progress_of(&j, "a", "old");
        flush(&j);
        follow(&t, &j, NULL);
        ck_assert_ptr_nonnull(journal_follow_cursor(t.follow));
        progress_of(&j, "a", "1");
        add(&j, "evil.service", "forged", "HYPER_JOB_ID=a", "HYPER_EVENT=note");
        flush(&j);
        check_told(&t, 1, "1");
        state_of(&j, "b", "CREATED");
        progress_of(&j, "b", "2");
        flush(&j);
        check_told(&t, 3, "1 CREATED 2");
}
END_TEST

START_TEST(a_follower_tells_the_first_matching_entry_ever) {
        _cleanup_test_journal_ Journal j = journal_new();
        _cleanup_told_ Told t = {};

        add(&j, "cron.service", "nothing of ours");
        add(&j, "cron.service", "nothing of ours");
        flush(&j);
        follow(&t, &j, NULL);
        run_until(&t, 0);
        add(&j, "cron.service", "still nothing");
        flush(&j);
        run_until(&t, 0);
        progress_of(&j, "a", "1");
        flush(&j);
        check_told(&t, 1, "1");
        progress_of(&j, "a", "2");
        flush(&j);
        check_told(&t, 2, "1 2");
}
END_TEST

START_TEST(a_follower_of_an_empty_journal_tells_all_that_comes) {
        _cleanup_test_journal_ Journal j = journal_new();
        _cleanup_told_ Told t = {};

        follow(&t, &j, NULL);
        ck_assert_ptr_null(journal_follow_cursor(t.follow));
        run_until(&t, 0);
        progress_of(&j, "a", "1");
        flush(&j);
        check_told(&t, 1, "1");
        progress_of(&j, "a", "2");
        flush(&j);
        check_told(&t, 2, "1 2");
}
END_TEST

START_TEST(a_follower_begins_behind_its_cursor) {
        _cleanup_test_journal_ Journal j = journal_new();
        _cleanup_told_ Told t = {}, again = {}, bad = {};
        JobEvent **events;
        size_t n;

        progress_of(&j, "a", "1");
        progress_of(&j, "a", "2");
        progress_of(&j, "a", "3");
        flush(&j);
        ck_assert_int_eq(journal_read_events(j.dir, "a", NULL, 0, 0, &events, &n), 0);
        follow(&t, &j, events[0]->cursor);
        ck_assert_str_eq(journal_follow_cursor(t.follow), events[0]->cursor);
        check_told(&t, 2, "2 3");
        ck_assert_str_eq(journal_follow_cursor(t.follow), events[2]->cursor);
        job_events_free(events, n);

        /* a daemon that starts again, with what came while it was away */
        progress_of(&j, "a", "4");
        flush(&j);
        follow(&again, &j, journal_follow_cursor(t.follow));
        check_told(&again, 1, "4");
        check_told(&t, 3, "2 3 4");

        ck_assert_int_eq(sd_event_new(&bad.event), 0);
        ck_assert_int_eq(journal_follow_new(bad.event, j.dir, "x", on_event, &bad, &bad.follow), -EINVAL);
}
END_TEST

START_TEST(a_follower_loses_nothing_and_repeats_nothing_over_rotation) {
        _cleanup_test_journal_ Journal j = journal_new();
        _cleanup_told_ Told t = {};

        add(&j, "cron.service", "nothing of ours");
        flush(&j);
        follow(&t, &j, NULL);
        progress_of(&j, "a", "1");
        flush(&j);
        check_told(&t, 1, "1");

        /* rotated after everything was told */
        _cleanup_free_ char *first = rotate(&j, "1");
        progress_of(&j, "a", "2");
        flush(&j);
        check_told(&t, 2, "1 2");

        /* rotated with something untold in the old file */
        progress_of(&j, "a", "3");
        flush(&j);
        _cleanup_free_ char *second = rotate(&j, "2");
        progress_of(&j, "a", "4");
        flush(&j);
        check_told(&t, 4, "1 2 3 4");

        /* vacuumed: also the file that the follower stood in */
        _cleanup_free_ char *third = rotate(&j, "3");
        ck_assert_int_eq(unlink(first), 0);
        ck_assert_int_eq(unlink(second), 0);
        ck_assert_int_eq(unlink(third), 0);
        run_until(&t, 0);
        progress_of(&j, "a", "5");
        flush(&j);
        progress_of(&j, "a", "6");
        flush(&j);
        check_told(&t, 6, "1 2 3 4 5 6");
}
END_TEST

START_TEST(a_follower_whose_place_is_gone_begins_with_what_is_left) {
        _cleanup_test_journal_ Journal j = journal_new();
        _cleanup_told_ Told t = {}, again = {};

        follow(&t, &j, NULL);
        progress_of(&j, "a", "1");
        flush(&j);
        check_told(&t, 1, "1");
        _cleanup_free_ char *old = rotate(&j, "1");
        progress_of(&j, "a", "2");
        progress_of(&j, "a", "3");
        flush(&j);
        ck_assert_int_eq(unlink(old), 0);
        follow(&again, &j, journal_follow_cursor(t.follow));
        check_told(&again, 2, "2 3");
}
END_TEST

START_TEST(a_large_backlog_is_told_in_turns_and_whole) {
        _cleanup_test_journal_ Journal j = journal_new();
        _cleanup_told_ Told t = {};
        JobEvent **events;
        size_t n;

        for (int i = 0; i < 1000; i++) {
                char message[16];
                snprintf(message, sizeof(message), "%d", i);
                progress_of(&j, "a", message);
        }
        flush(&j);
        ck_assert_int_eq(journal_read_events(j.dir, "a", NULL, 0, 1, &events, &n), 0);
        follow(&t, &j, events[0]->cursor);
        job_events_free(events, n);

        /* one turn of the loop must not take it all: other clients wait */
        ck_assert_int_gt(sd_event_run(t.event, USEC_PER_SEC), 0);
        ck_assert_uint_lt(strv_length(t.messages), 999);
        run_until(&t, 999);
        ck_assert_uint_eq(strv_length(t.messages), 999);
        for (int i = 0; i < 999; i++)
                ck_assert_int_eq(atoi(t.messages[i]), i + 1);
}
END_TEST

/* Without the writer there is nothing to test on: skipped, before main() begins. */
__attribute__((__constructor__)) static void skip_without_writer(void) {
        if (access(WRITER, X_OK) < 0) {
                fprintf(stderr, "%s is not there (package systemd-journal-remote)\n", WRITER);
                exit(77);
        }
}

TEST_MAIN("journal", a_replay_has_the_jobs_events_in_order_and_no_forged_ones,
                all_fields_come_through_the_journal, a_replay_resumes_exactly_behind_each_cursor,
                pages_of_a_log, a_cursor_that_is_gone_is_refused, since_and_limit_cut_a_replay,
                a_log_is_what_the_unit_said_and_what_was_said_of_it, huge_and_binary_lines_do_no_harm,
                a_follower_tells_what_comes_and_not_what_was, a_follower_tells_the_first_matching_entry_ever,
                a_follower_of_an_empty_journal_tells_all_that_comes, a_follower_begins_behind_its_cursor,
                a_follower_loses_nothing_and_repeats_nothing_over_rotation,
                a_follower_whose_place_is_gone_begins_with_what_is_left,
                a_large_backlog_is_told_in_turns_and_whole)
