/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Schedules as their callers and their timers meet them, with a clock that the test moves. It stands at
 * 08:00:00 UTC on Friday, 15 January 2027. */

#include <fcntl.h>
#include <jansson.h>

#include "manager/managed-objects.h"
#include "manager/schedule/schedule-timer.h"
#include "shared/error-table.h"
#include "spec/job-file.h"
#include "store/jobs.h"
#include "store/schedule-runs.h"
#include "store/schedules.h"
#include "unit/lib/manager-test.h"
#include "json/json-table.h"

#define NIGHTLY "0 2 * * *"
/* Two in the night after the day on which tests begin */
#define FIRST_NIGHT (1800000000 * USEC_PER_SEC + 18 * USEC_PER_HOUR)
#define DAY (24 * USEC_PER_HOUR)

/* clang-format off */
#define SCHEDULE_TEST(name) START_TEST(name) { Fixture f; setenv("TZ", "UTC", true); fixture_open(&f); manager_up(&f);
#define SCHEDULE_TEST_END fixture_close(&f); } END_TEST
/* clang-format on */

static char *definition(Fixture *f, const char *id, const char *expression, const char *extra) {
        _cleanup_free_ char *source = strprintf("%s/source.raw", f->dir);

        make_file(source, "disk");
        return strprintf("{\"id\":\"%s\",\"schedule\":\"%s\",\"job\":{\"operation\":\"convert\","
                         "\"source\":{\"type\":\"file\",\"path\":\"%s\"},"
                         "\"destination\":{\"type\":\"file\",\"path\":\"%s/{job_id}.raw\"}}%s}",
                        id, expression, source, f->dir, strempty(extra));
}

static void create(Fixture *f, const char *id, const char *expression, const char *extra) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *text = definition(f, id, expression, extra);

        ck_assert_msg(call(f, "CreateSchedule", NULL, &error, "sa{sv}", text, 0) >= 0, "%s", error.message);
        settle_down(f);
}

static void update(Fixture *f, const char *id, const char *changes) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_msg(call(f, "UpdateSchedule", NULL, &error, "ssa{sv}", id, changes, 0) >= 0, "%s",
                        error.message);
        settle_down(f);
}

static ScheduleRow *row_of(Fixture *f, const char *id) {
        ScheduleRow *row = NULL;

        ck_assert_int_eq(store_schedule_get(f->store, id, &row), 0);
        return row;
}

static usec_t next_of(Fixture *f, const char *id) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = row_of(f, id);

        return row->next_at;
}

/* The job it led to, as a copy; "" for none. */
static char *trigger_with(Fixture *f, const char *id, bool timer) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL;
        const char *job;
        char *copy;

        ck_assert_msg(call(f, "TriggerSchedule", &m, &error, "sa{sv}", id, 1, "timer", "b", (int) timer) >=
                                        0,
                        "%s", error.message);
        ck_assert_int_gt(sd_bus_message_read(m, "s", &job), 0);
        copy = strdup(job);
        sd_bus_message_unref(m);
        settle_down(f);
        return copy;
}

static char *timer_fires(Fixture *f, const char *id) {
        return trigger_with(f, id, true);
}

static char *timer_fires_at(Fixture *f, const char *id, usec_t when) {
        test_clock = when;
        return timer_fires(f, id);
}

static void assert_runs(Fixture *f, const char *id, const char *expected) {
        _cleanup_(schedule_runs_done) ScheduleRuns runs = {};
        _cleanup_strv_free_ char **statuses = NULL;
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(store_schedule_runs_list(f->store, id, 100, &runs), 0);
        for (size_t i = runs.n; i > 0; i--)
                ck_assert_int_ge(strv_extend(&statuses, runs.runs[i - 1].status), 0);
        text = strv_join(statuses, " ");
        ck_assert_str_eq(text, expected);
}

static void job_ends_well(Fixture *f, const char *id) {
        leave_mark(f, id, JOB_MARK_PUBLISHED);
        fake_ends(f, id, "success", CLD_EXITED, 0, true);
        ck_assert_int_eq(state_of(f, id), JOB_COMPLETED);
}

static void assert_timer(Fixture *f, const char *id, const char *expected) {
        FakeUnit *u = timer_of(f, id);
        _cleanup_free_ char *when = NULL;

        ck_assert_msg(u, "%s has no timer", id);
        when = strv_join(u->when, " ");
        ck_assert_str_eq(when, expected);
}

/* --- rows and timers ------------------------------------------------------------------------------- */

SCHEDULE_TEST(every_placeholder_of_the_destination_is_filled_in)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *directory = strprintf("%s/x-{job_id}-{job_id}", f.dir), *source = NULL,
                            *good = NULL, *bad = NULL, *job_id = NULL;
        _cleanup_(job_row_freep) JobRow *job = NULL;

        source = strprintf("%s/source.raw", f.dir);
        make_file(source, "disk");
        good = strprintf("{\"id\":\"twice\",\"schedule\":\"" NIGHTLY "\",\"job\":{\"operation\":\"convert\","
                         "\"source\":{\"type\":\"file\",\"path\":\"%s\"},"
                         "\"destination\":{\"type\":\"file\",\"path\":\"%s.raw\"}}}",
                        source, directory);
        bad = strprintf("{\"id\":\"odd\",\"schedule\":\"" NIGHTLY "\",\"job\":{\"operation\":\"convert\","
                        "\"source\":{\"type\":\"file\",\"path\":\"%s\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"%s/{date}.raw\"}}}",
                        source, f.dir);
        ck_assert_int_lt(call(&f, "CreateSchedule", NULL, &error, "sa{sv}", bad, 0), 0);
        ck_assert_ptr_nonnull(
                        strstr(error.message, "job.destination.path: must not have the placeholder {date}"));
        sd_bus_error_free(&error);
        ck_assert_msg(call(&f, "CreateSchedule", NULL, &error, "sa{sv}", good, 0) >= 0, "%s", error.message);
        settle_down(&f);
        job_id = trigger_with(&f, "twice", false);
        ck_assert_int_eq(store_job_get(f.store, job_id, &job), 0);
        ck_assert_ptr_nonnull(strstr(job->spec, job_id));
        ck_assert_ptr_null(strstr(job->spec, "{job_id}"));
