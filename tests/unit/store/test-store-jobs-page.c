/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pages of jobs against a plain search of all jobs: each order, filters in pairs, ties, jobs without a value.
 * The names are compared with those that the test gave to the jobs. */

#include <strings.h>

#include "store/job-changes.h"
#include "store/jobs-page.h"
#include "store/sql.h"
#include "unit/lib/test.h"

#define N_JOBS 150u
#define T0 (1000 * USEC_PER_SEC)

typedef struct Model {
        char id[16];
        JobStatus status;
        int provider;
        const char *type;
        char name[32];
        char source[64], output[64];
        usec_t created, updated, started, completed; /* 0: none */
        double progress;
        unsigned priority;
} Model;

static Model models[N_JOBS];

static unsigned next(unsigned *seed, unsigned n) {
        *seed = *seed * 1103515245 + 12345;
        return (*seed >> 16) % n;
}

static void make_source(Model *m, unsigned i, char *type, size_t size) {
        static const char *const extensions[] = { ".vmdk", "", ".tar.gz" };
        static const char *const stems[] = { "", "", ".tar" };
        unsigned k = i % ELEMENTSOF(extensions);

        switch (m->provider) {
        case PROVIDER_VSPHERE:
                (void) snprintf(m->name, sizeof(m->name), "Web.%u", i % 40);
                (void) snprintf(m->source, sizeof(m->source), "DC/vm/Web.%u", i % 40);
                (void) snprintf(type, size, "{\"type\":\"vsphere\",\"vm_path\":\"%s\"}", m->source);
                break;
        case PROVIDER_NBD:
                (void) snprintf(m->name, sizeof(m->name), "disk%u", i % 30);
                (void) snprintf(m->source, sizeof(m->source), "nbd://host/disk%u", i % 30);
                (void) snprintf(type, size, "{\"type\":\"nbd\",\"uri\":\"%s\"}", m->source);
                break;
        default:
                m->provider = PROVIDER_LOCAL;
                (void) snprintf(m->name, sizeof(m->name), "db-%u%s", i % 25, stems[k]);
                (void) snprintf(m->source, sizeof(m->source), "/srv/db-%u%s", i % 25, extensions[k]);
                (void) snprintf(type, size, "{\"type\":\"file\",\"path\":\"%s\"}", m->source);
        }
}

static void change(Store *s, const Model *m, JobState from, JobState to, usec_t at) {
        const JobTransition t = {
                .from = from, .to = to, .timestamp = at, .reason = "x", .begins_attempt = to == JOB_ASSIGNED
        };

        ck_assert_int_eq(store_job_transition(s, m->id, &t, 1), 0);
}

static void run(Store *s, Model *m, JobState end, double percent) {
        change(s, m, JOB_QUEUED, JOB_ASSIGNED, m->updated);
        change(s, m, JOB_ASSIGNED, JOB_RUNNING, m->updated);
        m->started = m->updated;
        const JobProgress p = { .id = m->id, .phase = PHASE_CONVERSION, .percent = percent };
        ck_assert_int_eq(store_job_progress(s, &p, 1, m->updated), 0);
        m->progress = percent;
        if (end == JOB_RUNNING)
                return;
        m->updated = m->completed = m->updated + 10;
        change(s, m, JOB_RUNNING, end, m->completed);
        if (end == JOB_COMPLETED)
                m->progress = 100;
}

static void add(Store *s, unsigned i, unsigned *seed) {
        static const JobState ends[] = { JOB_COMPLETED, JOB_FAILED, JOB_CANCELLED, JOB_RUNNING, JOB_QUEUED };
        static const char *const operations[] = { "convert", "convert", "inspect", "offline_fix" };
        Model *m = &models[i];
        char source[128], spec[512];
        JobState end = ends[next(seed, ELEMENTSOF(ends))];
        const char *operation = operations[next(seed, ELEMENTSOF(operations))];

        *m = (Model){ .status = job_status_of_state(end),
                .provider = (int) next(seed, _PROVIDER_MAX),
                .created = T0 + next(seed, 50) * USEC_PER_SEC,
                .priority = next(seed, 5) };
        (void) snprintf(m->id, sizeof(m->id), "job-%03u", i * 37 % N_JOBS);
        make_source(m, next(seed, 100), source, sizeof(source));
        m->type = streq(operation, "convert") && m->provider == PROVIDER_VSPHERE ? "export" : operation;
        (void) snprintf(m->output, sizeof(m->output), "/out/%u.qcow2", i % 20);
        (void) snprintf(spec, sizeof(spec), "{\"source\":%s,\"destination\":{\"%s\":\"%s\"}}", source,
                        i % 2 ? "path" : "directory", m->output);
        const JobStateRow states[] = { { JOB_CREATED, m->created, (char *) "x" },
                { JOB_VALIDATED, m->created, (char *) "x" }, { JOB_QUEUED, m->created, (char *) "x" } };
        JobRow row = { .id = m->id,
                .operation = (char *) operation,
                .spec = spec,
                .dialect = (char *) "bus",
                .priority = m->priority,
                .role = ROLE_OPERATOR,
                .created_at = m->created,
                .updated_at = m->created,
                .phase = _PHASE_INVALID,
                .percent = -1 };
        ck_assert_int_eq(store_job_insert(s, &row, states, ELEMENTSOF(states)), 0);
        free(row.reason);
        m->updated = m->created + next(seed, 50) * USEC_PER_SEC + 1;
        if (end == JOB_QUEUED)
                m->updated = m->created;
        else if (end == JOB_CANCELLED && next(seed, 2)) { /* before it began */
                m->completed = m->updated;
                change(s, m, JOB_QUEUED, JOB_CANCELLED, m->updated);
        } else
                run(s, m, end, next(seed, 100));
}

