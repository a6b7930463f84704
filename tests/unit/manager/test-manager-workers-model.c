/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Thousands of random steps of clients, workers, time and deaths of the manager, and after each the jobs
 * compared with a model of what they should be: all that have not ended in the database and in the manager's
 * memory, the others by their number, and now and then one by one. HYPER_SEED=n repeats a run. */

#include "manager/job-cancel.h"
#include "manager/queue.h"
#include "manager/submit-options.h"
#include "manager/submit.h"
#include "manager/worker/worker-report.h"
#include "manager/worker/worker.h"
#include "shared/error-table.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/limits.h"
#include "unit/lib/manager-test.h"

#define JOBS_MAX 400
#define WORKERS 5
#define STEPS 4000
#define LEASE (300 * USEC_PER_SEC)
#define LIMITS 4

/* How many may hold each of them. */
static const unsigned limit_max[LIMITS] = { 1, 2, 3, 1 };

typedef struct ModelJob {
        JobState state;
        int worker; /* that holds it, or held it to its end; -1: none */
        unsigned priority, attempt, retries;
        unsigned timeout;
        unsigned limits; /* a mask */
        bool idempotent, needs_lvm, told; /* told: its worker hears that it must let go of it */
        usec_t due_at, deadline_at, ended_at;
} ModelJob;

typedef struct ModelWorker {
        bool registered, has_lvm;
        usec_t heard_at;
} ModelWorker;