SCHEDULE_TEST_END

SCHEDULE_TEST(a_schedule_has_a_timer_and_a_next_time)
        create(&f, "nights", NIGHTLY, NULL);
        assert_timer(&f, "nights", "OnCalendar=*-*-* 02:00:00");
        ck_assert_uint_eq(next_of(&f, "nights"), FIRST_NIGHT);
        create(&f, "either", "0 4 1 * mon", NULL);
        ck_assert_uint_eq(strv_length(timer_of(&f, "either")->when), 2);
        create(&f, "often", "@every 90m", NULL);
        assert_timer(&f, "often", "OnActiveSec=5399 OnUnitActiveSec=5400");
        create(&f, "off", NIGHTLY, ",\"enabled\":false");
        ck_assert_ptr_null(timer_of(&f, "off"));
        ck_assert_uint_eq(next_of(&f, "off"), 0);
SCHEDULE_TEST_END

static void refused(Fixture *f, const char *name, const char *words, const char *text) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_msg(call(f, "CreateSchedule", NULL, &error, "sa{sv}", text, 0) < 0, "accepted: %s", text);
        ck_assert_msg(streq(error.name, name) && strstr(error.message, words), "%s: %s", error.name,
                        error.message);
}

SCHEDULE_TEST(an_error_of_a_schedule_has_its_fields)
        refused(&f, HYPER_BUS_ERROR_INVALID_SCHEDULE, "job.source.path",
                        "{\"enabled\":7,\"schedule\":\"@daily\","
                        "\"job\":{\"operation\":\"convert\",\"source\":{"
                        "\"type\":\"file\",\"path\":\"x\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"/srv/x.raw\"}}}");
        ck_assert_uint_eq(f.fields.n_errors, 2);
        ck_assert(json_errors_has(&f.fields, "enabled"));
        ck_assert(json_errors_has(&f.fields, "job.source.path"));
        create(&f, "nights", NIGHTLY, NULL);
        ck_assert_int_lt(call(&f, "UpdateSchedule", NULL, NULL, "ssa{sv}", "nights", "{\"id\":\"days\"}", 0),
                        0);
        ck_assert_uint_eq(f.fields.n_errors, 1);
        ck_assert_str_eq(f.fields.errors[0].field, "id");
SCHEDULE_TEST_END

SCHEDULE_TEST(wrong_schedules_are_refused_by_field)
        static const char *const wrong[][2] = {
                { "JSON", "{" },
                { "schedule: must be given", "{}" },
                { "job: must be an object", "{\"schedule\":\"@daily\"}" },
                { "schedule: ", "{\"schedule\":\"61 * * * *\"}" },
                { "schedule: ", "{\"schedule\":\"TZ=Mars/Olympus @daily\"}" },
                { "schedule: ", "{\"schedule\":\"0 0 30 2 *\"}" },
                { "id: must begin", "{\"id\":\"../x\"}" },
                { "overlap_policy: ", "{\"overlap_policy\":\"often\"}" },
                { "enabled: ", "{\"enabled\":\"yes\"}" },
                { "job.operation", "{\"schedule\":\"@daily\",\"job\":{}}" },
                { "job.source.path",
                                "{\"job\":{\"operation\":\"convert\",\"source\":{\"type\":\"file\",\"path\":"
                                "\"x\"},"
                                "\"destination\":{\"type\":\"file\",\"path\":\"/srv/x\"}}}" },
        };
        _cleanup_free_ char *large = malloc(JOB_SPEC_MAX + 2),
                            *twice = definition(&f, "nights", NIGHTLY, NULL);

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                refused(&f, HYPER_BUS_ERROR_INVALID_SCHEDULE, wrong[i][0], wrong[i][1]);
        memset(large, ' ', JOB_SPEC_MAX + 1);
        large[JOB_SPEC_MAX + 1] = '\0';
        refused(&f, HYPER_BUS_ERROR_TOO_LARGE, "at most", large);
        create(&f, "nights", NIGHTLY, NULL);
        refused(&f, HYPER_BUS_ERROR_SCHEDULE_EXISTS, "nights", twice);
SCHEDULE_TEST_END

SCHEDULE_TEST(what_there_is_not_cannot_be_changed)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_int_eq(call(&f, "DeleteSchedule", NULL, &error, "s", "none"), -ENOENT);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_NO_SUCH_SCHEDULE);
        ck_assert_int_eq(call(&f, "UpdateSchedule", NULL, NULL, "ssa{sv}", "none", "{}", 0), -ENOENT);
        ck_assert_int_eq(call(&f, "EnableSchedule", NULL, NULL, "s", "../none"), -ENOENT);
        ck_assert_int_eq(call(&f, "GetSchedule", NULL, NULL, "s", ""), -ENOENT);
        ck_assert_int_eq(call(&f, "TriggerSchedule", NULL, NULL, "sa{sv}", "none", 0), -ENOENT);
        /* A timer that is left over is no error that would have it try again for ever. */
        _cleanup_free_ char *job = timer_fires(&f, "none");
        ck_assert_str_eq(job, "");
