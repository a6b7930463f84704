/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Thousands of random steps of clients, workers and time, and after each the jobs compared with a model of what
 * they should be. HYPER_SEED=n repeats a run. */

#include "manager-test.h"
#include "shared/error-table.h"

#define JOBS_MAX 400
#define WORKERS 5
#define STEPS 4000
#define LEASE (300 * USEC_PER_SEC)

typedef struct ModelJob {
        JobState state;
        int worker; /* that holds it; -1: none */
        unsigned priority, attempt, retries;
        bool idempotent, needs_lvm;
        usec_t due_at;
} ModelJob;

typedef struct ModelWorker {
        bool registered, has_lvm;
        usec_t heard_at;
} ModelWorker;

typedef struct Model {
        ModelJob jobs[JOBS_MAX];
        size_t n;
        ModelWorker workers[WORKERS];
        uint64_t random;
        unsigned accepted[8]; /* how often each kind of step succeeded */
} Model;

static unsigned dice(Model *m, unsigned n) {
        m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned) (m->random >> 33) % n;
}

static char *job_name(size_t i) {
        return strprintf("job-%zu", i);
}

static char *worker_name(int i) {
        return strprintf("worker-%d", i);
}

static bool is_held(const ModelJob *j) {
        return j->worker >= 0 && (j->state == JOB_ASSIGNED || j->state == JOB_RUNNING);
}

/* --- what follows from time and failures -------------------------------------------------------------- */

static usec_t pause_after(unsigned attempt) {
        return (attempt > 6 ? 60 : MIN(1u << (attempt - 1), 60u)) * USEC_PER_SEC;
}

static void model_fail(ModelJob *j, bool retry, usec_t pause) {
        if (retry && j->idempotent && j->attempt <= j->retries) {
                j->state = JOB_RETRYING;
                j->due_at = test_clock + pause;
                j->worker = -1;
        } else
                j->state = JOB_FAILED;
}

static void model_heard(Model *m, int w) {
        if (test_clock >= m->workers[w].heard_at + USEC_PER_SEC)
                m->workers[w].heard_at = test_clock;
}

/* What the queue does when it is run: retries that are due, then leases that have ended. */
static void model_time(Model *m, usec_t started_at) {
        for (size_t i = 0; i < m->n; i++) {
                ModelJob *j = &m->jobs[i];

                if (j->state == JOB_RETRYING && j->due_at <= test_clock)
                        j->state = JOB_QUEUED;
        }
        for (size_t i = 0; i < m->n; i++) {
                ModelJob *j = &m->jobs[i];

                if (is_held(j) && MAX(m->workers[j->worker].heard_at, started_at) + LEASE <= test_clock)
                        model_fail(j, true, pause_after(j->attempt));
        }
}

/* --- steps -------------------------------------------------------------------------------------------- */

static void step_submit(Fixture *f, Model *m) {
        size_t i = m->n;
        ModelJob *j = &m->jobs[i];

        if (i == JOBS_MAX)
                return;
        *j = (ModelJob){ .state = JOB_QUEUED,
                .worker = -1,
                .priority = dice(m, 4) * 25,
                .retries = dice(m, 3),
                .idempotent = dice(m, 3) > 0,
                .needs_lvm = dice(m, 4) == 0 };
        _cleanup_free_ char
                        *name = job_name(i),
                        *id = NULL,
                        *extra = strprintf(
                                        ",\"execution_policy\":{\"priority\":%u,\"retry_count\":%u,"
                                        "\"idempotent\":%s},\"capability_requirements\":{\"needs_lvm\":%s}",
                                        j->priority, j->retries, j->idempotent ? "true" : "false",
                                        j->needs_lvm ? "true" : "false"),
                        *spec = make_spec(f, name, extra);
        const SubmitOptions options = { .dialect = "worker", .any_worker = true };
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        bool created;

        ck_assert_msg(manager_submit(f->manager, spec, &options, &id, &created, &error) >= 0, "%s: %s", name,
                        strna(error.message));
        ck_assert(created);
        m->n++;
        m->accepted[0]++;
}