typedef struct Model {
        ModelJob jobs[JOBS_MAX];
        size_t n;
        ModelWorker workers[WORKERS];
        unsigned held[LIMITS]; /* count_limits() */
        const ModelJob *last[LIMITS]; /* of those that hold it, by their order */
        uint64_t random;
        unsigned accepted[15]; /* how often each kind of step succeeded */
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

/* --- what follows from time and failures ----------------------------------------------------------- */

static usec_t pause_after(unsigned attempt) {
        return (attempt > 6 ? 60 : MIN(1u << (attempt - 1), 60u)) * USEC_PER_SEC;
}

static void model_end(ModelJob *j, JobState state) {
        j->state = state;
        j->ended_at = test_clock;
        /* Whatever it ended by: at its deadline it was taken away. */
        j->told = j->worker >= 0 &&
                        (state == JOB_CANCELLED || (state == JOB_FAILED && test_clock >= j->deadline_at));
}

static void model_back(ModelJob *j, JobState state, usec_t due_at) {
        j->state = state;
        j->due_at = due_at;
        j->deadline_at = 0;
        j->worker = -1;
}

static void model_fail(ModelJob *j, bool retry, usec_t pause) {
        if (retry && j->idempotent && j->attempt <= j->retries)
                model_back(j, JOB_RETRYING, test_clock + pause);
        else
                model_end(j, JOB_FAILED);
}

static void model_heard(Model *m, int w) {
        if (test_clock >= m->workers[w].heard_at + USEC_PER_SEC)
                m->workers[w].heard_at = test_clock;
}

/* What the queue does when it is run: retries that are due, then leases that have ended, then deadlines. */
static void model_time(Model *m, usec_t started_at) {
        for (size_t i = 0; i < m->n; i++) {
                ModelJob *j = &m->jobs[i];

                if (j->state == JOB_RETRYING && j->due_at <= test_clock)
                        model_back(j, JOB_QUEUED, 0);
        }
        for (size_t i = 0; i < m->n; i++) {
                ModelJob *j = &m->jobs[i];

                if (is_held(j) && MAX(m->workers[j->worker].heard_at, started_at) + LEASE <= test_clock)
                        model_fail(j, true, pause_after(j->attempt));
        }
        for (size_t i = 0; i < m->n; i++) {
                ModelJob *j = &m->jobs[i];

                if (is_held(j) && MAX(j->deadline_at, started_at + LEASE) <= test_clock) {
                        model_fail(j, j->state == JOB_ASSIGNED, pause_after(j->attempt));
                        m->accepted[8]++;
                }
        }
}

/* --- limits ---------------------------------------------------------------------------------------- */

static bool comes_before(const ModelJob *a, const ModelJob *b) {
        return a->priority != b->priority ? a->priority > b->priority : a < b;
}

static void count_limits(Model *m) {
        for (unsigned l = 0; l < LIMITS; l++) {
                m->held[l] = 0;
                m->last[l] = NULL;
                for (size_t i = 0; i < m->n; i++) {
                        const ModelJob *j = &m->jobs[i];

                        if (!is_held(j) || !(j->limits & 1u << l))
                                continue;
                        m->held[l]++;
                        if (!m->last[l] || comes_before(m->last[l], j))
                                m->last[l] = j;
                }
                ck_assert_uint_le(m->held[l], limit_max[l]);
        }
}

static bool is_full(const Model *m, unsigned limit, unsigned reserved) {
        return m->held[limit] + reserved >= limit_max[limit];
}

/* One that comes behind the job holds a limit for which it waits. */
static bool was_passed(const Model *m, const ModelJob *j) {
        for (unsigned l = 0; l < LIMITS; l++)
                if (j->limits & 1u << l && is_full(m, l, 0) && comes_before(j, m->last[l]))
                        return true;
        return false;
}

static bool can_be_done(const Model *m, const ModelJob *j) {
        for (int w = 0; w < WORKERS; w++)
                if (m->workers[w].registered && (!j->needs_lvm || m->workers[w].has_lvm))
                        return true;
        return false;
}

/* The job for which the others leave its limits alone, or NULL. */
static const ModelJob *model_reserve(const Model *m) {
        const ModelJob *first = NULL;

        for (size_t i = 0; i < m->n; i++) {
                const ModelJob *j = &m->jobs[i];

                if (j->state == JOB_QUEUED && was_passed(m, j) && can_be_done(m, j) &&
                                (!first || comes_before(j, first)))
                        first = j;
        }
        return first;
}

static bool limits_are_free(const Model *m, const ModelJob *j, const ModelJob *reserve) {
        bool behind = reserve && comes_before(reserve, j);

        for (unsigned l = 0; l < LIMITS; l++)
                if (j->limits & 1u << l && is_full(m, l, behind && reserve->limits & 1u << l))
                        return false;
        return true;
}

static char *limits_json(unsigned limits) {
        _cleanup_strv_free_ char **names = NULL;

        for (unsigned l = LIMITS; l-- > 0;)
                if (limits & 1u << l)
                        ck_assert_int_ge(strv_extendf(&names, "\"esx:%u\"", l), 0);
        return strv_join(names, ",");
}

static void set_rules(Fixture *f) {
        LimitRules *rules = &f->manager->settings->limits;

        for (unsigned l = 0; l < LIMITS; l++) {
                _cleanup_free_ char *name = strprintf("esx:%u", l);

                ck_assert_int_ge(limit_rules_set(rules, name, limit_max[l]), 0);
        }
        store_limits_set_rules(f->store, rules);
}

/* --- steps ----------------------------------------------------------------------------------------- */

static void is_accepted(Manager *m, int r, const char *id, bool created, const JsonErrors *fields,
                sd_bus_error *error, void *userdata) {
        ck_assert_msg(r >= 0, "%s: %s", id, strna(error->message));
        ck_assert(created);
}

static void step_submit(Fixture *f, Model *m) {
        size_t i = m->n;
        ModelJob *j = &m->jobs[i];

        if (i == JOBS_MAX)
                return;
        *j = (ModelJob){ .state = JOB_QUEUED,
                .worker = -1,
                .priority = dice(m, 4) * 25,
                .retries = dice(m, 3),
                .timeout = dice(m, 2) ? 60 : 1200,
                .idempotent = dice(m, 3) > 0,
                .needs_lvm = dice(m, 4) == 0,
                .limits = dice(m, 3) ? dice(m, 1u << LIMITS) : 0 };
        _cleanup_free_ char *
                        name = job_name(i),
                       *limits = limits_json(j->limits),
                       *extra = strprintf(
                                       ",\"execution_policy\":{\"priority\":%u,\"retry_count\":%u,"
                                       "\"timeout_seconds\":%u,"
                                       "\"idempotent\":%s},\"capability_requirements\":{\"needs_lvm\":%s},"
                                       "\"limits\":[%s]",
                                       j->priority, j->retries, j->timeout, j->idempotent ? "true" : "false",
                                       j->needs_lvm ? "true" : "false", limits),
                       *spec = make_spec(f, name, extra);
        SubmitOptions options = { .dialect = "worker", .any_worker = true, .role = ROLE_ADMIN };
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_errors_done) JsonErrors fields = {};

        ck_assert_msg(manager_submit(f->manager, spec, &options, is_accepted, NULL, &fields, &error) >= 0,
                        "%s: %s", name, strna(error.message));
        finish_lookups(f);
        m->n++;
        m->accepted[0]++;
}

