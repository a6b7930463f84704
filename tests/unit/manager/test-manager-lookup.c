/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Paths that do not answer: a function stands in for the kernel that blocks for as long as the test wants,
 * at a file system that is as good as dead. */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "basic/string-util.h"
#include "manager/manager.h"
#include "manager/queue.h"
#include "shared/error-table.h"
#include "unit/lib/manager-test.h"

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_opens = PTHREAD_COND_INITIALIZER;
static bool gate_is_open;
static atomic_uint n_blocked;

static void gate_set(bool open) {
        pthread_mutex_lock(&gate_lock);
        gate_is_open = open;
        pthread_cond_broadcast(&gate_opens);
        pthread_mutex_unlock(&gate_lock);
}

static bool hangs(const char *path) {
        return path && strstr(path, "/dead");
}

/* Sources and destinations in a directory "dead" do not answer until the gate is open. */
static int look(const JobSpec *spec, const PathRules *rules, JobFiles *ret, JsonErrors *errors) {
        if (hangs(spec->source.path) || hangs(spec->destination.path)) {
                __atomic_store_n(rules->at,
                                hangs(spec->source.path) ? LOOKING_AT_SOURCE : LOOKING_AT_DESTINATION,
                                __ATOMIC_RELAXED);
                n_blocked++;
                pthread_mutex_lock(&gate_lock);
                while (!gate_is_open)
                        pthread_cond_wait(&gate_opens, &gate_lock);
                pthread_mutex_unlock(&gate_lock);
                n_blocked--;
        }
        return job_files_resolve(spec, rules, ret, errors);
}

/* --- the pool -------------------------------------------------------------------------------------- */

typedef struct Pool {
        sd_event *event;
        LookupPool *pool;
        char *dir;
        char order[256]; /* who was done, in which order: "a b:110 …", with the errno behind a colon */
        char *why; /* of the last one that failed */
        struct Asked *last;
} Pool;

typedef struct Asked {
        Pool *pool;
        char name;
} Asked;

static void on_done(JobSpec *spec, JobFiles *files, int r, const JsonErrors *errors, void *userdata) {
        Asked *a = userdata;
        size_t n = strlen(a->pool->order);

        if (r < 0) {
                free(a->pool->why);
                a->pool->why = json_errors_text(errors);
        }
        ck_assert_int_eq(!spec, r == -ETIMEDOUT);
        snprintf(a->pool->order + n, sizeof(a->pool->order) - n, r < 0 ? "%c:%d " : "%c ", a->name, -r);
        free(a);
}

static void pool_open(Pool *p, usec_t timeout) {
        gate_set(false);
        *p = (Pool){ .dir = test_dir() };
        ck_assert_int_ge(sd_event_new(&p->event), 0);
        ck_assert_int_ge(lookup_pool_new(p->event, &p->pool), 0);
        lookup_pool_override(p->pool, look, timeout);
        _cleanup_free_ char *dead = strprintf("%s/dead", p->dir), *a = strprintf("%s/a.raw", p->dir);
        make_file(dead, "x");
        make_file(a, "x");
}

static void pool_close(Pool *p) {
        gate_set(true);
        lookup_pool_free(p->pool);
        sd_event_unref(p->event);
        free(p->why);
        test_dir_freep(&p->dir);
        while (n_blocked > 0)
                usleep(1000);
}

static int ask(Pool *p, char name, const char *source, Lookup **ret, char **ret_why) {
        _cleanup_free_ char *text = strprintf(
                        "{\"operation\":\"convert\",\"source\":{\"type\":\"file\",\"format\":\"raw\","
                        "\"path\":\"%s/%s\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"%s/out-%c.raw\",\"format\":\"raw\"}}",
                        p->dir, source, p->dir, name);
        _cleanup_(json_errors_done) JsonErrors errors = {}, why = {};
        PathRules rules = { .role = ROLE_ADMIN };
        Asked *a = new0(Asked, 1);
        JobSpec *spec;
        Lookup *l;

        ck_assert_int_eq(job_spec_parse(text, strlen(text), &spec, &errors), 0);
        a->pool = p;
        a->name = name;
        p->last = a;
        int r = lookup_start(p->pool, spec, &rules, job_files_resolve, on_done, a, ret ? ret : &l, &why);
        if (why.n_errors > 0)
                *ret_why = json_errors_text(&why);
        if (r < 0)
                free(a);
        return r;
}

