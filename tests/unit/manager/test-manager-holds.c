/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs that wait for a low carbon intensity. A stand-in for hyper-carbond says what the test wants. */

#include <math.h>

#include "manager/job-hold.h"
#include "manager/queue.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "spec/carbon-hold.h"
#include "spec/job-result.h"
#include "unit/lib/manager-test.h"

#define HALF_HOUR (USEC_PER_HOUR / 2)
#define VALUES_MAX 32

typedef struct Grid {
        sd_bus *bus;
        usec_t from; /* of the first value */
        double values[VALUES_MAX]; /* of half hours; a negative one ends them */
        bool forecast;
        const char *refusal; /* there are no data, and why */
        unsigned n_calls;
} Grid;

static Grid grid;

static char *grid_text(void) {
        _cleanup_(carbon_data_freep) CarbonData *d = carbon_data_new();
        _cleanup_json_ json_t *json = NULL;

        d->zone = strdup("GB");
        d->source = strdup("file");
        d->updated_at = test_clock;
        d->has_forecast = grid.forecast;
        for (size_t i = 0; i < VALUES_MAX && grid.values[i] >= 0; i++)
                ck_assert_int_eq(carbon_data_add(d, grid.from + i * HALF_HOUR,
                                                 grid.from + (i + 1) * HALF_HOUR, grid.values[i]),
                                0);
        json = carbon_data_to_json(d);
        return json_dumps(json, JSON_COMPACT);
}

static int get_data(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *text = NULL;

        grid.n_calls++;
        if (grid.refusal)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE, "%s", grid.refusal);
        text = grid_text();
        return sd_bus_reply_method_return(m, "st", text, (uint64_t) (900 * USEC_PER_SEC));
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetData", "", "st", get_data, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static void set_values(const double *values, size_t n) {
        for (size_t i = 0; i < VALUES_MAX; i++)
                grid.values[i] = i < n ? values[i] : -1;
}

#define VALUES(...) \
        set_values((const double[]){ __VA_ARGS__ }, sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double))

static void grid_open(Fixture *f) {
        grid = (Grid){ .from = test_clock, .forecast = true };
        VALUES(200, 200, 100, 50, 60, 300, 300, 300, 300, 300);
        grid.bus = connect_bus(f);
        ck_assert_int_ge(sd_bus_add_object_vtable(grid.bus, NULL, HYPER_CARBON_BUS_PATH,
                                         HYPER_CARBON_INTERFACE, vtable, NULL),
                        0);
        ck_assert_int_ge(sd_bus_request_name(grid.bus, HYPER_CARBON_BUS_NAME, 0), 0);
}

static void work(Fixture *f) {
        settle_down(f);
        finish_lookups(f);
        settle_down(f);
}

/* hyper-carbond was asked just now, by the clock that cannot be moved: what it says from now on counts. */
static void forget_answers(Fixture *f) {
        manager_down(f);
        manager_up(f);
        work(f);
}

static void time_passes(Fixture *f, usec_t time) {
        test_clock += time;
        forget_answers(f);
        queue_wake(f->manager);
        work(f);
}

static int try(Fixture *f, const char *id, const char *carbon, sd_bus_error *error) {
        _cleanup_free_ char *extra = strprintf(",\"carbon\":{%s}", carbon), *spec = make_spec(f, id, extra);
        int r = call(f, "SubmitJob", NULL, error, "sa{sv}", spec, 0);

        work(f);
        return r;
}

static void submit_held(Fixture *f, const char *id, const char *carbon) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_msg(try(f, id, carbon, &error) >= 0, "%s", error.message);
}

static void refused(Fixture *f, const char *id, const char *carbon, const char *name, const char *words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        JobRow *row = NULL;

        ck_assert_int_lt(try(f, id, carbon, &error), 0);
        ck_assert_str_eq(error.name, name);
        ck_assert_msg(strstr(error.message, words), "%s", error.message);
        ck_assert_int_eq(store_job_get(f->store, id, &row), -ENOENT);
}

