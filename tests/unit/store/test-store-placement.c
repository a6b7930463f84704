/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which machine gets which job: by example, and thousands of random steps compared with a model that looks at
 * all jobs and all workers each time. */

#include "spec/capability.h"
#include "spec/job-demand.h"
#include "spec/label.h"
#include "store/job-changes.h"
#include "store/jobs.h"
#include "store/limits.h"
#include "store/workers.h"
#include "unit/lib/test.h"

#define QEMU (1u << CAPABILITY_QEMU_IMG)
#define T0 (1000 * USEC_PER_SEC)

typedef struct Bench {
        char *dir, *path;
        Store *store;
} Bench;

static void bench_init(Bench *b) {
        *b = (Bench){ .dir = test_dir() };
        b->path = strprintf("%s/hyper.db", b->dir);
        ck_assert_int_eq(store_open(b->path, STORE_OWNER, &b->store), 0);
}

static void bench_done(Bench *b) {
        b->store = store_free(b->store);
        free(b->path);
        test_dir_freep(&b->dir);
}

static void enlist(Bench *b, const char *id, uint32_t capabilities, const char *labels) {
        const WorkerRow row = { .id = (char *) id,
                .capabilities = (char *) "[]",
                .capability_mask = capabilities,
                .system_info = (char *) "{}",
                .labels = (char *) labels,
                .registered_at = T0 };
        bool created;

        ck_assert_int_eq(store_worker_register(b->store, &row, &created), 0);
}

static void submit(Bench *b, const char *id, unsigned priority, const char *words) {
        static const JobStateRow states[] = { { JOB_QUEUED, 100, (char *) "Queued" } };
        JobDemand demand = { .capabilities = QEMU };
        JobRow row = { .id = (char *) id,
                .operation = (char *) "convert",
                .spec = (char *) "{}",
                .dialect = (char *) "worker",
                .priority = priority,
                .any_worker = true,
                .demand = job_demand_pack(&demand),
                .limits = (char *) (words && *words ? words : NULL),
                .created_at = 100,
                .phase = _PHASE_INVALID,
                .percent = -1 };

        ck_assert_int_eq(store_job_insert(b->store, &row, states, 1), 0);
        free(row.reason);
}

/* The job that the worker gets; "": none. The caller frees. */
static char *next(Bench *b, const char *worker) {
        _cleanup_(worker_row_freep) WorkerRow *w = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;
        const WorkerHello hello = {};
        WorkerOffer offer;

        ck_assert_int_eq(store_worker_get(b->store, worker, &w), 0);
        worker_offer_make(w, &hello, &offer);
        offer.capabilities = w->capability_mask;
        int r = store_job_dequeue(b->store, &offer, T0, "Assigned", &row);
        ck_assert(r == 0 || r == -ENOENT);
        return strdup(r == 0 ? row->id : "");
}

static void expect_next(Bench *b, const char *worker, const char *id) {
        _cleanup_free_ char *found = next(b, worker);

        ck_assert_msg(streq(found, id), "worker %s gets \"%s\", not \"%s\"", worker, found, id);
}

static void expect_waits(Store *s, const char *id, const char *names) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_strv_free_ char **found = NULL;

        ck_assert_int_eq(store_job_get(s, id, &row), 0);
        ck_assert_int_eq(store_job_waits_for(s, row, &found), 0);
        _cleanup_free_ char *text = found ? strv_join(found, ", ") : strdup("");
        ck_assert_str_eq(text, names);
}

/* clang-format off */
#define PLACEMENT_TEST(name) START_TEST(name) { Bench b; bench_init(&b);
#define PLACEMENT_TEST_END bench_done(&b); } END_TEST
/* clang-format on */

PLACEMENT_TEST(a_worker_gets_what_its_labels_allow)
        enlist(&b, "plain", QEMU, "");
        enlist(&b, "san", QEMU, "san-b\nvlan10");
        submit(&b, "on-san", 50, "+san-b");
        submit(&b, "on-both", 50, "+san-b\n+vlan10");
        submit(&b, "not-vlan", 50, "-vlan10");
        submit(&b, "anywhere", 50, NULL);
        expect_next(&b, "plain", "not-vlan");
        expect_next(&b, "san", "on-san");
        expect_next(&b, "plain", "anywhere");
        expect_next(&b, "plain", "");
        expect_next(&b, "san", "on-both");
        expect_next(&b, "san", "");
PLACEMENT_TEST_END

PLACEMENT_TEST(labels_are_compared_as_a_whole)
        enlist(&b, "w", QEMU, "san-b2\nxsan-b");
        submit(&b, "1", 50, "+san-b");
        submit(&b, "2", 50, "+san");
        expect_next(&b, "w", "");
        submit(&b, "3", 50, "-san-b");
        expect_next(&b, "w", "3");
PLACEMENT_TEST_END