static void ask_ok(Pool *p, char name, const char *source) {
        _cleanup_free_ char *why = NULL;

        ck_assert_int_eq(ask(p, name, source, NULL, &why), 0);
}

static void run_until(Pool *p, size_t pending) {
        while (lookup_pool_pending(p->pool) > pending)
                ck_assert_int_gt(sd_event_run(p->event, 20 * USEC_PER_SEC), 0);
}

START_TEST(results_come_in_order) {
        Pool p;

        pool_open(&p, LOOKUP_TIMEOUT);
        for (char c = 'a'; c <= 'z'; c++)
                ask_ok(&p, c, "a.raw");
        run_until(&p, 0);
        ck_assert_str_eq(p.order, "a b c d e f g h i j k l m n o p q r s t u v w x y z ");
        pool_close(&p);
}
END_TEST

START_TEST(one_that_takes_long_holds_the_others_up_for_a_moment) {
        usec_t began = now_monotonic();
        Pool p;

        pool_open(&p, LOOKUP_TIMEOUT);
        ask_ok(&p, 'a', "dead");
        ask_ok(&p, 'b', "a.raw");
        ask_ok(&p, 'c', "a.raw");
        run_until(&p, 1);
        ck_assert_str_eq(p.order, "b c ");
        ck_assert_uint_ge(now_monotonic() - began, 90 * USEC_PER_MSEC);
        gate_set(true);
        run_until(&p, 0);
        ck_assert_str_eq(p.order, "b c a ");
        pool_close(&p);
}
END_TEST

START_TEST(what_does_not_answer_is_given_up_by_name) {
        Pool p;

        pool_open(&p, 200 * USEC_PER_MSEC);
        ask_ok(&p, 'a', "dead");
        run_until(&p, 0);
        ck_assert_str_eq(p.order, "a:110 ");
        ck_assert_ptr_nonnull(strstr(p.why, "/dead: it does not answer"));
        ck_assert_ptr_nonnull(startswith(p.why, "source.path: /"));
        pool_close(&p);
}
END_TEST

START_TEST(when_all_hang_it_is_told_at_once) {
        _cleanup_free_ char *why = NULL;
        Pool p;

        pool_open(&p, 300 * USEC_PER_MSEC);
        for (unsigned i = 0; i < LOOKUP_THREADS_MAX; i++)
                ask_ok(&p, 'h', "dead");
        /* This one has no thread. */
        ask_ok(&p, 'w', "a.raw");
        run_until(&p, 0);
        ck_assert_ptr_nonnull(strstr(p.order, "w:110 "));
        ck_assert_ptr_nonnull(strstr(p.why, "busy: looking at paths hangs on /"));
        ck_assert_uint_eq(n_blocked, LOOKUP_THREADS_MAX);
        ck_assert_int_eq(ask(&p, 'x', "a.raw", NULL, &why), -EBUSY);
        ck_assert_ptr_nonnull(strstr(why, "busy"));
        ck_assert_ptr_nonnull(strstr(why, "/dead"));
        _cleanup_free_ char *path = strprintf("%s/a.raw", p.dir);
        ck_assert_int_eq(lookup_exists(p.pool, path), -ETIMEDOUT);
        ck_assert_uint_eq(lookup_pool_pending(p.pool), 0);

        /* Once they answer, all is well. */
        gate_set(true);
        for (unsigned i = 0; lookup_exists(p.pool, path) != 1; i++) {
                ck_assert_uint_lt(i, 10000);
                usleep(1000);
        }
        p.order[0] = '\0';
        ask_ok(&p, 'y', "a.raw");
        run_until(&p, 0);
        ck_assert_str_eq(p.order, "y ");
        pool_close(&p);
}
END_TEST