static JobRow *row_of(Fixture *f, const char *id) {
        JobRow *row = NULL;

        ck_assert_int_eq(store_job_get(f->store, id, &row), 0);
        return row;
}

static FakeUnit *hold_timer(Fixture *f, const char *id) {
        _cleanup_free_ char *name = strprintf("hyper-hold-%s.timer", id);

        for (size_t i = 0; i < f->n_units; i++)
                if (streq(f->units[i].name, name) && f->units[i].live)
                        return f->units + i;
        return NULL;
}

/* It waits until then, and systemd has a timer for it. */
static void expect_held(Fixture *f, const char *id, usec_t until) {
        _cleanup_(job_row_freep) JobRow *row = row_of(f, id);
        FakeUnit *timer = hold_timer(f, id);
        char calendar[CALENDAR_SIZE];
        uint64_t position = 1;

        expect_state(f, id, JOB_QUEUED);
        ck_assert_ptr_null(unit_of(f, id));
        /* (The clock of the test goes on by a microsecond with each look at it.) */
        ck_assert_uint_ge(row->due_at, until);
        ck_assert_uint_lt(row->due_at, until + USEC_PER_MSEC);
        expect_reason(f, id, "Waits for a low carbon intensity until");
        ck_assert_ptr_nonnull(timer);
        ck_assert_int_ge(format_calendar(calendar, row->due_at + USEC_PER_SEC - 1), 0);
        ck_assert_uint_eq(strv_length(timer->when), 1);
        ck_assert_str_eq(startswith(timer->when[0], "OnCalendar="), calendar);
        ck_assert_int_eq(store_job_queue_position(f->store, id, NULL, &position), 0);
        ck_assert_uint_eq(position, 0);
}

static CarbonHold *hold_of(Fixture *f, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = row_of(f, id);
        CarbonHold *h = NULL;

        ck_assert_int_eq(carbon_hold_decode(row->carbon, &h), 0);
        return h;
}

/* It has entered the queue, and runs. */
static void expect_running(Fixture *f, const char *id) {
        _cleanup_(carbon_hold_freep) CarbonHold *h = hold_of(f, id);

        ck_assert_ptr_nonnull(unit_of(f, id));
        ck_assert_uint_gt(h->released_at, 0);
        ck_assert_ptr_null(hold_timer(f, id));
}

#define HOLD_TEST(name) \
        BUS_TEST(name)  \
                grid_open(&f);
#define HOLD_TEST_END                       \
        sd_bus_flush_close_unref(grid.bus); \
        BUS_TEST_END

/* clang-format off */
HOLD_TEST(a_job_waits_for_the_best_window)
        _cleanup_(carbon_hold_freep) CarbonHold *h = NULL;
        usec_t begin = test_clock;

        submit_held(&f, "a", "");
        expect_held(&f, "a", begin + 3 * HALF_HOUR);
        time_passes(&f, HALF_HOUR);
        expect_held(&f, "a", begin + 3 * HALF_HOUR);
        time_passes(&f, 2 * HALF_HOUR);
        expect_running(&f, "a");
        h = hold_of(&f, "a");
        ck_assert_double_eq_tol(h->at_submit, 200, 0.001);
        ck_assert_double_eq_tol(h->at_start, 50, 0.001);
        ck_assert_uint_ge(h->released_at - h->submitted_at, 3 * HALF_HOUR);
        ck_assert_uint_lt(h->released_at - h->submitted_at, 3 * HALF_HOUR + USEC_PER_MSEC);
        ck_assert_str_eq(h->zone, "GB");
HOLD_TEST_END

HOLD_TEST(a_job_starts_at_once_if_now_is_best)
        VALUES(50, 50, 100, 200, 200, 200, 200, 200, 200, 200);
        submit_held(&f, "a", "");
        expect_running(&f, "a");
        submit_held(&f, "b", "\"max_intensity\":150");
        expect_running(&f, "b");
HOLD_TEST_END

