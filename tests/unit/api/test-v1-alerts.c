/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Alerts of v1, from a database that the test writes, and what the kernel reports about the load. */

#include "api/v1/v1-alerts.h"
#include "api/v1/v1-machine.h"
#include "spec/carbon-hold.h"
#include "store/job-changes.h"
#include "store/lease.h"
#include "store/schedule-runs.h"
#include "store/schedules.h"
#include "store/workers.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

#define NOW (1767225600 * USEC_PER_SEC) /* 2026-01-01T00:00:00Z */
#define DAY (24 * USEC_PER_HOUR)

static Store *open_store(const char *dir) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        Store *s;

        ck_assert_int_eq(store_open(path, STORE_OWNER, &s), 0);
        return s;
}

static void change(Store *s, const char *id, JobState from, JobState to, usec_t at) {
        const JobTransition t = { .from = from,
                .to = to,
                .timestamp = at,
                .reason = "The disk is full",
                .begins_attempt = to == JOB_ASSIGNED };

        ck_assert_int_eq(store_job_transition(s, id, &t, 1), 0);
}

/* A job with this source that waits since @at, for a low carbon intensity with @carbon. */
static void add_waiting(
                Store *s, const char *id, const char *source, const char *carbon, usec_t due_at, usec_t at) {
        const JobStateRow states[] = { { JOB_CREATED, at, (char *) "x" },
                { JOB_VALIDATED, at, (char *) "x" }, { JOB_QUEUED, at, (char *) "x" } };
        _cleanup_free_ char *spec = strprintf("{\"source\":{\"type\":\"file\",\"path\":\"%s\"}}", source);
        JobRow row = { .id = (char *) id,
                .operation = (char *) "convert",
                .spec = spec,
                .dialect = (char *) "bus",
                .role = ROLE_OPERATOR,
                .created_at = at,
                .updated_at = at,
                .due_at = due_at,
                .carbon = (char *) carbon,
                .phase = _PHASE_INVALID,
                .percent = -1 };

        ck_assert_int_eq(store_job_insert(s, &row, states, ELEMENTSOF(states)), 0);
        free(row.reason);
}

/* A job with this source that has been in its state since @at. */
static void add_job(Store *s, const char *id, const char *source, JobState state, usec_t at) {
        add_waiting(s, id, source, NULL, 0, at);
        change(s, id, JOB_QUEUED, JOB_ASSIGNED, at);
        change(s, id, JOB_ASSIGNED, JOB_RUNNING, at);
        if (state != JOB_RUNNING)
                change(s, id, JOB_RUNNING, state, at);
}

/* "severity id" of the only alert, or "" if there is none. */
static char *only(json_t *alerts) {
        const char *severity, *id;

        ck_assert_uint_le(json_array_size(alerts), 1);
        if (json_array_size(alerts) == 0)
                return strdup("");
        ck_assert_int_eq(json_unpack(json_array_get(alerts, 0), "{s:s, s:s}", "severity", &severity, "id",
                                         &id),
                        0);
        return strprintf("%s %s", severity, id);
}

#define is_only(alerts, expected)                       \
        do {                                            \
                _cleanup_free_ char *_o = only(alerts); \
                ck_assert_str_eq(_o, (expected));       \
        } while (false)

START_TEST(a_failed_job_is_made_good_by_a_later_one) {
        _cleanup_json_ json_t *alerts = json_array(), *after = json_array();
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);

        add_job(s, "old", "/a", JOB_FAILED, NOW - 2 * DAY);
        add_job(s, "good-before", "/b", JOB_COMPLETED, NOW - 3 * USEC_PER_HOUR);
        add_job(s, "bad", "/b", JOB_FAILED, NOW - 2 * USEC_PER_HOUR);
        add_job(s, "other", "/c", JOB_COMPLETED, NOW - USEC_PER_HOUR);
        ck_assert_int_eq(v1_alerts_of_jobs(alerts, s, NOW), 0);
        is_only(alerts, "warning job_failed:bad");
        add_job(s, "good", "/b", JOB_COMPLETED, NOW - USEC_PER_HOUR);
        ck_assert_int_eq(v1_alerts_of_jobs(after, s, NOW), 0);
        is_only(after, "");
}
END_TEST

START_TEST(a_job_without_progress_is_stalled) {
        _cleanup_json_ json_t *soon = json_array(), *later = json_array(), *late = json_array();
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);

        add_job(s, "slow", "/a", JOB_RUNNING, NOW);
        ck_assert_int_eq(v1_alerts_of_jobs(soon, s, NOW + 9 * USEC_PER_MINUTE), 0);
        is_only(soon, "");
        ck_assert_int_eq(v1_alerts_of_jobs(later, s, NOW + 10 * USEC_PER_MINUTE), 0);
        is_only(later, "warning job_stalled:slow");
        ck_assert_int_eq(v1_alerts_of_jobs(late, s, NOW + 60 * USEC_PER_MINUTE), 0);
        is_only(late, "critical job_stalled:slow");
}
END_TEST