SCHEDULE_TEST_END

SCHEDULE_TEST(changes_leave_the_rest_and_touch_the_timer_only_if_they_must)
        create(&f, "a", NIGHTLY, ",\"overlap_policy\":\"queue\"");
        unsigned starts = timer_of(&f, "a")->starts;

        update(&f, "a", "{\"name\":\"Nights\",\"catch_up\":false}");
        _cleanup_(schedule_row_freep) ScheduleRow *row = row_of(&f, "a");
        ck_assert_str_eq(row->name, "Nights");
        ck_assert(!row->catch_up && row->enabled);
        ck_assert_int_eq(row->overlap, OVERLAP_QUEUE);
        ck_assert_str_eq(row->expression, NIGHTLY);
        ck_assert_uint_eq(timer_of(&f, "a")->starts, starts);

        update(&f, "a", "{\"schedule\":\"30 3 * * *\"}");
        assert_timer(&f, "a", "OnCalendar=*-*-* 03:30:00");
        ck_assert_uint_eq(next_of(&f, "a"), FIRST_NIGHT + 90 * USEC_PER_MINUTE);

        ck_assert_int_ge(call(&f, "DisableSchedule", NULL, NULL, "s", "a"), 0);
        settle_down(&f);
        ck_assert_ptr_null(timer_of(&f, "a"));
        ck_assert_uint_eq(next_of(&f, "a"), 0);
        ck_assert_int_ge(call(&f, "EnableSchedule", NULL, NULL, "s", "a"), 0);
        settle_down(&f);
        ck_assert_ptr_nonnull(timer_of(&f, "a"));
        ck_assert_uint_eq(next_of(&f, "a"), FIRST_NIGHT + 90 * USEC_PER_MINUTE);

        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        ck_assert_int_lt(call(&f, "UpdateSchedule", NULL, &error, "ssa{sv}", "a", "{\"id\":\"b\"}", 0), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "id: must stay"));
SCHEDULE_TEST_END

SCHEDULE_TEST(a_deleted_schedule_leaves_its_jobs)
        create(&f, "a", NIGHTLY, NULL);
        _cleanup_free_ char *job = trigger_with(&f, "a", false);
        ck_assert_int_ge(call(&f, "DeleteSchedule", NULL, NULL, "s", "a"), 0);
        settle_down(&f);
        ck_assert_ptr_null(timer_of(&f, "a"));
        ck_assert_int_eq(state_of(&f, job), JOB_RUNNING);
        job_ends_well(&f, job);
SCHEDULE_TEST_END

/* --- runs ------------------------------------------------------------------------------------------ */

SCHEDULE_TEST(a_timer_that_fires_makes_one_job)
        create(&f, "nights", NIGHTLY, NULL);
        _cleanup_free_ char *job = timer_fires_at(&f, "nights", FIRST_NIGHT + 300 * USEC_PER_MSEC),
                            *again = timer_fires(&f, "nights");
        ck_assert_msg(startswith(job, "nights-20270116T020000Z-"), "%s", job);
        ck_assert_str_eq(again, "");
        ck_assert_int_eq(state_of(&f, job), JOB_RUNNING);
        ck_assert_uint_eq(next_of(&f, "nights"), FIRST_NIGHT + DAY);
        assert_runs(&f, "nights", "running");
        job_ends_well(&f, job);
        assert_runs(&f, "nights", "COMPLETED");

        _cleanup_(schedule_row_freep) ScheduleRow *row = row_of(&f, "nights");
        ck_assert_str_eq(row->last_job_id, job);
        ck_assert_str_eq(row->last_status, "COMPLETED");
        ck_assert_uint_eq(row->run_count, 1);
        ck_assert_uint_eq(row->success_count, 1);
        ck_assert_uint_eq(row->failure_count, 0);
SCHEDULE_TEST_END

SCHEDULE_TEST(a_timer_that_is_a_little_early_is_not_served_twice)
        create(&f, "nights", NIGHTLY, NULL);
        _cleanup_free_ char *job = timer_fires_at(&f, "nights", FIRST_NIGHT - 100 * USEC_PER_MSEC);
        ck_assert_str_ne(job, "");
        ck_assert_uint_eq(next_of(&f, "nights"), FIRST_NIGHT + DAY);
        job_ends_well(&f, job);
        _cleanup_free_ char *again = timer_fires_at(&f, "nights", FIRST_NIGHT);
        ck_assert_str_eq(again, "");
SCHEDULE_TEST_END

SCHEDULE_TEST(a_clock_that_is_set_back_over_a_time_does_not_double_it)
        create(&f, "nights", NIGHTLY, NULL);
        _cleanup_free_ char *job = timer_fires_at(&f, "nights", FIRST_NIGHT);
        job_ends_well(&f, job);
        test_clock = FIRST_NIGHT - 10 * USEC_PER_MINUTE;
        _cleanup_free_ char *again = timer_fires_at(&f, "nights", FIRST_NIGHT + USEC_PER_SEC);
        ck_assert_str_eq(again, "");
        assert_runs(&f, "nights", "COMPLETED");