START_TEST(a_lookup_that_is_cancelled_is_not_heard_of) {
        _cleanup_free_ char *why = NULL;
        Lookup *waits, *runs;
        Asked *of_waits, *of_runs;
        Pool p;

        pool_open(&p, LOOKUP_TIMEOUT);
        ck_assert_int_eq(ask(&p, 'a', "dead", &runs, &why), 0);
        of_runs = p.last;
        while (n_blocked == 0)
                usleep(100);
        for (unsigned i = 1; i < LOOKUP_THREADS_MAX; i++)
                ask_ok(&p, 'h', "dead");
        while (n_blocked < LOOKUP_THREADS_MAX)
                usleep(100);
        ck_assert_int_eq(ask(&p, 'b', "a.raw", &waits, &why), 0);
        of_waits = p.last;
        lookup_cancel(waits);
        lookup_cancel(runs);
        gate_set(true);
        run_until(&p, 0);
        ck_assert_ptr_null(strstr(p.order, "a"));
        ck_assert_ptr_null(strstr(p.order, "b"));
        free(of_waits);
        free(of_runs);
        pool_close(&p);
}
END_TEST

START_TEST(whether_something_is_there) {
        Pool p;

        pool_open(&p, LOOKUP_TIMEOUT);
        _cleanup_free_ char *there = strprintf("%s/a.raw", p.dir), *none = strprintf("%s/none", p.dir);
        ck_assert_int_eq(lookup_exists(p.pool, there), 1);
        ck_assert_int_eq(lookup_exists(p.pool, none), 0);
        pool_close(&p);
}
END_TEST

/* --- the manager ----------------------------------------------------------------------------------- */

/* A spec whose source is in the dead directory. */
static char *dead_spec(Fixture *f, const char *id) {
        return strprintf(
                        "{\"operation\":\"convert\",\"job_id\":\"%s\",\"source\":{\"type\":\"file\","
                        "\"path\":\"%s/dead/a.raw\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"%s/%s.qcow2\",\"format\":\"qcow2\"}}",
                        id, f->dir, f->dir, id);
}

static void make_dead(Fixture *f) {
        _cleanup_free_ char *directory = strprintf("%s/dead", f->dir),
                            *file = strprintf("%s/dead/a.raw", f->dir);

        gate_set(false);
        ck_assert_int_eq(mkdir(directory, 0755), 0);
        make_file(file, "disk");
}

static int keep_reply(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        *(sd_bus_message **) userdata = sd_bus_message_ref(m);
        return 0;
}

static void wake_dead(void) {
        gate_set(true);
        while (n_blocked > 0)
                usleep(1000);
}

BUS_TEST(a_submission_that_hangs_is_refused_and_holds_nobody_up)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *spec = dead_spec(&f, "dead");

        make_dead(&f);
        lookup_pool_override(f.manager->lookups, look, USEC_PER_SEC / 2);
        ck_assert_int_eq(call(&f, "SubmitJob", NULL, &error, "sa{sv}", spec, 0), -EAGAIN);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_UNAVAILABLE);
        ck_assert_ptr_nonnull(strstr(error.message, "/dead/a.raw: it does not answer"));
        ck_assert_uint_eq(n_blocked, 1);
        /* It is as if it had never been submitted, and others are. */
        submit(&f, "alive", NULL);
        settle_down(&f);
        expect_state(&f, "alive", JOB_RUNNING);
        ck_assert_int_eq(call(&f, "GetJob", NULL, NULL, "s", "dead"), -ENOENT);
        wake_dead();
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 0), 0);
BUS_TEST_END