HOLD_TEST(a_limit_and_a_deadline_are_kept)
        usec_t begin = test_clock;
        char time[RFC3339_SIZE];
        _cleanup_free_ char *carbon = NULL;

        submit_held(&f, "a", "\"max_intensity\":110,\"duration_minutes\":30");
        expect_held(&f, "a", begin + 2 * HALF_HOUR);
        submit_held(&f, "b", "\"max_delay\":3600,\"duration_minutes\":30");
        expect_held(&f, "b", begin + 2 * HALF_HOUR);
        carbon = strprintf("\"deadline\":\"%s\",\"duration_minutes\":30", format_rfc3339(time, begin + HALF_HOUR));
        submit_held(&f, "c", carbon);
        expect_running(&f, "c");
HOLD_TEST_END

HOLD_TEST(wrong_wishes_are_refused)
        char time[RFC3339_SIZE];
        _cleanup_free_ char *past = strprintf("\"deadline\":\"%s\"", format_rfc3339(time, test_clock - USEC_PER_SEC));

        refused(&f, "a", "\"zone\":\"FR\"", HYPER_BUS_ERROR_INVALID_SPEC, "carbon.zone: must be \"GB\"");
        refused(&f, "a", past, HYPER_BUS_ERROR_INVALID_SPEC, "carbon.deadline: must not be in the past");
        refused(&f, "a", "\"max_intensity\":0", HYPER_BUS_ERROR_INVALID_SPEC, "carbon.max_intensity");
        refused(&f, "a", "\"on_missing\":\"wait\"", HYPER_BUS_ERROR_INVALID_SPEC, "carbon.on_missing");
        submit_held(&f, "a", "\"zone\":\"GB\"");
HOLD_TEST_END

HOLD_TEST(without_data_a_job_runs_or_is_refused)
        _cleanup_(carbon_hold_freep) CarbonHold *h = NULL;

        grid.refusal = "carbon.source is not set";
        submit_held(&f, "a", "");
        expect_running(&f, "a");
        h = hold_of(&f, "a");
        ck_assert_msg(strstr(h->warning, "carbon.source is not set"), "%s", h->warning);
        refused(&f, "b", "\"on_missing\":\"fail\"", HYPER_BUS_ERROR_UNAVAILABLE, "carbon.source is not set");
HOLD_TEST_END

HOLD_TEST(data_that_vanish_end_the_wait)
        _cleanup_free_ char *result = NULL;

        submit_held(&f, "a", "");
        submit_held(&f, "b", "\"on_missing\":\"fail\"");
        grid.refusal = "the file is gone";
        time_passes(&f, 3 * HALF_HOUR);
        expect_running(&f, "a");
        expect_state(&f, "b", JOB_FAILED);
        result = result_of(&f, "b");
        ck_assert_msg(strstr(result, "carbon_missing") && strstr(result, "the file is gone"), "%s", result);
HOLD_TEST_END

HOLD_TEST(a_forecast_that_changes_moves_the_window)
        usec_t begin = test_clock;

        submit_held(&f, "a", "");
        VALUES(200, 200, 200, 200, 200, 90, 90, 300, 300, 300, 300);
        time_passes(&f, 3 * HALF_HOUR);
        expect_held(&f, "a", begin + 5 * HALF_HOUR);
        /* It always becomes better later; but not after the deadline. */
        VALUES(900, 900, 900, 900, 900, 900, 900, 900, 800, 700, 600, 500, 400, 300);
        time_passes(&f, 2 * HALF_HOUR);
        expect_held(&f, "a", begin + 8 * HALF_HOUR);
        time_passes(&f, 3 * HALF_HOUR);
        expect_running(&f, "a");
HOLD_TEST_END

HOLD_TEST(without_a_forecast_it_looks_each_quarter_of_an_hour)
        usec_t begin = test_clock;

        grid.forecast = false;
        submit_held(&f, "a", "\"max_intensity\":150");
        expect_held(&f, "a", begin + 900 * USEC_PER_SEC);
        time_passes(&f, 900 * USEC_PER_SEC);
        expect_held(&f, "a", begin + 1800 * USEC_PER_SEC);
        VALUES(200, 140, 140, 140);
        time_passes(&f, 900 * USEC_PER_SEC);
        expect_running(&f, "a");