SCHEDULE_TEST_END

/* As after a clock that was years ahead: the schedule must not sleep until then. */
SCHEDULE_TEST(a_clock_that_is_set_back_far_does_not_stop_a_schedule)
        create(&f, "nights", NIGHTLY, NULL);
        create(&f, "often", "@every 1h", NULL);
        _cleanup_free_ char *job = timer_fires_at(&f, "nights", FIRST_NIGHT + 700 * DAY),
                            *often = timer_fires(&f, "often");
        job_ends_well(&f, job);
        job_ends_well(&f, often);
        _cleanup_free_ char *night = timer_fires_at(&f, "nights", FIRST_NIGHT),
                            *hour = timer_fires(&f, "often");
        ck_assert_str_ne(night, "");
        ck_assert_str_ne(hour, "");
        ck_assert_uint_eq(next_of(&f, "nights"), FIRST_NIGHT + DAY);
SCHEDULE_TEST_END

SCHEDULE_TEST(a_clock_that_is_set_forward_over_times_makes_one_run)
        create(&f, "nights", NIGHTLY, NULL);
        _cleanup_free_ char *job = timer_fires_at(&f, "nights", FIRST_NIGHT + 3 * DAY + USEC_PER_HOUR);
        ck_assert_str_ne(job, "");
        ck_assert_uint_eq(next_of(&f, "nights"), FIRST_NIGHT + 4 * DAY);
SCHEDULE_TEST_END

/* In 2027, Berlin's clocks go from 02:00 to 03:00 on 28 March, 01:00 UTC. */
#define SPRING (1806195600 * USEC_PER_SEC)

SCHEDULE_TEST(a_time_that_is_skipped_runs_right_after_the_clock_change)
        test_clock = SPRING - 3 * DAY;
        create(&f, "nights", "TZ=Europe/Berlin 30 2 * * *", NULL);
        assert_timer(&f, "nights", "OnCalendar=*-*-* 02:30:00 Europe/Berlin");
        _cleanup_free_ char *day_before = timer_fires_at(&f, "nights", SPRING - DAY + 30 * USEC_PER_MINUTE);
        ck_assert_uint_eq(next_of(&f, "nights"), SPRING);
        assert_timer(&f, "nights",
                        "OnCalendar=*-*-* 02:30:00 Europe/Berlin OnCalendar=2027-03-28 01:00:00 UTC");
        job_ends_well(&f, day_before);
        _cleanup_free_ char *job = timer_fires_at(&f, "nights", SPRING);
        ck_assert_str_ne(job, "");
        job_ends_well(&f, job);
        ck_assert_uint_eq(next_of(&f, "nights"), SPRING + DAY - 30 * USEC_PER_MINUTE);
        _cleanup_free_ char *again = timer_fires_at(&f, "nights", SPRING + 30 * USEC_PER_MINUTE);
        ck_assert_str_eq(again, "");
        assert_runs(&f, "nights", "COMPLETED COMPLETED");
SCHEDULE_TEST_END

/* In 2027, they go from 03:00 back to 02:00 on 31 October, 01:00 UTC. */
#define AUTUMN (1824944400 * USEC_PER_SEC)

SCHEDULE_TEST(a_time_that_is_repeated_runs_again_only_with_wildcards)
        test_clock = AUTUMN - USEC_PER_HOUR;
        create(&f, "often", "TZ=Europe/Berlin */30 * * * *", ",\"overlap_policy\":\"allow\"");
        create(&f, "nights", "TZ=Europe/Berlin 30 2 * * *", NULL);
        assert_timer(&f, "often",
                        "OnCalendar=*-*-* *:00,30:00 Europe/Berlin OnCalendar=2027-10-31 00:30:00 UTC");
        _cleanup_free_ char *first = timer_fires_at(&f, "often", AUTUMN - 30 * USEC_PER_MINUTE),
                            *night = timer_fires(&f, "nights");
        ck_assert_str_ne(night, "");
        ck_assert_uint_eq(next_of(&f, "nights"), AUTUMN + DAY + 30 * USEC_PER_MINUTE);
        ck_assert_uint_eq(next_of(&f, "often"), AUTUMN);
        assert_timer(&f, "often",
                        "OnCalendar=*-*-* *:00,30:00 Europe/Berlin OnCalendar=2027-10-31 01:00:00 UTC");
        _cleanup_free_ char *second = timer_fires_at(&f, "often", AUTUMN);
        ck_assert_str_ne(second, "");
        assert_timer(&f, "often",
                        "OnCalendar=*-*-* *:00,30:00 Europe/Berlin OnCalendar=2027-10-31 01:30:00 UTC");
        _cleanup_free_ char *third = timer_fires_at(&f, "often", AUTUMN + 30 * USEC_PER_MINUTE),
                            *no_night = timer_fires(&f, "nights");
        ck_assert_str_ne(third, "");
        ck_assert_str_eq(no_night, "");
SCHEDULE_TEST_END

SCHEDULE_TEST(another_time_zone_of_the_machine_moves_the_run)
        create(&f, "nights", NIGHTLY, NULL);
        setenv("TZ", "Europe/Berlin", true);
        _cleanup_free_ char *job = timer_fires_at(&f, "nights", FIRST_NIGHT - USEC_PER_HOUR);
        ck_assert_str_ne(job, "");
        ck_assert_uint_eq(next_of(&f, "nights"), FIRST_NIGHT - USEC_PER_HOUR + DAY);
SCHEDULE_TEST_END