static void step_register(Fixture *f, Model *m, int w) {
        bool lvm = dice(m, 2), created;
        _cleanup_free_ char *name = worker_name(w),
                            *text = strprintf("{\"worker_id\":\"%s\",\"capabilities\":[\"qemu_img\"%s]}",
                                            name, lvm ? ",\"lvm_tools\"" : "");
        ModelWorker *worker = &m->workers[w];

        ck_assert_int_ge(manager_register_worker(f->manager, text, &created, NULL), 0);
        ck_assert(created == !worker->registered);
        worker->heard_at = created ? test_clock : MAX(worker->heard_at, test_clock);
        worker->registered = true;
        worker->has_lvm = lvm;
}

static void step_unregister(Fixture *f, Model *m, int w) {
        _cleanup_free_ char *name = worker_name(w);
        int r = manager_unregister_worker(f->manager, name, NULL);

        ck_assert_int_eq(r, m->workers[w].registered ? 0 : -ENOTNAM);
        for (size_t i = 0; i < m->n; i++) {
                ModelJob *j = &m->jobs[i];

                if (!is_held(j) || j->worker != w)
                        continue;
                if (j->state == JOB_RUNNING)
                        model_fail(j, true, 0);
                else {
                        j->state = JOB_QUEUED;
                        j->worker = -1;
                }
        }
        m->workers[w].registered = false;
        m->accepted[1] += r >= 0;
}

static void step_heartbeat(Fixture *f, Model *m, int w) {
        _cleanup_(job_rows_done) JobRows jobs = {}, cancelled = {};
        _cleanup_free_ char *name = worker_name(w);
        int r = manager_worker_heard(f->manager, name, &jobs, &cancelled, NULL);
        size_t held = 0;

        ck_assert_int_eq(r, m->workers[w].registered ? 0 : -ENOTNAM);
        if (r < 0)
                return;
        model_heard(m, w);
        for (size_t i = 0; i < m->n; i++)
                held += is_held(&m->jobs[i]) && m->jobs[i].worker == w;
        ck_assert_uint_eq(jobs.n, held);
        m->accepted[2]++;
}

/* The first of those that the worker can do. */
static ModelJob *model_next(Model *m, int w) {
        ModelJob *best = NULL;

        for (size_t i = 0; i < m->n; i++) {
                ModelJob *j = &m->jobs[i];

                if (j->state == JOB_QUEUED && (!j->needs_lvm || m->workers[w].has_lvm) &&
                                (!best || j->priority > best->priority))
                        best = j;
        }
        return best;
}

static void step_dequeue(Fixture *f, Model *m, int w) {
        _cleanup_free_ char *name = worker_name(w), *text = strprintf("{\"worker_id\":\"%s\"}", name),
                            *spec = NULL;
        int r = manager_dequeue(f->manager, text, &spec, NULL);
        ModelJob *expected;

        ck_assert_int_eq(r, m->workers[w].registered ? 0 : -ENOTNAM);
        if (r < 0)
                return;
        model_heard(m, w);
        expected = model_next(m, w);
        if (!expected) {
                ck_assert_ptr_null(spec);
                return;
        }
        ck_assert_ptr_nonnull(spec);
        _cleanup_json_ json_t *object = json_loads(spec, 0, NULL);
        _cleanup_free_ char *id = job_name((size_t) (expected - m->jobs));
        ck_assert_str_eq(json_string_value(json_object_get(object, "job_id")), id);
        expected->state = JOB_ASSIGNED;
        expected->worker = w;
        expected->attempt++;
        m->accepted[3]++;
}

/* What a report about @j by @w is answered. */
static int model_report(const ModelJob *j, int w) {
        return is_held(j) && j->worker == w ? 0 : -ENOLCK;
}

static void step_events(Fixture *f, Model *m, int w) {
        ModelJob *j = &m->jobs[dice(m, (unsigned) m->n)];
        _cleanup_free_ char *id = job_name((size_t) (j - m->jobs)), *name = worker_name(w),
                            *text = strprintf("{\"percentage\":%u}", dice(m, 101));

        if (is_held(j) && dice(m, 2)) { /* mostly the right one */
                free(name);
                name = worker_name(w = j->worker);
        }
        int r = manager_report_events(f->manager, id, name, text, NULL);
        ck_assert_int_eq(r < 0 ? r : 0, model_report(j, w));
        if (r < 0)
                return;
        j->state = JOB_RUNNING;
        model_heard(m, w);
        m->accepted[4]++;
}