HOLD_TEST_END

static int release(Fixture *f, const char *id, sd_bus_error *error) {
        _cleanup_free_ char *path = job_bus_path(id);
        sd_bus_message *m = NULL;
        int r;

        ck_assert_int_ge(sd_bus_message_new_method_call(f->client, &m, HYPER_BUS_NAME, path,
                                         HYPER_JOB_INTERFACE, "Release"), 0);
        r = call_message(f, m, NULL, error);
        work(f);
        return r;
}

HOLD_TEST(a_release_ends_the_wait)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        submit_held(&f, "a", "");
        ck_assert_int_ge(release(&f, "a", &error), 0);
        expect_running(&f, "a");
        ck_assert_int_lt(release(&f, "a", &error), 0);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_WRONG_STATE);
HOLD_TEST_END

HOLD_TEST(a_cancel_ends_the_wait)
        submit_held(&f, "a", "");
        ck_assert_int_ge(cancel(&f, "a"), 0);
        work(&f);
        expect_state(&f, "a", JOB_CANCELLED);
        ck_assert_ptr_null(hold_timer(&f, "a"));
HOLD_TEST_END

HOLD_TEST(a_reboot_loses_no_hold)
        usec_t begin = test_clock;

        submit_held(&f, "a", "");
        submit_held(&f, "b", "\"max_intensity\":110,\"duration_minutes\":30");
        manager_down(&f);
        for (size_t i = 0; i < f.n_units; i++)
                f.units[i].live = false;
        manager_up(&f);
        work(&f);
        expect_held(&f, "a", begin + 3 * HALF_HOUR);
        expect_held(&f, "b", begin + 2 * HALF_HOUR);
        /* The machine was off for longer than the wait. */
        time_passes(&f, 20 * HALF_HOUR);
        expect_running(&f, "a");
        expect_running(&f, "b");
HOLD_TEST_END

HOLD_TEST(nothing_runs_while_all_jobs_wait)
        usec_t end = now_monotonic() + 60 * USEC_PER_SEC;

        submit_held(&f, "a", "");
        ck_assert_ptr_nonnull(hold_timer(&f, "a"));
        f.manager->settings->daemon.idle_timeout = 1;
        f.manager->last_call = 0;
        sd_event_source_set_time_relative(f.manager->idle_timer, 0);
        while (!f.exited && now_monotonic() < end)
                settle_down(&f);
        ck_assert(f.exited);
        ck_assert_int_eq(f.exit_code, 0);
        /* Its own timer is enough. */
        for (size_t i = 0; i < f.n_units; i++)
                ck_assert_str_ne(f.units[i].name, "hyper-passes.timer");
HOLD_TEST_END

HOLD_TEST(many_jobs_ask_once)
        submit_held(&f, "a", "");
        grid.n_calls = 0;
        for (unsigned i = 0; i < 100; i++) {
                _cleanup_free_ char *id = strprintf("j%u", i);
                submit_held(&f, id, "");
        }
        ck_assert_uint_le(grid.n_calls, 20);
        f.max_running = 200;
        time_passes(&f, 3 * HALF_HOUR);
        expect_running(&f, "a");
        expect_running(&f, "j99");
HOLD_TEST_END

TEST_MAIN("manager-holds", a_job_waits_for_the_best_window, a_job_starts_at_once_if_now_is_best,
          a_limit_and_a_deadline_are_kept, wrong_wishes_are_refused, without_data_a_job_runs_or_is_refused,
          data_that_vanish_end_the_wait, a_forecast_that_changes_moves_the_window,
          without_a_forecast_it_looks_each_quarter_of_an_hour, a_release_ends_the_wait,
          a_cancel_ends_the_wait,
          a_reboot_loses_no_hold, nothing_runs_while_all_jobs_wait, many_jobs_ask_once)