PLACEMENT_TEST(others_take_what_prefers_a_machine_when_they_find_no_other_job)
        enlist(&b, "fast", QEMU, "fast");
        enlist(&b, "slow", QEMU, "");
        submit(&b, "prefers", 90, "~fast");
        submit(&b, "anywhere", 10, NULL);
        submit(&b, "limited", 5, "team:x");
        expect_next(&b, "slow", "anywhere");
        expect_next(&b, "slow", "limited");
        expect_next(&b, "slow", "prefers");
        submit(&b, "prefers-2", 1, "~fast");
        submit(&b, "anywhere-2", 10, NULL);
        expect_next(&b, "fast", "anywhere-2");
        expect_next(&b, "fast", "prefers-2");
PLACEMENT_TEST_END

PLACEMENT_TEST(a_preference_for_what_no_machine_has_is_void)
        enlist(&b, "slow", QEMU, "");
        submit(&b, "prefers", 90, "~fast");
        submit(&b, "anywhere", 10, NULL);
        expect_next(&b, "slow", "prefers");
        /* A machine that has it, but must not have the job. */
        enlist(&b, "fast", QEMU, "fast\ntest");
        submit(&b, "prefers-2", 90, "-test\n~fast");
        expect_next(&b, "slow", "prefers-2");
PLACEMENT_TEST_END

PLACEMENT_TEST(a_job_says_which_worker_it_waits_for)
        _cleanup_(store_freep) Store *reader = NULL;

        submit(&b, "san", 50, "+san-b\n-test\nteam:x\n~fast");
        submit(&b, "anywhere", 50, "~fast");
        ck_assert_int_eq(store_open(b.path, STORE_READER, &reader), 0);
        expect_waits(reader, "san", "worker:+san-b -test");
        expect_waits(b.store, "san", "worker:+san-b -test");
        enlist(&b, "test", QEMU, "san-b\ntest");
        expect_waits(reader, "san", "worker:+san-b -test");
        enlist(&b, "san", QEMU, "san-b");
        expect_waits(reader, "san", "");
        expect_waits(b.store, "san", "");
        ck_assert_int_eq(store_worker_delete(b.store, "san"), 0);
        expect_waits(reader, "san", "worker:+san-b -test");
        /* This machine counts, if it takes jobs. */
        ck_assert_int_eq(store_placement_set_local(b.store, true, "san-b"), 0);
        expect_waits(reader, "san", "");
        expect_waits(b.store, "san", "");
        ck_assert_int_eq(store_placement_set_local(b.store, false, "san-b"), 0);
        expect_waits(reader, "san", "worker:+san-b -test");
        expect_waits(reader, "anywhere", "");
        /* What stays here, and what Slurm places, waits for no worker. */
        JobRow here = { .state = JOB_QUEUED, .demand = DEMAND_SLURM };
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_strv_free_ char **names = NULL;
        ck_assert_int_eq(store_job_get(b.store, "san", &row), 0);
        ck_assert(job_row_is_for_workers(row));
        ck_assert(!job_row_is_for_workers(&here));
        here.any_worker = true;
        ck_assert(!job_row_is_for_workers(&here));
        here.demand = 0;
        here.limit_set = row->limit_set;
        here.any_worker = false;
        ck_assert_int_eq(store_job_waits_for(b.store, &here, &names), 0);
        ck_assert_ptr_null(names);
PLACEMENT_TEST_END

PLACEMENT_TEST(a_job_that_no_worker_may_have_keeps_no_limit_from_others)
        LimitRules rules = {};

        ck_assert_int_eq(limit_rules_set(&rules, "a:*", 1), 0);
        ck_assert_int_eq(limit_rules_set(&rules, "b:*", 1), 0);
        store_limits_set_rules(b.store, &rules);
        enlist(&b, "w", QEMU, "");
        enlist(&b, "san", 0, "san-b"); /* has the label, and cannot do the job */
        submit(&b, "first", 50, "a:x");
        expect_next(&b, "w", "first");
        submit(&b, "both", 90, "+san-b\na:x\nb:x");
        submit(&b, "b", 50, "b:x");
        expect_next(&b, "w", "b");
        store_limits_set_rules(b.store, NULL);
        limit_rules_done(&rules);
PLACEMENT_TEST_END

/* --- the model ------------------------------------------------------------------------------------- */

#define LABELS 4
#define WORKERS 4
#define JOBS 300
#define STEPS 3000

typedef struct Model {
        struct {
                bool waits;
                unsigned priority, all, none, preferred; /* masks of labels */
        } jobs[JOBS];
        struct {
                bool there;
                unsigned labels;
        } workers[WORKERS];
        size_t n;
        uint64_t random;
        unsigned given, refused, left; /* how often each of these happened */
} Model;

static unsigned dice(Model *m, unsigned n) {
        m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned) (m->random >> 33) % n;
}

static unsigned mask(Model *m) {
        return dice(m, 3) == 0 ? 1u << dice(m, LABELS) | 1u << dice(m, LABELS) : 0;
}

static char *words_of(unsigned labels, const char *sign) {
        _cleanup_strv_free_ char **words = NULL;

        for (unsigned i = 0; i < LABELS; i++)
                if (labels & 1u << i) {
                        _cleanup_free_ char *word = strprintf("%sl%u", sign, i);
                        ck_assert_int_ge(strv_extend(&words, word), 0);
                }
        return words ? strv_join(words, "\n") : strdup("");
}