static void step_result(Fixture *f, Model *m, int w) {
        ModelJob *j = &m->jobs[dice(m, (unsigned) m->n)];
        _cleanup_free_ char *id = job_name((size_t) (j - m->jobs)), *name = worker_name(w);
        bool completed = dice(m, 2);

        if (is_held(j) && dice(m, 2)) {
                free(name);
                name = worker_name(w = j->worker);
        }
        int r = manager_report_result(f->manager, id, name,
                        completed ? "{\"status\":\"completed\"}" : "{\"status\":\"failed\"}", NULL);
        ck_assert_int_eq(r < 0 ? r : 0, model_report(j, w));
        if (r < 0)
                return;
        model_heard(m, w);
        if (completed)
                j->state = JOB_COMPLETED;
        else
                model_fail(j, true, pause_after(j->attempt));
        m->accepted[5]++;
}

static void step_cancel(Fixture *f, Model *m) {
        ModelJob *j = &m->jobs[dice(m, (unsigned) m->n)];
        _cleanup_free_ char *id = job_name((size_t) (j - m->jobs));
        Job *job = manager_get_job(f->manager, id);

        ck_assert((job != NULL) == !job_state_is_terminal(j->state));
        if (!job)
                return;
        ck_assert_int_ge(manager_cancel_job(f->manager, job, NULL), 0);
        j->state = JOB_CANCELLED;
        m->accepted[6]++;
}

static void step_time(Model *m) {
        static const unsigned seconds[] = { 1, 5, 60, 299, 300, 301 };

        test_clock += seconds[dice(m, ELEMENTSOF(seconds))] * USEC_PER_SEC;
        m->accepted[7]++;
}

static void step(Fixture *f, Model *m) {
        int w = (int) dice(m, WORKERS);
        unsigned kind = dice(m, 100);

        if (kind < 12 || m->n == 0)
                step_submit(f, m);
        else if (kind < 20)
                step_register(f, m, w);
        else if (kind < 22)
                step_unregister(f, m, w);
        else if (kind < 35)
                step_heartbeat(f, m, w);
        else if (kind < 60)
                step_dequeue(f, m, w);
        else if (kind < 75)
                step_events(f, m, w);
        else if (kind < 88)
                step_result(f, m, w);
        else if (kind < 91)
                step_cancel(f, m);
        else
                step_time(m);
}

static void compare(Fixture *f, const Model *m, unsigned n, uint64_t seed) {
        for (size_t i = 0; i < m->n; i++) {
                _cleanup_free_ char *id = job_name(i);
                _cleanup_(job_row_freep) JobRow *row = NULL;
                const ModelJob *j = &m->jobs[i];

                ck_assert_int_eq(store_job_get(f->store, id, &row), 0);
                ck_assert_msg(row->state == j->state && row->attempt == j->attempt,
                                "seed %" PRIu64 ", step %u: %s is %s in attempt %u, should be %s in %u",
                                seed, n, id, job_state_to_string(row->state), row->attempt,
                                job_state_to_string(j->state), j->attempt);
                if (is_held(j)) {
                        _cleanup_free_ char *worker = worker_name(j->worker);

                        ck_assert_str_eq(strempty(row->worker_id), worker);
                }
        }
}

START_TEST(whatever_happens_the_jobs_are_as_the_model_says) {
        const char *given = getenv("HYPER_SEED");
        uint64_t seed = given ? strtoull(given, NULL, 10) : now_realtime();
        Model *m = new0(Model, 1);
        Fixture f;

        ck_assert_ptr_nonnull(m);
        fprintf(stderr, "HYPER_SEED=%" PRIu64 "\n", seed);
        m->random = seed;
        fixture_open(&f);
        f.no_local_worker = true;
        manager_up(&f);
        for (unsigned n = 0; n < STEPS; n++) {
                step(&f, m);
                queue_run(f.manager);
                model_time(m, f.manager->started_at);
                if (n % 10 == 0)
                        compare(&f, m, n, seed);
                /* Nobody reads the signals otherwise. */
                if (n % 100 == 0)
                        settle_down(&f);
                if (n % 1000 == 999) { /* a new manager finds it all as it was */
                        manager_down(&f);
                        manager_up(&f);
                }
        }
        compare(&f, m, STEPS, seed);
        for (size_t i = 0; i < ELEMENTSOF(m->accepted); i++)
                ck_assert_msg(m->accepted[i] > 0, "steps of kind %zu were never carried out", i);
        fixture_close(&f);
        free(m);
}
END_TEST

TEST_MAIN("manager-workers-model", whatever_happens_the_jobs_are_as_the_model_says)