/* --- the plain search ------------------------------------------------------------------------------ */

static bool contains(const char *text, const char *part) {
        return strcasestr(text, part);
}

static bool matches(const Model *m, const JobPageFilter *f) {
        if (f->statuses && !(f->statuses & 1u << m->status))
                return false;
        if (f->providers && !(f->providers & 1u << m->provider))
                return false;
        if (f->types && !streq(f->types, m->type) && !streq(f->types, "convert,inspect"))
                return false;
        if (f->types && streq(f->types, "convert,inspect") && !streq(m->type, "convert") &&
                        !streq(m->type, "inspect"))
                return false;
        if ((f->after && m->created <= f->after) || (f->before && m->created >= f->before))
                return false;
        return !f->search || contains(m->id, f->search) || contains(m->source, f->search) ||
                        contains(m->output, f->search) || contains(m->name, f->search);
}

static const JobPageFilter *sorting;

static int compare_numbers(double a, double b) {
        return a < b ? -1 : a > b;
}

/* Without the direction; *ret_last: a has no value, or b (-1). */
static int compare_keys(const Model *a, const Model *b, int *ret_last) {
        usec_t x = 0, y = 0;

        *ret_last = 0;
        switch (sorting->sort) {
        case SORT_CREATED_AT:
                return compare_numbers(a->created, b->created);
        case SORT_UPDATED_AT:
                return compare_numbers(a->updated, b->updated);
        case SORT_STARTED_AT:
                x = a->started, y = b->started;
                break;
        case SORT_COMPLETED_AT:
                x = a->completed, y = b->completed;
                break;
        case SORT_STATUS:
                return strcmp(job_status_to_string(a->status), job_status_to_string(b->status));
        case SORT_TYPE:
                return strcmp(a->type, b->type);
        case SORT_PROVIDER:
                return strcmp(job_provider_to_string(a->provider), job_provider_to_string(b->provider));
        case SORT_VM_NAME:
                return strcmp(a->name, b->name);
        case SORT_PROGRESS:
                return compare_numbers(a->progress, b->progress);
        case SORT_PRIORITY:
                return compare_numbers(a->priority, b->priority);
        default:
                return 0;
        }
        if (!x != !y)
                *ret_last = !x ? 1 : -1;
        return compare_numbers(x, y);
}

static int compare(const void *pa, const void *pb) {
        const Model *a = *(const Model *const *) pa, *b = *(const Model *const *) pb;
        int last, c = compare_keys(a, b, &last);

        if (last != 0)
                return last;
        if (c == 0)
                c = strcmp(a->id, b->id);
        return sorting->descending ? -c : c;
}

static void check(Store *s, const JobPageFilter *f) {
        _cleanup_(job_page_rows_done) JobPageRows rows = {};
        const Model *expected[N_JOBS];
        size_t n = 0, end;

        for (size_t i = 0; i < N_JOBS; i++)
                if (matches(&models[i], f))
                        expected[n++] = &models[i];
        sorting = f;
        qsort(expected, n, sizeof(expected[0]), compare);
        ck_assert_int_eq(store_jobs_page(s, f, &rows), 0);
        ck_assert_uint_eq(rows.total, n);
        end = MIN(n, f->offset + f->limit);
        ck_assert_uint_eq(rows.n, f->offset < end ? end - f->offset : 0);
        for (size_t i = 0; i < rows.n; i++) {
                const Model *m = expected[f->offset + i];

                ck_assert_msg(streq(rows.rows[i].row->id, m->id), "order %d %s at %zu: %s instead of %s",
                                (int) f->sort, f->descending ? "desc" : "asc", i, rows.rows[i].row->id,
                                m->id);
                ck_assert_str_eq(rows.rows[i].name, m->name);
                ck_assert_str_eq(rows.rows[i].type, m->type);
                ck_assert_str_eq(rows.rows[i].provider, job_provider_to_string(m->provider));
        }
}

static Store *fill(const char *dir) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        unsigned seed = 2148;
        Store *s;

        ck_assert_int_eq(store_open(path, STORE_OWNER, &s), 0);
        for (unsigned i = 0; i < N_JOBS; i++)
                add(s, i, &seed);
        return s;
}