SCHEDULE_TEST(a_run_by_hand_leaves_the_next_time)
        create(&f, "nights", NIGHTLY, NULL);
        create(&f, "off", NIGHTLY, ",\"enabled\":false");
        _cleanup_free_ char *job = trigger_with(&f, "nights", false), *off = trigger_with(&f, "off", false),
                            *timer = timer_fires(&f, "off");
        ck_assert_int_eq(state_of(&f, job), JOB_RUNNING);
        ck_assert_int_eq(state_of(&f, off), JOB_RUNNING);
        ck_assert_str_eq(timer, "");
        ck_assert_uint_eq(next_of(&f, "nights"), FIRST_NIGHT);
SCHEDULE_TEST_END

SCHEDULE_TEST(skip_leaves_a_run_out_while_one_goes_on)
        create(&f, "nights", NIGHTLY, NULL);
        _cleanup_free_ char *first = timer_fires_at(&f, "nights", FIRST_NIGHT),
                            *second = timer_fires_at(&f, "nights", FIRST_NIGHT + DAY);
        ck_assert_str_eq(second, "");
        job_ends_well(&f, first);
        _cleanup_free_ char *third = timer_fires_at(&f, "nights", FIRST_NIGHT + 2 * DAY);
        ck_assert_int_eq(state_of(&f, third), JOB_RUNNING);
        assert_runs(&f, "nights", "COMPLETED skipped running");
        _cleanup_(schedule_row_freep) ScheduleRow *row = row_of(&f, "nights");
        ck_assert_uint_eq(row->run_count, 2);
SCHEDULE_TEST_END

SCHEDULE_TEST(queue_lets_runs_wait_for_each_other)
        create(&f, "nights", NIGHTLY, ",\"overlap_policy\":\"queue\"");
        _cleanup_free_ char *first = timer_fires_at(&f, "nights", FIRST_NIGHT),
                            *second = timer_fires_at(&f, "nights", FIRST_NIGHT + DAY),
                            *third = timer_fires_at(&f, "nights", FIRST_NIGHT + 2 * DAY);
        ck_assert_str_eq(second, "");
        ck_assert_str_eq(third, "");
        assert_runs(&f, "nights", "running waiting waiting");
        job_ends_well(&f, first);
        assert_runs(&f, "nights", "COMPLETED running waiting");
        _cleanup_(schedule_row_freep) ScheduleRow *row = row_of(&f, "nights");
        ck_assert_msg(startswith(row->last_job_id, "nights-20270117T"), "%s", row->last_job_id);
        ck_assert_int_ge(cancel(&f, row->last_job_id), 0);
        fake_ends(&f, row->last_job_id, "success", CLD_EXITED, 0, true);
        assert_runs(&f, "nights", "COMPLETED CANCELLED running");
SCHEDULE_TEST_END

SCHEDULE_TEST(allow_lets_them_run_side_by_side)
        create(&f, "nights", NIGHTLY, ",\"overlap_policy\":\"allow\"");
        _cleanup_free_ char *first = timer_fires_at(&f, "nights", FIRST_NIGHT),
                            *second = timer_fires_at(&f, "nights", FIRST_NIGHT + DAY);
        ck_assert_int_eq(state_of(&f, first), JOB_RUNNING);
        ck_assert_int_eq(state_of(&f, second), JOB_RUNNING);
SCHEDULE_TEST_END

SCHEDULE_TEST(a_job_that_is_refused_is_told_and_the_next_time_stays)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *source = strprintf("%s/source.raw", f.dir);

        create(&f, "nights", NIGHTLY, NULL);
        ck_assert_int_eq(unlink(source), 0);
        test_clock = FIRST_NIGHT;
        ck_assert_int_lt(call(&f, "TriggerSchedule", NULL, &error, "sa{sv}", "nights", 0), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "source.path"));
        assert_runs(&f, "nights", "refused");
        /* The service of its timer does not try that again and again. */
        make_file(source, "disk");
        _cleanup_free_ char *job = timer_fires(&f, "nights");
        ck_assert_str_ne(job, "");
        _cleanup_(schedule_row_freep) ScheduleRow *row = row_of(&f, "nights");
        ck_assert_uint_eq(row->failure_count, 1);
        ck_assert_uint_eq(row->next_at, FIRST_NIGHT + DAY);
SCHEDULE_TEST_END

/* --- what must not be lost, nor come twice --------------------------------------------------------- */

SCHEDULE_TEST(a_change_while_a_run_is_due_neither_loses_nor_doubles_it)
        create(&f, "nights", NIGHTLY, NULL);
        test_clock = FIRST_NIGHT + USEC_PER_SEC; /* the timer has fired, its service has not called yet */
        update(&f, "nights", "{\"schedule\":\"0 5 * * *\"}");
        assert_runs(&f, "nights", "running");
        ck_assert_uint_eq(next_of(&f, "nights"), FIRST_NIGHT + 3 * USEC_PER_HOUR);
        _cleanup_free_ char *late = timer_fires(&f, "nights");
        ck_assert_str_eq(late, "");
        assert_runs(&f, "nights", "running");
SCHEDULE_TEST_END