static void step_register(Fixture *f, Model *m, int w) {
        bool lvm = dice(m, 2), created;
        _cleanup_free_ char *name = worker_name(w),
                            *text = strprintf("{\"worker_id\":\"%s\",\"capabilities\":[\"qemu_img\"%s]}",
                                            name, lvm ? ",\"lvm_tools\"" : "");
        ModelWorker *worker = &m->workers[w];

        ck_assert_int_ge(manager_register_worker(f->manager, text, &created, &f->fields, NULL), 0);
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
                else
                        model_back(j, JOB_QUEUED, 0);
        }
        m->workers[w].registered = false;
        m->accepted[1] += r >= 0;
}

static void step_heartbeat(Fixture *f, Model *m, int w) {
        _cleanup_(job_rows_done) JobRows jobs = {}, cancelled = {};
        _cleanup_free_ char *name = worker_name(w);
        int r = manager_worker_heard(f->manager, name, &jobs, &cancelled, NULL);
        size_t held = 0, told = 0;

        ck_assert_int_eq(r, m->workers[w].registered ? 0 : -ENOTNAM);
        if (r < 0)
                return;
        model_heard(m, w);
        for (size_t i = 0; i < m->n; i++) {
                const ModelJob *j = &m->jobs[i];

                held += is_held(j) && j->worker == w;
                told += j->told && j->worker == w && j->ended_at + LEASE > test_clock;
        }
        ck_assert_uint_eq(jobs.n, held);
        ck_assert_uint_eq(cancelled.n, told);
        m->accepted[2]++;
        m->accepted[9] += told > 0;
}

/* The first of those that a worker can do. */
static ModelJob *model_next(Model *m, bool has_lvm) {
        ModelJob *best = NULL;

        count_limits(m);
        const ModelJob *reserve = model_reserve(m);

        for (size_t i = 0; i < m->n; i++) {
                ModelJob *j = &m->jobs[i];

                if (j->state != JOB_QUEUED || (j->needs_lvm && !has_lvm) || (best && !comes_before(j, best)))
                        continue;
                if (limits_are_free(m, j, reserve))
                        best = j;
                else
                        m->accepted[13]++;
        }
        m->accepted[14] += reserve != NULL;
        return best;
}

static void is_given(Manager *m, int r, const char *spec, void *userdata) {
        char **ret = userdata;

        ck_assert_int_ge(r, 0);
        *ret = spec ? strdup(spec) : NULL;
}