/* However many others wait. */
START_TEST(a_job_whose_carbon_data_are_old_is_found) {
        _cleanup_json_ json_t *soon = json_array(), *late = json_array();
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(carbon_hold_freep) CarbonHold *h = carbon_hold_new();

        for (unsigned i = 0; i < 300; i++) {
                char id[16];

                (void) snprintf(id, sizeof(id), "other-%u", i);
                add_waiting(s, id, "/a", NULL, 0, NOW);
        }
        h->stale_since = NOW;
        _cleanup_free_ char *carbon = carbon_hold_encode(h);
        add_waiting(s, "green", "/b", carbon, NOW + DAY, NOW);
        h->released_at = NOW;
        _cleanup_free_ char *released = carbon_hold_encode(h);
        add_waiting(s, "released", "/c", released, 0, NOW);
        ck_assert_int_eq(v1_alerts_of_jobs(soon, s, NOW + 5 * USEC_PER_HOUR), 0);
        is_only(soon, "");
        ck_assert_int_eq(v1_alerts_of_jobs(late, s, NOW + 6 * USEC_PER_HOUR), 0);
        is_only(late, "warning carbon_stale:green");
}
END_TEST

START_TEST(a_schedule_that_fails_three_times_is_critical) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        const ScheduleRow row = { .id = (char *) "nightly",
                .name = (char *) "n",
                .description = (char *) "",
                .expression = (char *) "0 2 * * *",
                .enabled = true,
                .spec = (char *) "{}",
                .dialect = (char *) "bus",
                .role = ROLE_OPERATOR,
                .created_at = NOW,
                .updated_at = NOW };

        ck_assert_int_eq(store_schedule_insert(s, &row), 0);
        for (unsigned i = 1; i <= 4; i++) {
                _cleanup_json_ json_t *alerts = json_array();
                int64_t seq;

                ck_assert_int_eq(store_schedule_fire(s, "nightly", NOW + i * DAY, NULL,
                                                 i == 1 ? RUN_SKIPPED : RUN_REFUSED, NOW + (i + 1) * DAY,
                                                 &seq),
                                0);
                ck_assert_int_eq(v1_alerts_of_schedules(alerts, s), 0);
                is_only(alerts,
                                i == 1                  ? ""
                                                : i < 4 ? "warning schedule_failed:nightly"
                                                        : "critical schedule_failed:nightly");
        }
}
END_TEST

START_TEST(a_worker_is_lost_after_its_lease) {
        _cleanup_json_ json_t *alerts = json_array(), *late = json_array();
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        const WorkerRow row = { .id = (char *) "w1",
                .capabilities = (char *) "[]",
                .system_info = (char *) "{}",
                .registered_at = NOW };
        bool created;

        ck_assert_int_eq(store_worker_register(s, &row, &created), 0);
        ck_assert_int_eq(v1_alerts_of_workers(alerts, s, NOW + WORKER_LEASE - 1), 0);
        is_only(alerts, "");
        ck_assert_int_eq(v1_alerts_of_workers(late, s, NOW + WORKER_LEASE), 0);
        is_only(late, "warning worker_lost:w1");
}
END_TEST

START_TEST(certificates_have_two_levels) {
        static const struct {
                usec_t left;
                const char *alert;
        } cases[] = {
                { 15 * DAY, "" },
                { 14 * DAY, "warning certificate_expiring:hyper.tls-certificate" },
                { 3 * DAY, "critical certificate_expiring:hyper.tls-certificate" },
                { 0, "critical certificate_expiring:hyper.tls-certificate" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *alerts = json_array();

                ck_assert_int_eq(v1_alerts_of_certificate(alerts, NOW + cases[i].left, NOW), 0);
                is_only(alerts, cases[i].alert);
        }
}
END_TEST

START_TEST(texts_of_the_kernel_are_read) {
        uint64_t total, available;
        V1CpuTimes times;
        double pressure;

        ck_assert_int_eq(v1_cpu_times_parse("cpu  10 1 5 100 20 2 3 4 0 0\ncpu0 1 1 1 1", &times), 0);
        ck_assert_uint_eq(times.busy, 25);
        ck_assert_uint_eq(times.all, 145);
        ck_assert_int_eq(v1_cpu_times_parse("cpu 1 2", &times), -EBADMSG);
        ck_assert_int_eq(v1_memory_parse("MemTotal:  2048 kB\nMemFree: 1 kB\nMemAvailable: 1024 kB\n",
                                         &total, &available),
                        0);
        ck_assert_uint_eq(total, 2048 * 1024);
        ck_assert_uint_eq(available, 1024 * 1024);
        ck_assert_int_eq(v1_memory_parse("MemTotal: 1 kB\nMemAvailable: 2 kB\n", &total, &available),
                        -EBADMSG);
        ck_assert_int_eq(v1_memory_parse("", &total, &available), -EBADMSG);
        ck_assert_int_eq(
                        v1_pressure_parse("some avg10=1.50 avg60=0.00 avg300=0.00 total=5\n", &pressure), 0);
        ck_assert(pressure > 1.49 && pressure < 1.51);
        ck_assert_int_eq(v1_pressure_parse("full avg10=1", &pressure), -EBADMSG);
}
END_TEST

TEST_MAIN("v1-alerts", a_failed_job_is_made_good_by_a_later_one, a_job_without_progress_is_stalled,
                a_job_whose_carbon_data_are_old_is_found, a_schedule_that_fails_three_times_is_critical,
                a_worker_is_lost_after_its_lease, certificates_have_two_levels, texts_of_the_kernel_are_read)