static bool may_have(const Model *m, size_t job, unsigned labels) {
        return !(m->jobs[job].all & ~labels) && !(m->jobs[job].none & labels);
}

static bool is_left(const Model *m, size_t job, unsigned labels) {
        for (unsigned i = 0; i < LABELS; i++) {
                if (!(m->jobs[job].preferred & ~labels & 1u << i))
                        continue;
                for (size_t w = 0; w < WORKERS; w++)
                        if (m->workers[w].there && m->workers[w].labels & 1u << i &&
                                        may_have(m, job, m->workers[w].labels))
                                return true;
        }
        return false;
}

/* The job that the worker should get; SIZE_MAX: none. */
static size_t model_next(Model *m, size_t worker) {
        size_t best[2] = { SIZE_MAX, SIZE_MAX };
        unsigned labels = m->workers[worker].labels;

        for (size_t i = 0; i < m->n; i++) {
                if (!m->jobs[i].waits)
                        continue;
                if (!may_have(m, i, labels)) {
                        m->refused++;
                        continue;
                }
                size_t *p = &best[is_left(m, i, labels)];
                if (*p == SIZE_MAX || m->jobs[i].priority > m->jobs[*p].priority)
                        *p = i;
        }
        m->left += best[0] == SIZE_MAX && best[1] != SIZE_MAX;
        return best[0] != SIZE_MAX ? best[0] : best[1];
}

static void model_submit(Model *m, Bench *b) {
        unsigned all = mask(m), none = mask(m) & ~all, preferred = mask(m) | mask(m) | mask(m);
        _cleanup_free_ char *plus = words_of(all, "+"), *minus = words_of(none, "-"),
                            *tilde = words_of(preferred, "~"), *id = strprintf("%zu", m->n);
        _cleanup_free_ char *words = strprintf("%s%s%s%s%s", plus, *plus && (*minus || *tilde) ? "\n" : "",
                        minus, *minus && *tilde ? "\n" : "", tilde);

        if (m->n == JOBS)
                return;
        m->jobs[m->n].waits = true;
        m->jobs[m->n].priority = dice(m, 5);
        m->jobs[m->n].all = all;
        m->jobs[m->n].none = none;
        m->jobs[m->n].preferred = preferred;
        submit(b, id, m->jobs[m->n].priority, words);
        m->n++;
}

static void model_dequeue(Model *m, Bench *b, size_t worker) {
        _cleanup_free_ char *name = strprintf("w%zu", worker), *found = NULL, *expected = NULL;

        if (!m->workers[worker].there)
                return;
        size_t job = model_next(m, worker);
        expected = job == SIZE_MAX ? strdup("") : strprintf("%zu", job);
        found = next(b, name);
        ck_assert_msg(streq(found, expected), "worker %s gets \"%s\", not \"%s\"", name, found, expected);
        if (job != SIZE_MAX) {
                m->jobs[job].waits = false;
                m->given++;
        }
}

static void model_enlist(Model *m, Bench *b, size_t worker) {
        _cleanup_free_ char *name = strprintf("w%zu", worker), *labels = NULL;

        if (m->workers[worker].there && dice(m, 3) == 0) {
                int r = store_worker_delete(b->store, name);
                ck_assert(r == 0 || r == -EBUSY);
                m->workers[worker].there = r == -EBUSY;
                return;
        }
        m->workers[worker].there = true;
        m->workers[worker].labels = dice(m, 1 << LABELS);
        labels = words_of(m->workers[worker].labels, "");
        enlist(b, name, QEMU, labels);
}

PLACEMENT_TEST(each_worker_gets_the_job_that_the_model_says)
        const char *seed = getenv("HYPER_SEED");
        Model m = { .random = seed ? strtoull(seed, NULL, 10) : 1 };

        for (unsigned i = 0; i < STEPS; i++)
                switch (dice(&m, 8)) {
                case 0:
                case 1:
                case 2:
                        model_submit(&m, &b);
                        break;
                case 3:
                        model_enlist(&m, &b, dice(&m, WORKERS));
                        break;
                case 4:
                        if (dice(&m, 20) == 0) { /* as if the manager had been killed */
                                b.store = store_free(b.store);
                                ck_assert_int_eq(store_open(b.path, STORE_OWNER, &b.store), 0);
                        }
                        break;
                default:
                        model_dequeue(&m, &b, dice(&m, WORKERS));
                }
        ck_assert_uint_gt(m.given, JOBS / 2);
        ck_assert_uint_gt(m.refused, 100);
        ck_assert_uint_gt(m.left, 5);
PLACEMENT_TEST_END

TEST_MAIN("store-placement", a_worker_gets_what_its_labels_allow, labels_are_compared_as_a_whole,
                others_take_what_prefers_a_machine_when_they_find_no_other_job,
                a_preference_for_what_no_machine_has_is_void, a_job_says_which_worker_it_waits_for,
                a_job_that_no_worker_may_have_keeps_no_limit_from_others,
                each_worker_gets_the_job_that_the_model_says)