static void step_dequeue(Fixture *f, Model *m, int w) {
        /* What it says now counts, whatever it said when it registered. */
        unsigned says = dice(m, 4);
        bool has_lvm = says == 0 || (says > 1 && m->workers[w].has_lvm);
        _cleanup_free_ char *name = worker_name(w),
                            *text = strprintf("{\"worker_id\":\"%s\"%s}", name,
                                            says == 0 ? ",\"capabilities\":[\"lvm_tools\",\"qemu_img\"]"
                                                            : says == 1
                                                            ? ",\"capabilities\":{\"qemu_img\":true}"
                                                            : ""),
                            *spec = NULL;
        int r = manager_dequeue(f->manager, text, is_given, &spec, &f->fields, NULL);
        ModelJob *expected;

        commit_group_settle(f->manager->group);
        ck_assert_int_eq(r, m->workers[w].registered ? 0 : -ENOTNAM);
        if (r < 0)
                return;
        model_heard(m, w);
        expected = model_next(m, has_lvm);
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
        expected->deadline_at = test_clock + expected->timeout * USEC_PER_SEC + LEASE;
        m->accepted[3]++;
}

/* What a question for exactly this job is answered. */
static int model_take(Model *m, const ModelJob *j, bool has_lvm) {
        if (job_state_is_terminal(j->state))
                return -EALREADY;
        if (j->state == JOB_QUEUED && (!j->needs_lvm || has_lvm)) {
                count_limits(m);
                return limits_are_free(m, j, NULL) ? 0 : -ENAVAIL;
        }
        if (j->state == JOB_QUEUED)
                return -EOPNOTSUPP;
        return !is_held(j) && j->needs_lvm && !has_lvm ? -EOPNOTSUPP : -ENAVAIL;
}

static void step_take(Fixture *f, Model *m, int w) {
        ModelJob *j = &m->jobs[dice(m, (unsigned) m->n)];
        _cleanup_free_ char *id = job_name((size_t) (j - m->jobs)), *name = worker_name(w), *spec = NULL,
                            *text = strprintf("{\"worker_id\":\"%s\",\"job_id\":\"%s\"}", name, id);
        int r = manager_dequeue(f->manager, text, is_given, &spec, &f->fields, NULL), expected;

        commit_group_settle(f->manager->group);
        expected = m->workers[w].registered ? model_take(m, j, m->workers[w].has_lvm) : -ENOTNAM;
        ck_assert_int_eq(r, expected);
        if (r != -ENOTNAM)
                model_heard(m, w);
        m->accepted[12] += r == -ENAVAIL;
        if (r < 0)
                return;
        _cleanup_json_ json_t *object = json_loads(spec, 0, NULL);
        ck_assert_str_eq(json_string_value(json_object_get(object, "job_id")), id);
        j->state = JOB_ASSIGNED;
        j->worker = w;
        j->attempt++;
        j->deadline_at = test_clock + j->timeout * USEC_PER_SEC + LEASE;
        m->accepted[11]++;
}

/* What a report about @j by @w is answered. */
static int model_report(const ModelJob *j, int w) {
        return is_held(j) && j->worker == w ? 0 : -ENOLCK;
}

static void on_reported(Manager *m, int r, void *userdata) {
        ck_assert_int_ge(r, 0);
}

static void step_events(Fixture *f, Model *m, int w) {
        ModelJob *j = &m->jobs[dice(m, (unsigned) m->n)];
        _cleanup_free_ char *id = job_name((size_t) (j - m->jobs)), *name = worker_name(w),
                            *text = strprintf("{\"percentage\":%u}", dice(m, 101));

        if (is_held(j) && dice(m, 2)) { /* mostly the right one */
                free(name);
                name = worker_name(w = j->worker);
        }
        int r = manager_report_events(f->manager, id, name, text, on_reported, NULL, &f->fields, NULL);
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
                        completed ? "{\"status\":\"completed\"}" : "{\"status\":\"failed\"}", on_reported,
                        NULL, &f->fields, NULL);
        ck_assert_int_eq(r < 0 ? r : 0, model_report(j, w));
        if (r < 0)
                return;
        model_heard(m, w);
        if (completed)
                model_end(j, JOB_COMPLETED);
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
        ck_assert_int_ge(manager_cancel_job(f->manager, id, NULL), 0);
        model_end(j, JOB_CANCELLED);
        m->accepted[6]++;
}

