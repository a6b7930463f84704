/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many jobs on many machines, with limits, in simulated time: how long all of them take, against what the
 * limits allow, and whether one waits for ever. HYPER_JOBS and HYPER_WORKERS set how many there are (2,000
 * and 60); tests/bench/README.md has the figures of 100,000 jobs on 500 machines. */

#include "spec/capability.h"
#include "spec/job-demand.h"
#include "store/group.h"
#include "store/job-changes.h"
#include "store/jobs.h"
#include "store/limits.h"
#include "store/workers.h"
#include "unit/lib/test.h"

#define QEMU (1u << CAPABILITY_QEMU_IMG)
#define T0 (1000 * USEC_PER_SEC)
#define SECONDS_MAX 60u /* of one job */
#define SERVERS_OF(workers) ((workers) / 20 + 1)
#define SERVER_MAX 10u
#define DATASTORES_OF(workers) ((workers) / 4 + 1)
#define DATASTORE_MAX 4u

typedef struct SimJob {
        unsigned seconds, server, datastore; /* datastore: UINT_MAX if it holds only one limit */
        unsigned begun, ends;
        bool has_begun;
} SimJob;

typedef struct Sim {
        char *dir;
        Store *store;
        LimitRules rules;
        SimJob *jobs;
        size_t n_jobs, n_workers, n_begun, n_ended;
        size_t *running; /* of each worker: its job, or SIZE_MAX */
        unsigned now;
        uint64_t random;
} Sim;

static unsigned dice(Sim *s, unsigned n) {
        s->random = s->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned) (s->random >> 33) % n;
}

static size_t number_of(const char *variable, size_t otherwise) {
        const char *text = getenv(variable);

        return text ? strtoul(text, NULL, 10) : otherwise;
}

/* --- the load -------------------------------------------------------------------------------------- */

static void submit(Sim *s, size_t i) {
        static const JobStateRow states[] = { { JOB_QUEUED, 100, (char *) "Queued" } };
        const JobDemand demand = { .capabilities = QEMU };
        SimJob *j = &s->jobs[i];

        j->seconds = 1 + dice(s, SECONDS_MAX);
        j->server = dice(s, (unsigned) SERVERS_OF(s->n_workers));
        j->datastore = dice(s, 5) == 0 ? dice(s, (unsigned) DATASTORES_OF(s->n_workers)) : UINT_MAX;
        _cleanup_free_ char *id = strprintf("%zu", i),
                            *names = j->datastore == UINT_MAX
                        ? strprintf("vcenter:%u", j->server)
                        : strprintf("datastore:%u\nvcenter:%u", j->datastore, j->server);
        JobRow row = { .id = id,
                .operation = (char *) "convert",
                .spec = (char *) "{}",
                .dialect = (char *) "worker",
                .priority = 50,
                .any_worker = true,
                .demand = job_demand_pack(&demand),
                .limits = names,
                .created_at = 100,
                .phase = _PHASE_INVALID,
                .percent = -1 };

        ck_assert_int_eq(store_job_insert(s->store, &row, states, 1), 0);
        free(row.reason);
}

static void sim_init(Sim *s) {
        *s = (Sim){ .dir = test_dir(),
                .n_jobs = number_of("HYPER_JOBS", 2000),
                .n_workers = number_of("HYPER_WORKERS", 60),
                .random = 1 };
        _cleanup_free_ char *path = strprintf("%s/hyper.db", s->dir);

        s->jobs = new0(SimJob, s->n_jobs);
        s->running = new0(size_t, s->n_workers);
        ck_assert(s->jobs && s->running);
        ck_assert_int_eq(store_open(path, STORE_OWNER, &s->store), 0);
        ck_assert_int_eq(limit_rules_set(&s->rules, "vcenter:*", SERVER_MAX), 0);
        ck_assert_int_eq(limit_rules_set(&s->rules, "datastore:*", DATASTORE_MAX), 0);
        store_limits_set_rules(s->store, &s->rules);
        ck_assert_int_eq(store_group_enter(s->store), 0);
        for (size_t i = 0; i < s->n_workers; i++) {
                _cleanup_free_ char *id = strprintf("w%zu", i);
                const WorkerRow row = { .id = id,
                        .capabilities = (char *) "[]",
                        .capability_mask = QEMU,
                        .system_info = (char *) "{}",
                        .registered_at = T0 };
                bool created;

                s->running[i] = SIZE_MAX;
                ck_assert_int_eq(store_worker_register(s->store, &row, &created), 0);
        }
        for (size_t i = 0; i < s->n_jobs; i++)
                submit(s, i);
        store_group_leave(s->store);
        ck_assert_int_eq(store_group_commit(s->store), 0);
}

static void sim_done(Sim *s) {
        s->store = store_free(s->store);
        limit_rules_done(&s->rules);
        free(s->jobs);
        free(s->running);
        test_dir_freep(&s->dir);
}

/* --- time ------------------------------------------------------------------------------------------ */