SCHEDULE_TEST(a_run_that_was_promised_is_made_up_for_by_the_next_manager)
        int64_t seq;

        create(&f, "nights", NIGHTLY, NULL);
        test_clock = FIRST_NIGHT;
        /* It died right after it had served the firing … */
        ck_assert_int_eq(store_schedule_fire(f.store, "nights", test_clock, "nights-20270116T020000Z-0000",
                                         RUN_STARTING, FIRST_NIGHT + DAY, &seq),
                        0);
        manager_down(&f);
        manager_up(&f);
        settle_down(&f);
        ck_assert_int_eq(state_of(&f, "nights-20270116T020000Z-0000"), JOB_RUNNING);
        assert_runs(&f, "nights", "running");
        /* … or after it had submitted the job, too. */
        ck_assert_int_eq(store_schedule_run_change(f.store, seq, "nights", NULL, RUN_STARTING), 0);
        manager_down(&f);
        manager_up(&f);
        settle_down(&f);
        assert_runs(&f, "nights", "running");
        _cleanup_free_ char *again = timer_fires(&f, "nights");
        ck_assert_str_eq(again, "");
SCHEDULE_TEST_END

SCHEDULE_TEST(after_a_boot_timers_are_back_and_one_missed_run_is_made_up_for)
        create(&f, "nights", NIGHTLY, NULL);
        create(&f, "hours", "0 * * * *", ",\"catch_up\":false");
        create(&f, "off", NIGHTLY, ",\"enabled\":false");
        manager_down(&f);
        for (size_t i = 0; i < f.n_units; i++)
                f.units[i].live = false;
        test_clock = FIRST_NIGHT + 2 * DAY + 90 * USEC_PER_MINUTE;
        manager_up(&f);
        ck_assert_int_ge(call(&f, "RestoreSchedules", NULL, NULL, NULL), 0);
        settle_down(&f);
        assert_runs(&f, "nights", "running");
        ck_assert_uint_eq(next_of(&f, "nights"), FIRST_NIGHT + 3 * DAY);
        assert_runs(&f, "hours", "");
        ck_assert_uint_eq(next_of(&f, "hours"), FIRST_NIGHT + 2 * DAY + 2 * USEC_PER_HOUR);
        assert_timer(&f, "nights", "OnCalendar=*-*-* 02:00:00");
        assert_timer(&f, "hours", "OnCalendar=*-*-* *:00:00");
        ck_assert_ptr_null(timer_of(&f, "off"));
        /* Again: nothing is due, timers are made anew. */
        ck_assert_int_ge(call(&f, "RestoreSchedules", NULL, NULL, NULL), 0);
        settle_down(&f);
        assert_runs(&f, "nights", "running");
        assert_timer(&f, "nights", "OnCalendar=*-*-* 02:00:00");
SCHEDULE_TEST_END

/* Whatever starts it. */
SCHEDULE_TEST(the_first_manager_of_a_boot_sets_the_timers_by_itself)
        create(&f, "nights", NIGHTLY, NULL);
        manager_down(&f);
        for (size_t i = 0; i < f.n_units; i++)
                f.units[i].live = false;
        manager_up(&f);
        settle_down(&f);
        ck_assert_ptr_null(timer_of(&f, "nights")); /* the same boot: nothing to do */
        manager_down(&f);

        _cleanup_free_ char *mark = strprintf("%s/restored", f.runtime); /* a boot empties /run */
        ck_assert_int_eq(unlink(mark), 0);
        test_clock = FIRST_NIGHT + 2 * DAY + 90 * USEC_PER_MINUTE;
        manager_up(&f);
        settle_down(&f);
        assert_timer(&f, "nights", "OnCalendar=*-*-* 02:00:00");
        assert_runs(&f, "nights", "running");
        unsigned starts = timer_of(&f, "nights")->starts;
        manager_down(&f);
        manager_up(&f);
        settle_down(&f);
        ck_assert_uint_eq(timer_of(&f, "nights")->starts, starts);
SCHEDULE_TEST_END

SCHEDULE_TEST(a_timer_whose_service_runs_is_made_when_that_has_ended)
        f.busy_timers = 2;
        create(&f, "nights", NIGHTLY, NULL);
        while (schedule_timers_pending(f.manager))
                settle_down(&f);
        assert_timer(&f, "nights", "OnCalendar=*-*-* 02:00:00");
SCHEDULE_TEST_END

SCHEDULE_TEST(a_timer_that_a_manager_could_not_make_is_made_by_the_next)
        f.busy_timers = 1000;
        create(&f, "nights", NIGHTLY, NULL);
        create(&f, "off", NIGHTLY, ",\"enabled\":false");
        manager_down(&f);
        f.busy_timers = 0;
        manager_up(&f);
        settle_down(&f);
        assert_timer(&f, "nights", "OnCalendar=*-*-* 02:00:00");
        ck_assert_ptr_null(timer_of(&f, "off"));
        /* That is over then. */
        unsigned starts = timer_of(&f, "nights")->starts;
        manager_down(&f);
        manager_up(&f);
        settle_down(&f);
        ck_assert_uint_eq(timer_of(&f, "nights")->starts, starts);
SCHEDULE_TEST_END

SCHEDULE_TEST(a_thousand_runs_are_kept)
        int64_t seq;

        create(&f, "a", NIGHTLY, NULL);
        for (unsigned i = 0; i < 1005; i++)
                ck_assert_int_eq(store_schedule_fire(f.store, "a", test_clock, NULL, RUN_SKIPPED,
                                                 FIRST_NIGHT, &seq),
                                0);
        _cleanup_(schedule_runs_done) ScheduleRuns runs = {};
        ck_assert_int_eq(store_schedule_runs_list(f.store, "a", 5000, &runs), 0);
        ck_assert_uint_eq(runs.n, 1000);
        ck_assert_int_eq(runs.runs[0].seq, seq);