static void step_time(Model *m) {
        static const unsigned seconds[] = { 1, 5, 60, 299, 300, 301 };

        test_clock += seconds[dice(m, ELEMENTSOF(seconds))] * USEC_PER_SEC;
        m->accepted[7]++;
}

/* kill -9: what was not on disk is gone, and leases count from when there is a manager again. */
static void step_restart(Fixture *f, Model *m) {
        manager_down(f);
        test_clock += dice(m, 3) * 250 * USEC_PER_SEC;
        manager_up(f);
        set_rules(f);
        m->accepted[10]++;
}

static void step(Fixture *f, Model *m) {
        int w = (int) dice(m, WORKERS);
        unsigned kind = dice(m, 1000);

        if (kind < 120 || m->n == 0)
                step_submit(f, m);
        else if (kind < 200)
                step_register(f, m, w);
        else if (kind < 220)
                step_unregister(f, m, w);
        else if (kind < 350)
                step_heartbeat(f, m, w);
        else if (kind < 530)
                step_dequeue(f, m, w);
        else if (kind < 600)
                step_take(f, m, w);
        else if (kind < 750)
                step_events(f, m, w);
        else if (kind < 870)
                step_result(f, m, w);
        else if (kind < 900)
                step_cancel(f, m);
        else if (kind < 990)
                step_time(m);
        else
                step_restart(f, m);
}

/* --- comparing ------------------------------------------------------------------------------------- */

typedef struct Place {
        uint64_t seed;
        unsigned step;
} Place;

static void compare_row(const JobRow *row, const ModelJob *j, const Place *p, const char *where) {
        _cleanup_free_ char *worker = j->worker >= 0 ? worker_name(j->worker) : NULL;

        ck_assert_msg(row->state == j->state && row->attempt == j->attempt &&
                                        streq(strempty(row->worker_id), strempty(worker)),
                        "HYPER_SEED=%" PRIu64
                        ", step %u, %s: %s is %s in attempt %u of %s, should be %s in %u of %s",
                        p->seed, p->step, where, row->id, job_state_to_string(row->state), row->attempt,
                        strna(row->worker_id), job_state_to_string(j->state), j->attempt, strna(worker));
}

/* What a job is said to wait for. */
static void compare_waits(Fixture *f, const Model *m, const ModelJob *j, const JobRow *row, const Place *p) {
        _cleanup_strv_free_ char **names = NULL;

        ck_assert_int_eq(store_job_waits_for(f->store, row, &names), 0);
        for (unsigned l = 0; l < LIMITS; l++) {
                bool waits = j->state == JOB_QUEUED && j->limits & 1u << l && is_full(m, l, 0);
                _cleanup_free_ char *name = strprintf("esx:%u", l);

                ck_assert_msg(strv_contains(names, name) == waits,
                                "HYPER_SEED=%" PRIu64 ", step %u: %s should %swait for %s", p->seed, p->step,
                                row->id, waits ? "" : "not ", name);
        }
}

