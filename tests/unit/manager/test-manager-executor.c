/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every executor has its jobs cancelled, lost, retried, taken over and completed by the same rules. */

#include <signal.h>
#include <sys/wait.h>

#include "manager/executor.h"
#include "manager/executors.h"
#include "manager/manager.h"
#include "manager/queue.h"
#include "spec/job-file.h"
#include "spec/job-result.h"
#include "store/jobs.h"
#include "store/lease.h"
#include "unit/lib/manager-test.h"

/* What happens outside of the manager, for one executor. */
typedef struct World {
        const char *executor;
        void (*begin)(Fixture *f, const char *id, const char *extra); /* a job comes to run */
        void (*lose)(Fixture *f, const char *id); /* its attempt is cut off */
        void (*complete)(Fixture *f, const char *id);
} World;

static bool is_known(Fixture *f, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = NULL;

        return store_job_get(f->store, id, &row) >= 0;
}

static void time_passes(Fixture *f, unsigned seconds) {
        test_clock += seconds * USEC_PER_SEC;
        queue_wake(f->manager);
        settle_down(f);
}

/* --- a unit of this machine ------------------------------------------------------------------------ */

static void unit_begin(Fixture *f, const char *id, const char *extra) {
        if (is_known(f, id))
                time_passes(f, 2);
        else
                submit(f, id, extra);
        settle_down(f);
}

static void unit_lose(Fixture *f, const char *id) {
        fake_ends(f, id, "signal", CLD_KILLED, SIGKILL, true);
}

static void unit_complete(Fixture *f, const char *id) {
        leave_mark(f, id, JOB_MARK_PUBLISHED);
        fake_ends(f, id, "success", CLD_EXITED, 0, true);
}

/* --- a worker -------------------------------------------------------------------------------------- */

static void worker_call(Fixture *f, const char *member, const char *types, const char *a, const char *b,
                const char *c) {
        ck_assert_int_ge(call(f, member, NULL, NULL, types, a, b, c), 0);
        settle_down(f);
}

static void worker_begin(Fixture *f, const char *id, const char *extra) {
        _cleanup_free_ char *spec = make_spec(f, id, extra);

        worker_call(f, "RegisterWorker", "s",
                        "{\"worker_id\":\"w\",\"capabilities\":[\"qemu_img\"],\"system_info\":{\"memory_"
                        "mb\":16384}}",
                        NULL, NULL);
        if (is_known(f, id))
                time_passes(f, 2);
        else
                ck_assert_int_ge(call(f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1),
                                0);
        worker_call(f, "Dequeue", "s", "{\"worker_id\":\"w\"}", NULL, NULL);
        worker_call(f, "ReportEvents", "sss", id, "w", "{\"phase\":\"conversion\",\"percentage\":10}");
}

static void worker_lose(Fixture *f, const char *id) {
        time_passes(f, WORKER_LEASE / USEC_PER_SEC + 1);
}

static void worker_complete(Fixture *f, const char *id) {
        worker_call(f, "ReportResult", "sss", id, "w", "{\"status\":\"completed\"}");
}

static const World worlds[] = {
        { "unit", unit_begin, unit_lose, unit_complete },
        { "worker", worker_begin, worker_lose, worker_complete },
};

static const World *world_of(const Executor *e) {
        for (size_t i = 0; i < ELEMENTSOF(worlds); i++)
                if (streq(worlds[i].executor, e->name))
                        return &worlds[i];
        ck_abort_msg("This test does not know the executor %s", e->name);
        return NULL;
}

static void expect_running(Fixture *f, const Executor *e, const char *id) {
        Job *j = manager_get_job(f->manager, id);

        expect_state(f, id, JOB_RUNNING);
        ck_assert_ptr_nonnull(j);
        ck_assert_ptr_eq(executor_of(j), e);
}

static void open_world(Fixture *f, const Executor *e) {
        fixture_open(f);
        f->no_local_worker = streq(e->name, "worker");
        manager_up(f);
}

START_TEST(each_row_is_complete) {
        for (const Executor *const *e = executors; *e; e++) {
                ck_assert((*e)->name && (*e)->start && (*e)->stop && (*e)->adopt && (*e)->list);
                for (const Executor *const *other = e + 1; *other; other++)
                        ck_assert_str_ne((*e)->name, (*other)->name);
        }
}
END_TEST

START_TEST(a_cancelled_job_is_stopped) {
        const Executor *e = executors[_i];
        const World *w = world_of(e);
        Fixture f;

        open_world(&f, e);
        w->begin(&f, "a", NULL);
        expect_running(&f, e, "a");
        ck_assert_int_ge(cancel(&f, "a"), 0);
        settle_down(&f);
        expect_state(&f, "a", JOB_CANCELLED);
        if (unit_of(&f, "a")) {
                ck_assert(unit_of(&f, "a")->stopped);
                fake_ends(&f, "a", "success", CLD_EXITED, JOB_EXIT_CANCELLED, true);
        }
        ck_assert_ptr_null(manager_get_job(f.manager, "a"));
        fixture_close(&f);
}
END_TEST

START_TEST(a_lost_attempt_is_tried_again_by_the_one_rule) {
        const Executor *e = executors[_i];
        const World *w = world_of(e);
        Fixture f;

        open_world(&f, e);
        w->begin(&f, "a", ",\"execution_policy\":{\"retry_count\":1}");
        w->lose(&f, "a");
        expect_states(&f, "a", "CREATED VALIDATED QUEUED ASSIGNED RUNNING RETRYING");
        expect_reason(&f, "a", "Attempt 1 failed");
        w->begin(&f, "a", NULL);
        expect_running(&f, e, "a");
        w->lose(&f, "a");
        expect_state(&f, "a", JOB_FAILED);
        expect_reason(&f, "a", "no retry is left after 2 attempts");
        _cleanup_free_ char *result = result_of(&f, "a");
        ck_assert_ptr_nonnull(strstr(result, "\"retryable\":true"));

        w->begin(&f, "once", ",\"execution_policy\":{\"idempotent\":false}");
        w->lose(&f, "once");
        expect_state(&f, "once", JOB_FAILED);
        expect_reason(&f, "once", "not tried again, since the job is not idempotent");
        ck_assert_ptr_null(f.manager->jobs);
        fixture_close(&f);
}
END_TEST

START_TEST(an_attempt_outlives_the_manager) {
        const Executor *e = executors[_i];
        const World *w = world_of(e);
        Fixture f;

        open_world(&f, e);
        w->begin(&f, "a", NULL);
        manager_down(&f);
        manager_up(&f);
        expect_running(&f, e, "a");
        w->complete(&f, "a");
        expect_states(&f, "a", "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED");
        ck_assert_ptr_null(f.manager->jobs);
        fixture_close(&f);
}
END_TEST

int main(void) {
        const TTest *const once[] = { each_row_is_complete };
        TCase *tests = test_case("manager-executor", 60, once, ELEMENTSOF(once));
        int n = 0;

        while (executors[n])
                n++;
        tcase_add_loop_test(tests, a_cancelled_job_is_stopped, 0, n);
        tcase_add_loop_test(tests, a_lost_attempt_is_tried_again_by_the_one_rule, 0, n);
        tcase_add_loop_test(tests, an_attempt_outlives_the_manager, 0, n);
        return test_run("manager-executor", tests);
}