SCHEDULE_TEST_END

/* --- looking --------------------------------------------------------------------------------------- */

SCHEDULE_TEST(lists_and_details)
        sd_bus_message *m = NULL;
        const char *id, *path, *name, *expression, *status, *submitter, *text;
        uint64_t total, last, next, runs;
        unsigned n = 0;
        int enabled;

        create(&f, "a.b", NIGHTLY, ",\"name\":\"Nights\"");
        create(&f, "c", "@hourly", ",\"enabled\":false");
        create(&f, "d", "@weekly", NULL);
        ck_assert_int_ge(call(&f, "ListSchedules", &m, NULL, "tt", (uint64_t) 0, (uint64_t) 2), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "t", &total), 0);
        ck_assert_uint_eq(total, 3);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(sossbtttss)"), 0);
        while (sd_bus_message_read(m, "(sossbtttss)", &id, &path, &name, &expression, &enabled, &last, &next,
                               &runs, &status, &submitter) > 0)
                if (n++ == 0) {
                        ck_assert_str_eq(id, "a.b");
                        ck_assert_str_eq(path, "/org/hyper1/schedule/a_2eb");
                        ck_assert_str_eq(name, "Nights");
                        ck_assert_str_ne(submitter, "");
                        ck_assert_str_eq(expression, NIGHTLY);
                        ck_assert(enabled);
                        ck_assert_uint_eq(next, FIRST_NIGHT);
                }
        ck_assert_uint_eq(n, 2);
        m = sd_bus_message_unref(m);
        ck_assert_int_lt(call(&f, "ListSchedules", NULL, NULL, "tt", (uint64_t) 0, (uint64_t) 1001), 0);

        _cleanup_free_ char *job = trigger_with(&f, "a.b", false);
        ck_assert_int_ge(call(&f, "GetSchedule", &m, NULL, "s", "a.b"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "os", &path, &text), 0);
        _cleanup_json_ json_t *details = json_loads(text, 0, NULL);
        const char *next_run, *job_id, *run_status, *on_calendar;
        ck_assert_int_eq(json_unpack(details, "{s:s, s:[s], s:[{s:s, s:s}]}", "next_run", &next_run,
                                         "on_calendar", &on_calendar, "runs", "job_id", &job_id, "status",
                                         &run_status),
                        0);
        ck_assert_str_eq(next_run, "2027-01-16T02:00:00Z");
        ck_assert_str_eq(on_calendar, "*-*-* 02:00:00");
        ck_assert_str_eq(job_id, job);
        ck_assert_str_eq(run_status, "running");
        sd_bus_message_unref(m);
SCHEDULE_TEST_END

static int on_object(Fixture *f, const char *member, sd_bus_message **ret) {
        sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_call(f->client, &m, HYPER_BUS_NAME, "/org/hyper1/schedule/a_2eb",
                        HYPER_SCHEDULE_INTERFACE, member);

        ck_assert_int_ge(r, 0);
        r = call_message(f, m, ret, NULL);
        settle_down(f);
        return r;
}

SCHEDULE_TEST(schedule_objects)
        sd_bus_message *m = NULL;
        const char *job;

        create(&f, "a.b", NIGHTLY, NULL);
        ck_assert_int_ge(on_object(&f, "Disable", NULL), 0);
        ck_assert_ptr_null(timer_of(&f, "a.b"));
        ck_assert_int_ge(on_object(&f, "Enable", NULL), 0);
        ck_assert_ptr_nonnull(timer_of(&f, "a.b"));
        ck_assert_int_ge(on_object(&f, "Trigger", &m), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "s", &job), 0);
        ck_assert_int_eq(state_of(&f, job), JOB_RUNNING);
        sd_bus_message_unref(m);
        ck_assert_int_ge(on_object(&f, "Delete", NULL), 0);
        ck_assert_int_lt(on_object(&f, "Disable", NULL), 0);
SCHEDULE_TEST_END

/* What the client is answered by a method of another interface, as "busctl --verbose" would show it. */
static char *answer_of(Fixture *f, const char *path, const char *interface, const char *member) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        size_t size = 0;
        char *text = NULL;
        FILE *out = open_memstream(&text, &size);

        ck_assert_int_ge(sd_bus_message_new_method_call(
                                         f->client, &call, HYPER_BUS_NAME, path, interface, member),
                        0);
        ck_assert_int_ge(call_message(f, TAKE_PTR(call), &reply, NULL), 0);
        ck_assert_int_ge(sd_bus_message_dump(reply, out, 0), 0);
        fclose(out);
        return text;
}