/* The jobs that have not ended, one by one, and how many there are in each state. */
static void compare(Fixture *f, Model *m, const Place *p) {
        _cleanup_(job_rows_done) JobRows rows = {};
        uint64_t expected[_JOB_STATE_MAX] = {}, counts[_JOB_STATE_MAX] = {};
        JobFilter filter = { .order = JOB_ORDER_OLDEST };
        size_t k = 0;

        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                if (!job_state_is_terminal(s))
                        filter.states |= 1u << s;
        ck_assert_int_eq(store_jobs_list(f->store, &filter, &rows), 0);
        count_limits(m);
        for (size_t i = 0; i < m->n; i++) {
                const ModelJob *j = &m->jobs[i];
                _cleanup_free_ char *id = NULL;
                Job *job;

                expected[j->state]++;
                if (job_state_is_terminal(j->state))
                        continue;
                id = job_name(i);
                ck_assert_msg(k < rows.n && streq(rows.rows[k]->id, id),
                                "HYPER_SEED=%" PRIu64 ", step %u: %s should be %s, and is not among those",
                                p->seed, p->step, id, job_state_to_string(j->state));
                compare_row(rows.rows[k], j, p, "in the database");
                /* The clock ticks with each look at it. */
                ck_assert(rows.rows[k]->deadline_at <= j->deadline_at &&
                                rows.rows[k]->deadline_at + USEC_PER_SEC >= j->deadline_at);
                k++;
                job = manager_get_job(f->manager, id);
                ck_assert_ptr_nonnull(job);
                compare_row(job->row, j, p, "in memory");
                compare_waits(f, m, j, job->row, p);
        }
        ck_assert_uint_eq(k, rows.n);
        ck_assert_uint_eq(HASH_COUNT(f->manager->jobs), k);
        ck_assert_int_eq(store_jobs_count(f->store, counts), 0);
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                ck_assert_msg(counts[s] == expected[s],
                                "HYPER_SEED=%" PRIu64 ", step %u: %" PRIu64
                                " jobs are %s, should be %" PRIu64,
                                p->seed, p->step, counts[s], job_state_to_string(s), expected[s]);
}

/* All jobs, and that each went only where it may, once for each attempt, and ended at most once. */
static void compare_all(Fixture *f, const Model *m, const Place *p) {
        for (size_t i = 0; i < m->n; i++) {
                _cleanup_(job_row_freep) JobRow *row = NULL;
                _cleanup_free_ char *id = job_name(i);
                JobStateRow *states = NULL;
                unsigned attempts = 0;
                size_t n = 0;

                ck_assert_int_eq(store_job_get(f->store, id, &row), 0);
                compare_row(row, &m->jobs[i], p, "of all");
                ck_assert_int_eq(store_job_states(f->store, id, &states, &n), 0);
                for (size_t k = 0; k < n; k++) {
                        attempts += states[k].state == JOB_ASSIGNED;
                        ck_assert(k == 0 || job_state_may_become(states[k - 1].state, states[k].state));
                }
                ck_assert_uint_eq(attempts, row->attempt);
                ck_assert_int_eq(states[n - 1].state, row->state);
                job_state_rows_free(states, n);
        }
}

START_TEST(whatever_happens_the_jobs_are_as_the_model_says) {
        const char *given = getenv("HYPER_SEED");
        unsigned steps = getenv("VALGRIND") ? STEPS / 4 : STEPS;
        Place p = { .seed = given ? strtoull(given, NULL, 10) : now_realtime() };
        Model *m = new0(Model, 1);
        Fixture f;

        ck_assert_ptr_nonnull(m);
        fprintf(stderr, "HYPER_SEED=%" PRIu64 "\n", p.seed);
        m->random = p.seed;
        fixture_open(&f);
        f.no_local_worker = true;
        manager_up(&f);
        set_rules(&f);
        for (p.step = 0; p.step < steps; p.step++) {
                step(&f, m);
                queue_run(f.manager);
                model_time(m, f.manager->started_at);
                compare(&f, m, &p);
                /* Nobody reads the signals otherwise. */
                if (p.step % 100 == 0) {
                        compare_all(&f, m, &p);
                        settle_down(&f);
                }
        }
        manager_down(&f);
        manager_up(&f);
        set_rules(&f);
        compare(&f, m, &p);
        compare_all(&f, m, &p);
        for (size_t i = 0; i < ELEMENTSOF(m->accepted); i++)
                ck_assert_msg(m->accepted[i] > 0 || steps < STEPS,
                                "steps of kind %zu were never carried out", i);
        fixture_close(&f);
        free(m);
}
END_TEST

TEST_MAIN("manager-workers-model", whatever_happens_the_jobs_are_as_the_model_says)