static void set_filter(JobPageFilter *f, unsigned which, unsigned *seed) {
        switch (which) {
        case 0:
                f->statuses = 1u << next(seed, _STATUS_MAX) | 1u << next(seed, _STATUS_MAX);
                break;
        case 1:
                f->providers = 1u << next(seed, _PROVIDER_MAX);
                break;
        case 2:
                f->types = next(seed, 2) ? "export" : "convert,inspect";
                break;
        case 3:
                f->after = T0 + next(seed, 50) * USEC_PER_SEC;
                break;
        case 4:
                f->before = T0 + next(seed, 50) * USEC_PER_SEC;
                break;
        default:
                f->search = (const char *[]){ "DB-1", "web.2", "job-00", "qcow2", "nothing", "%",
                        "_" }[next(seed, 7)];
        }
}

START_TEST(pages_agree_with_a_plain_search) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = fill(dir);
        unsigned seed = 2130;

        for (JobSort sort = 0; sort < _SORT_MAX; sort++)
                for (int descending = 0; descending < 2; descending++) {
                        check(s,
                                        &(JobPageFilter){ .sort = sort,
                                                        .descending = descending,
                                                        .limit = N_JOBS });
                        for (unsigned pair = 0; pair < 36; pair++) {
                                JobPageFilter f = { .sort = sort,
                                        .descending = descending,
                                        .limit = 1 + next(&seed, 60),
                                        .offset = next(&seed, 40) };

                                set_filter(&f, pair / 6, &seed);
                                set_filter(&f, pair % 6, &seed);
                                check(s, &f);
                        }
                }
}
END_TEST

/* Those that have ended are not sorted again for each page. */
START_TEST(each_order_has_an_index) {
        static const struct {
                const char *key, *index;
        } orders[] = {
                { "created_at", "created" },
                { "updated_at", "updated" },
                { "nullif(started_at, 0)", "started" },
                { "nullif(finished_at, 0)", "completed" },
                { SQL_V1_TYPE, "type" },
                { "v1_provider", "provider" },
                { SQL_V1_NAME, "name" },
                { SQL_V1_PROGRESS, "progress" },
                { "priority", "priority" },
        };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = fill(dir);

        for (size_t i = 0; i < ELEMENTSOF(orders); i++)
                for (int descending = 0; descending < 2; descending++) {
                        const char *direction = descending ? "DESC" : "ASC";
                        _cleanup_free_ char *text = strprintf(
                                        "EXPLAIN QUERY PLAN SELECT seq FROM jobs INDEXED BY jobs_v1_%s WHERE "
                                        "state = 'COMPLETED' AND finished_at > 0 ORDER BY %s %s NULLS LAST, id "
                                        "%s LIMIT 10",
                                        orders[i].index, orders[i].key, direction, direction);
                        sqlite3_stmt *st = NULL;

                        ck_assert_int_eq(sql_prepare(s, text, &st), 0);
                        while (sql_next(s, st) > 0) {
                                const char *detail = (const char *) sqlite3_column_text(st, 3);

                                ck_assert_msg(!strstr(detail, "TEMP B-TREE"), "%s %s: %s", orders[i].key,
                                                direction, detail);
                        }
                        (void) sqlite3_finalize(st);
                }
}
END_TEST

START_TEST(the_newest_ones_are_found_by_an_index) {
        const uint32_t states = 1u << JOB_QUEUED | 1u << JOB_RUNNING | 1u << JOB_ASSIGNED;
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = fill(dir);
        _cleanup_(job_page_rows_done) JobPageRows rows = {};
        size_t n = 0;

        ck_assert_int_eq(store_jobs_page_newest(s, states, 20, &rows), 0);
        for (size_t i = N_JOBS; i-- > 0 && n < rows.n;)
                if (models[i].status == STATUS_QUEUED || models[i].status == STATUS_RUNNING) {
                        ck_assert_str_eq(rows.rows[n].row->id, models[i].id);
                        ck_assert_str_eq(rows.rows[n++].name, models[i].name);
                }
        ck_assert_uint_eq(n, 20);
}
END_TEST

START_TEST(one_job_is_found_by_its_id) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = fill(dir);
        _cleanup_(job_page_rows_done) JobPageRows rows = {};

        ck_assert_int_eq(store_jobs_page_get(s, models[7].id, &rows), 0);
        ck_assert_uint_eq(rows.n, 1);
        ck_assert_str_eq(rows.rows[0].name, models[7].name);
        job_page_rows_done(&rows);
        ck_assert_int_eq(store_jobs_page_get(s, "job-999", &rows), -ENOENT);
}
END_TEST

TEST_MAIN("store-jobs-page", pages_agree_with_a_plain_search, each_order_has_an_index,
                the_newest_ones_are_found_by_an_index, one_job_is_found_by_its_id)