SCHEDULE_TEST(schedules_are_objects_that_are_listed)
        static const char path[] = HYPER_SCHEDULE_PATH_PREFIX "/nights";

        create(&f, "nights", NIGHTLY, NULL);
        ck_assert_uint_eq(f.n_added, 1);
        _cleanup_free_ char *objects = answer_of(
                        &f, HYPER_BUS_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
        ck_assert_ptr_nonnull(strstr(objects, path));
        ck_assert_ptr_nonnull(strstr(objects, NIGHTLY));
        _cleanup_free_ char *tree = answer_of(
                        &f, HYPER_SCHEDULE_PATH_PREFIX, "org.freedesktop.DBus.Introspectable", "Introspect");
        ck_assert_ptr_nonnull(strstr(tree, "nights"));

        ck_assert_int_ge(call(&f, "DeleteSchedule", NULL, NULL, "s", "nights"), 0);
        settle_down(&f);
        ck_assert_uint_eq(f.n_removed, 1);
        _cleanup_free_ char *left = answer_of(
                        &f, HYPER_BUS_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
        ck_assert_ptr_null(strstr(left, path));
SCHEDULE_TEST_END

typedef struct Objects {
        char *text; /* the answer, as text */
        char *signals; /* InterfacesAdded and InterfacesRemoved after it: "+path" and "-path", one a line */
        size_t size;
        FILE *out;
} Objects;

static int on_interfaces(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Objects *o = userdata;
        const char *path;

        ck_assert_int_gt(sd_bus_message_read(m, "o", &path), 0);
        if (o->text)
                fprintf(o->out, "%c%s\n", sd_bus_message_is_signal(m, NULL, "InterfacesAdded") ? '+' : '-',
                                strrchr(path, '/') + 1);
        return 0;
}

static int on_objects(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Objects *o = userdata;
        size_t size = 0;
        FILE *out = open_memstream(&o->text, &size);

        ck_assert(!sd_bus_message_is_method_error(reply, NULL));
        ck_assert_int_ge(sd_bus_message_dump(reply, out, 0), 0);
        fclose(out);
        return 0;
}

/* With 120 schedules, the answer takes several steps. Between them, there are changes. */
SCHEDULE_TEST(the_list_of_objects_is_made_in_steps_and_misses_nothing)
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        Objects o = {};

        for (unsigned i = 0; i < 120; i++) {
                _cleanup_free_ char *id = strprintf("s%03u", i);
                create(&f, id, NIGHTLY, NULL);
        }
        submit(&f, "waiting", NULL);
        settle_down(&f);
        o.out = open_memstream(&o.signals, &o.size);
        ck_assert_int_ge(sd_bus_match_signal(f.client, &slot, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         "org.freedesktop.DBus.ObjectManager", NULL, on_interfaces, &o),
                        0);
        ck_assert_int_ge(sd_bus_call_method_async(f.client, NULL, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                                         on_objects, &o, NULL),
                        0);
        while (TAILQ_EMPTY(&f.manager->replies.replies))
                turn(&f);
        turn(&f);
        ck_assert_ptr_null(o.text);
        /* One that is changed, and one that is removed */
        managed_objects_changed(f.manager, HYPER_SCHEDULE_PATH_PREFIX "/s118", false);
        ck_assert_int_ge(sd_bus_call_method_async(f.client, NULL, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_MANAGER_INTERFACE, "DeleteSchedule", NULL, NULL, "s", "s000"),
                        0);
        while (!o.text)
                turn(&f);
        settle_down(&f);
        fflush(o.out);
        for (unsigned i = 1; i < 120; i++) {
                _cleanup_free_ char *path = strprintf(HYPER_SCHEDULE_PATH_PREFIX "/s%03u\"", i);
                ck_assert_msg(strstr(o.text, path), "%s is missing", path);
        }
        ck_assert_ptr_nonnull(strstr(o.text, HYPER_JOB_PATH_PREFIX "/waiting\""));
        ck_assert_ptr_nonnull(strstr(o.text, NIGHTLY));
        ck_assert_ptr_nonnull(strstr(o.signals, "+s118\n"));
        /* It is in the answer only if it was removed after that step: then its removal is told again. */
        ck_assert_int_eq(strstr(o.text, HYPER_SCHEDULE_PATH_PREFIX "/s000\"") &&
                                        !strstr(o.signals, "-s000\n"),
                        0);
        fclose(o.out);
        free(o.signals);
        free(o.text);
SCHEDULE_TEST_END

TEST_MAIN("manager-schedules", an_error_of_a_schedule_has_its_fields, schedules_are_objects_that_are_listed,
                the_list_of_objects_is_made_in_steps_and_misses_nothing,
                a_schedule_has_a_timer_and_a_next_time, every_placeholder_of_the_destination_is_filled_in,
                wrong_schedules_are_refused_by_field, what_there_is_not_cannot_be_changed,
                changes_leave_the_rest_and_touch_the_timer_only_if_they_must,
                a_deleted_schedule_leaves_its_jobs, a_timer_that_fires_makes_one_job,
                a_timer_that_is_a_little_early_is_not_served_twice,
                a_clock_that_is_set_back_over_a_time_does_not_double_it,
                a_clock_that_is_set_back_far_does_not_stop_a_schedule,
                a_clock_that_is_set_forward_over_times_makes_one_run,
                a_time_that_is_skipped_runs_right_after_the_clock_change,
                a_time_that_is_repeated_runs_again_only_with_wildcards,
                another_time_zone_of_the_machine_moves_the_run, a_run_by_hand_leaves_the_next_time,
                skip_leaves_a_run_out_while_one_goes_on, queue_lets_runs_wait_for_each_other,
                allow_lets_them_run_side_by_side, a_job_that_is_refused_is_told_and_the_next_time_stays,
                a_change_while_a_run_is_due_neither_loses_nor_doubles_it,
                a_run_that_was_promised_is_made_up_for_by_the_next_manager,
                after_a_boot_timers_are_back_and_one_missed_run_is_made_up_for,
                the_first_manager_of_a_boot_sets_the_timers_by_itself,
                a_timer_whose_service_runs_is_made_when_that_has_ended,
                a_timer_that_a_manager_could_not_make_is_made_by_the_next, a_thousand_runs_are_kept,
                lists_and_details, schedule_objects)