BUS_TEST(a_job_whose_paths_hang_at_its_start_fails_with_the_path)
        _cleanup_free_ char *spec = dead_spec(&f, "dead"), *result = NULL;

        make_dead(&f);
        f.manager->settings->jobs.max_running = 0;
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 0), 0);
        lookup_pool_override(f.manager->lookups, look, USEC_PER_SEC / 2);
        f.manager->settings->jobs.max_running = 2;
        queue_wake(f.manager);
        submit(&f, "alive", NULL);
        settle_down(&f);
        expect_state(&f, "alive", JOB_RUNNING);
        expect_state(&f, "dead", JOB_FAILED);
        expect_reason(&f, "dead", "/dead/a.raw: it does not answer");
        result = result_of(&f, "dead");
        ck_assert_ptr_nonnull(strstr(result, "path_hangs"));
        wake_dead();
BUS_TEST_END

BUS_TEST(a_job_that_is_being_looked_at_can_be_cancelled)
        _cleanup_free_ char *spec = dead_spec(&f, "dead");

        make_dead(&f);
        f.manager->settings->jobs.max_running = 0;
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 0), 0);
        lookup_pool_override(f.manager->lookups, look, LOOKUP_TIMEOUT);
        f.manager->settings->jobs.max_running = 1;
        queue_wake(f.manager);
        while (n_blocked == 0)
                ck_assert_int_gt(sd_event_run(f.event, 10 * USEC_PER_SEC), 0);
        /* It has the slot. */
        submit(&f, "alive", NULL);
        expect_state(&f, "alive", JOB_QUEUED);
        expect_state(&f, "dead", JOB_QUEUED);
        ck_assert_int_ge(cancel(&f, "dead"), 0);
        settle_down(&f);
        expect_state(&f, "dead", JOB_CANCELLED);
        expect_state(&f, "alive", JOB_RUNNING);
        ck_assert_ptr_null(unit_of(&f, "dead"));
        wake_dead();
BUS_TEST_END

/* The same job twice while the first is being looked at: one job, and both are told of it. */
BUS_TEST(a_submission_that_is_repeated_meanwhile_is_one_job)
        _cleanup_free_ char *spec = dead_spec(&f, "dead");
        sd_bus_message *calls[2] = {};
        sd_bus_message *replies[2] = {};

        make_dead(&f);
        lookup_pool_override(f.manager->lookups, look, LOOKUP_TIMEOUT);
        for (unsigned i = 0; i < 2; i++) {
                ck_assert_int_ge(sd_bus_message_new_method_call(f.client, &calls[i], HYPER_BUS_NAME,
                                                 HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, "SubmitJob"),
                                0);
                ck_assert_int_ge(sd_bus_message_append(calls[i], "sa{sv}", spec, 0), 0);
                ck_assert_int_ge(sd_bus_call_async(f.client, NULL, calls[i], keep_reply, &replies[i], 0), 0);
        }
        while (n_blocked < 2)
                ck_assert_int_gt(sd_event_run(f.event, 10 * USEC_PER_SEC), 0);
        gate_set(true);
        unsigned n_created = 0;
        for (unsigned i = 0; i < 2; i++) {
                const char *id;
                int created;

                while (!replies[i])
                        ck_assert_int_gt(sd_event_run(f.event, 10 * USEC_PER_SEC), 0);
                ck_assert_int_gt(sd_bus_message_read(replies[i], "sob", &id, NULL, &created), 0);
                ck_assert_str_eq(id, "dead");
                n_created += created;
                sd_bus_message_unref(calls[i]);
                sd_bus_message_unref(replies[i]);
        }
        ck_assert_uint_eq(n_created, 1);
BUS_TEST_END

TEST_MAIN("manager-lookup", results_come_in_order, one_that_takes_long_holds_the_others_up_for_a_moment,
                what_does_not_answer_is_given_up_by_name, when_all_hang_it_is_told_at_once,
                a_lookup_that_is_cancelled_is_not_heard_of, whether_something_is_there,
                a_submission_that_hangs_is_refused_and_holds_nobody_up,
                a_job_whose_paths_hang_at_its_start_fails_with_the_path,
                a_job_that_is_being_looked_at_can_be_cancelled,
                a_submission_that_is_repeated_meanwhile_is_one_job)