/* False if there is no job for the worker now. */
static bool begin(Sim *s, size_t worker) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_free_ char *id = strprintf("w%zu", worker);
        const WorkerOffer offer = { .worker_id = id, .capabilities = QEMU };
        int r = store_job_dequeue(s->store, &offer, T0, "Assigned", &row);

        ck_assert(r == 0 || r == -ENOENT);
        if (r < 0)
                return false;
        size_t i = strtoul(row->id, NULL, 10);
        ck_assert(i < s->n_jobs && !s->jobs[i].has_begun);
        s->jobs[i].has_begun = true;
        s->jobs[i].begun = s->now;
        s->jobs[i].ends = s->now + s->jobs[i].seconds;
        s->running[worker] = i;
        s->n_begun++;
        return true;
}

static void end(Sim *s, size_t worker) {
        _cleanup_free_ char *id = strprintf("%zu", s->running[worker]);
        const JobTransition t[] = {
                { .from = JOB_ASSIGNED, .to = JOB_RUNNING, .timestamp = T0, .reason = "it runs" },
                { .from = JOB_RUNNING, .to = JOB_COMPLETED, .timestamp = T0, .reason = "it is done" },
        };

        ck_assert_int_eq(store_job_transition(s->store, id, t, ELEMENTSOF(t)), 0);
        s->running[worker] = SIZE_MAX;
        s->n_ended++;
}

/* Jobs that are over end, then each worker without one asks; the next moment is when the first job ends. */
static void pass_time(Sim *s) {
        unsigned next = UINT_MAX;
        bool found = true;

        ck_assert_int_eq(store_group_enter(s->store), 0);
        for (size_t i = 0; i < s->n_workers; i++)
                if (s->running[i] != SIZE_MAX && s->jobs[s->running[i]].ends <= s->now)
                        end(s, i);
        for (size_t i = 0; i < s->n_workers && found && s->n_begun < s->n_jobs; i++)
                if (s->running[i] == SIZE_MAX)
                        found = begin(s, i);
        store_group_leave(s->store);
        ck_assert_int_eq(store_group_commit(s->store), 0);
        for (size_t i = 0; i < s->n_workers; i++)
                if (s->running[i] != SIZE_MAX)
                        next = MIN(next, s->jobs[s->running[i]].ends);
        ck_assert(next != UINT_MAX || s->n_ended == s->n_jobs);
        if (next != UINT_MAX)
                s->now = next;
}

/* --- what may be expected --------------------------------------------------------------------------- */

/* No order could be done before: each limit, and all workers, have so many seconds to give. */
static double shortest(const Sim *s) {
        size_t n_servers = SERVERS_OF(s->n_workers), n_datastores = DATASTORES_OF(s->n_workers);
        _cleanup_free_ uint64_t *server = new0(uint64_t, n_servers), *store = new0(uint64_t, n_datastores);
        uint64_t all = 0;
        double longest;

        ck_assert(server && store);
        for (size_t i = 0; i < s->n_jobs; i++) {
                all += s->jobs[i].seconds;
                server[s->jobs[i].server] += s->jobs[i].seconds;
                if (s->jobs[i].datastore != UINT_MAX)
                        store[s->jobs[i].datastore] += s->jobs[i].seconds;
        }
        longest = (double) all / (double) s->n_workers;
        for (size_t i = 0; i < n_servers; i++)
                longest = MAX(longest, (double) server[i] / SERVER_MAX);
        for (size_t i = 0; i < n_datastores; i++)
                longest = MAX(longest, (double) store[i] / DATASTORE_MAX);
        return longest;
}

/* For how many seconds a job waits after all that came before it, and hold one of its limits, have begun. */
static unsigned longest_wait(const Sim *s) {
        size_t n_servers = SERVERS_OF(s->n_workers), n_datastores = DATASTORES_OF(s->n_workers);
        _cleanup_free_ unsigned *server = new0(unsigned, n_servers), *store = new0(unsigned, n_datastores);
        unsigned longest = 0;

        ck_assert(server && store);
        for (size_t i = 0; i < s->n_jobs; i++) {
                const SimJob *j = &s->jobs[i];
                unsigned before = server[j->server];

                server[j->server] = MAX(server[j->server], j->begun);
                if (j->datastore != UINT_MAX) {
                        before = MAX(before, store[j->datastore]);
                        store[j->datastore] = MAX(store[j->datastore], j->begun);
                }
                longest = MAX(longest, j->begun > before ? j->begun - before : 0);
        }
        return longest;
}

START_TEST(all_are_done_as_soon_as_the_limits_allow) {
        Sim s;

        sim_init(&s);
        while (s.n_ended < s.n_jobs)
                pass_time(&s);
        double least = shortest(&s);
        unsigned wait = longest_wait(&s);
        printf("%zu jobs on %zu machines took %u s, and at least %.0f s (%.2f); the longest wait of one whose "
               "turn it was took %u s\n",
                        s.n_jobs, s.n_workers, s.now, least, s.now / least, wait);
        /* The last jobs cannot be divided. */
        ck_assert_uint_le(s.now, (unsigned) (least * 1.02) + SECONDS_MAX);
        ck_assert_uint_le(wait, 10 * SECONDS_MAX);
        sim_done(&s);
}
END_TEST

TEST_MAIN("store-limits-load", all_are_done_as_soon_as_the_limits_allow)
