/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each change of state is in the journal once, wherever between the database and the journal the manager was
 * killed. */

#include <sys/wait.h>

#include "basic/log.h"
#include "spec/job-file.h"
#include "unit/lib/journal-writer.h"
#include "unit/lib/manager-test.h"

/* The journal as the next manager finds it: it has the changes up to @last, and journald wrote them when it
 * came to it, long after they (and others) were recorded. */
static void journal_has(Fixture *f, uint64_t last) {
        JournalWriter w;

        journal_writer_start(&w, f->dir);
        w.realtime = test_clock + 60 * USEC_PER_SEC;
        for (uint64_t i = 1; i <= last; i++) {
                _cleanup_free_ char *change = strprintf("HYPER_CHANGE=%" PRIu64, i);

                journal_write(&w,
                                (const char *[]){ "_SYSTEMD_UNIT=hyper-managerd.service", "HYPER_JOB_ID=a",
                                                "HYPER_EVENT=state", change, NULL });
        }
        journal_writer_stop(&w);
}

/* Another manager: what it logs. */
static const char *next_logs(Fixture *f) {
        manager_down(f);
        f->logged[0] = 0;
        manager_up(f);
        return f->logged;
}

static void ends(Fixture *f, const char *id) {
        leave_mark(f, id, JOB_MARK_PUBLISHED);
        fake_ends(f, id, "success", CLD_EXITED, 0, true);
        expect_state(f, id, JOB_COMPLETED);
}

BUS_TEST(changes_are_logged_in_order)
        submit(&f, "a", NULL);
        settle_down(&f);
        ends(&f, "a");
        ck_assert_str_eq(f.logged,
                        "1 a CREATED\n2 a VALIDATED\n3 a QUEUED\n4 a ASSIGNED\n5 a RUNNING\n6 a "
                        "COMPLETED\n");
BUS_TEST_END

/* The manager was killed right after the transaction. */
BUS_TEST(an_end_that_was_recorded_and_not_logged_is_logged)
        submit(&f, "a", NULL);
        settle_down(&f);
        ends(&f, "a");
        manager_down(&f);
        journal_has(&f, 5);
        ck_assert_str_eq(next_logs(&f), "6 a COMPLETED\n");
BUS_TEST_END

/* One transaction can have several changes: it was killed between logging the first and the second. */
BUS_TEST(the_second_change_of_a_transaction_is_logged)
        submit(&f, "a", NULL);
        settle_down(&f);
        manager_down(&f);
        journal_has(&f, 2);
        ck_assert_str_eq(next_logs(&f), "3 a QUEUED\n4 a ASSIGNED\n5 a RUNNING\n");
BUS_TEST_END

BUS_TEST(what_is_logged_is_not_logged_again)
        submit(&f, "a", NULL);
        settle_down(&f);
        manager_down(&f);
        journal_has(&f, 5);
        ck_assert_str_eq(next_logs(&f), "");
        ends(&f, "a");
        ck_assert_str_eq(f.logged, "6 a COMPLETED\n");
BUS_TEST_END

BUS_TEST(a_new_journal_hears_of_unfinished_jobs_only)
        submit(&f, "a", NULL);
        settle_down(&f);
        ends(&f, "a");
        submit(&f, "b", NULL);
        settle_down(&f);
        ck_assert_str_eq(next_logs(&f),
                        "7 b CREATED\n8 b VALIDATED\n9 b QUEUED\n10 b ASSIGNED\n11 b RUNNING\n");
        ends(&f, "b");
        ck_assert_ptr_nonnull(strstr(f.logged, "12 b COMPLETED\n"));
BUS_TEST_END

/* The database was restored from a backup, or is new. */
BUS_TEST(a_journal_that_is_ahead_of_the_database_hides_nothing)
        submit(&f, "a", NULL);
        settle_down(&f);
        manager_down(&f);
        journal_has(&f, 40);
        ck_assert_str_eq(next_logs(&f), "");
        ends(&f, "a");
        ck_assert_str_eq(f.logged, "6 a COMPLETED\n");
BUS_TEST_END

BUS_TEST(what_could_not_be_logged_is_logged_with_the_next_change)
        log_set_max_level(LOG_EMERG);
        f.log_error = -ENOBUFS;
        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_str_eq(f.logged, "");
        f.log_error = 0;
        ends(&f, "a");
        ck_assert_str_eq(f.logged,
                        "1 a CREATED\n2 a VALIDATED\n3 a QUEUED\n4 a ASSIGNED\n5 a RUNNING\n6 a "
                        "COMPLETED\n");
BUS_TEST_END

int main(void) {
        const TTest *const tests[] = { changes_are_logged_in_order,
                an_end_that_was_recorded_and_not_logged_is_logged,
                the_second_change_of_a_transaction_is_logged, what_is_logged_is_not_logged_again,
                a_new_journal_hears_of_unfinished_jobs_only,
                a_journal_that_is_ahead_of_the_database_hides_nothing,
                what_could_not_be_logged_is_logged_with_the_next_change };

        if (!journal_writer_available()) {
                puts("systemd-journal-remote is not installed");
                return 77;
        }
        return test_run("manager-changes", test_case("manager-changes", 30, tests, ELEMENTSOF(tests)));
}
