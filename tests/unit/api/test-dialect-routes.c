/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The routes of both dialects over HTTP: the server that ships, a real database, a journal written by
 * systemd-journal-remote(8), and in place of the bus and the manager a mock that speaks D-Bus on a socket
 * and writes the database. What a real manager does is tested with the manager, and end to end in the
 * machine. */

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "api/hypersdk/hypersdk-routes.h"
#include "api/worker/worker-routes.h"
#include "basic/fd-util.h"
#include "dialect/dialect-job.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "spec/job-spec.h"
#include "spec/warm-state.h"
#include "store/job-changes.h"
#include "store/jobs.h"
#include "store/schedules.h"
#include "store/workers.h"
#include "unit/lib/api-test.h"
#include "unit/lib/test.h"

#define T0 (1769853600 * USEC_PER_SEC) /* 2026-01-31T10:00:00Z */

/* --- the mock manager ------------------------------------------------------------------------------ */

typedef struct Mock {
        Store *store;
        FILE *calls; /* one line of JSON for each SubmitJob: what came with it */
} Mock;

static int mock_insert(Mock *m, const char *text, JobSpec *spec, const char *dialect, const char *request,
                bool any) {
        _cleanup_(job_row_freep) JobRow *row = new0(JobRow, 1);
        const JobStateRow states[] = { { JOB_CREATED, T0, (char *) "Job submitted" },
                { JOB_VALIDATED, T0, (char *) "It can be done here" },
                { JOB_QUEUED, T0, (char *) "Waits for a slot" } };

        row->id = strdup(spec->job_id);
        row->operation = strdup("convert");
        row->spec = strdup(text);
        row->dialect = strdup(dialect);
        row->request = strdup(request);
        row->state = JOB_QUEUED;
        row->reason = strdup("Waits for a slot");
        row->priority = spec->policy.priority;
        row->any_worker = any;
        row->created_at = row->updated_at = T0;
        row->phase = _PHASE_INVALID;
        row->percent = -1;
        if (spec->parameters.warm)
                row->warm = warm_state_first(spec);
        return store_job_insert(m->store, row, states, ELEMENTSOF(states));
}

typedef struct MockOptions {
        const char *dialect, *request, *role;
        int any_worker;
        json_t *warnings, *secrets, *submitter;
} MockOptions;

static void read_options(sd_bus_message *msg, MockOptions *o) {
        const char *key, *a, *b;

        ck_assert_int_gt(sd_bus_message_enter_container(msg, 'a', "{sv}"), 0);
        while (sd_bus_message_enter_container(msg, 'e', "sv") > 0) {
                ck_assert_int_gt(sd_bus_message_read(msg, "s", &key), 0);
                if (streq(key, "dialect"))
                        ck_assert_int_gt(sd_bus_message_read(msg, "v", "s", &o->dialect), 0);
                else if (streq(key, "request"))
                        ck_assert_int_gt(sd_bus_message_read(msg, "v", "s", &o->request), 0);
                else if (streq(key, "role"))
                        ck_assert_int_gt(sd_bus_message_read(msg, "v", "s", &o->role), 0);
                else if (streq(key, "any-worker"))
                        ck_assert_int_gt(sd_bus_message_read(msg, "v", "b", &o->any_worker), 0);
                else if (streq(key, "warnings")) {
                        ck_assert_int_gt(sd_bus_message_enter_container(msg, 'v', "as"), 0);
                        ck_assert_int_gt(sd_bus_message_enter_container(msg, 'a', "s"), 0);
                        while (sd_bus_message_read(msg, "s", &a) > 0)
                                json_array_append_new(o->warnings, json_string(a));
                        sd_bus_message_exit_container(msg);
                        sd_bus_message_exit_container(msg);
                } else {
                        json_t *map = streq(key, "submitter") ? o->submitter : o->secrets;

                        ck_assert(map == o->submitter || streq(key, "secrets"));
                        ck_assert_int_gt(sd_bus_message_enter_container(msg, 'v', "a{ss}"), 0);
                        ck_assert_int_gt(sd_bus_message_enter_container(msg, 'a', "{ss}"), 0);
                        while (sd_bus_message_read(msg, "{ss}", &a, &b) > 0)
                                json_object_set_new(map, a, json_string(b));
                        sd_bus_message_exit_container(msg);
                        sd_bus_message_exit_container(msg);
                }
                sd_bus_message_exit_container(msg);
        }
        sd_bus_message_exit_container(msg);
}

/* An error with @n fields, all alike: more than the manager itself would send. */
static int reply_fields(
                sd_bus_message *msg, const char *name, const char *field, const char *text, size_t n) {
        _cleanup_strv_free_ char **lines = NULL;
        _cleanup_free_ char *message = NULL;

        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(strv_extendf(&lines, "%s: %s", field, text), 0);
        message = strv_join(lines, "\n");
        return sd_bus_reply_method_errorf(msg, name, "%s", message);
}

static int mock_submit(Mock *m, sd_bus_message *msg) {
        MockOptions o = { .warnings = json_array(), .secrets = json_object(), .submitter = json_object() };
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(job_spec_freep) JobSpec *spec = NULL, *old = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_free_ char *path = NULL, *made = NULL;
        const char *text;
        int created;

        ck_assert_int_gt(sd_bus_message_read(msg, "s", &text), 0);
        read_options(msg, &o);
        ck_assert_str_eq(o.role, "admin"); /* in these tests everybody is */
        json_t *call = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "spec", text, "dialect", o.dialect,
                        "request", o.request, "any", o.any_worker, "warnings", o.warnings, "secrets",
                        o.secrets, "submitter", o.submitter);
        json_dumpf(call, m->calls, JSON_COMPACT);
        fputc('\n', m->calls);
        fflush(m->calls);
        json_decref(call);

        ck_assert_int_eq(job_spec_parse(text, strlen(text), &spec, &errors), 0);
        if (!spec->job_id) {
                ck_assert_int_eq(job_id_make(&made), 0);
                ck_assert_int_eq(job_spec_set_id(spec, made), 0);
        }
        if (streq(spec->job_id, "refused"))
                return reply_fields(msg, HYPER_BUS_ERROR_PATH_REFUSED, "source.path", "refused here", 1);
        if (streq(spec->job_id, "text")) /* a text about the whole */
                return sd_bus_reply_method_errorf(
                                msg, HYPER_BUS_ERROR_PATH_REFUSED, "The source.path: refused there");
        if (streq(spec->job_id, "many")) {
                char wide[9001];

                memset(wide, 'x', sizeof(wide) - 1);
                wide[sizeof(wide) - 1] = '\0';
                return reply_fields(msg, HYPER_BUS_ERROR_PATH_REFUSED, "source.path", wide, 1000);
        }
        if (streq(spec->job_id, "busy"))
                return sd_bus_reply_method_errorf(msg, HYPER_BUS_ERROR_UNAVAILABLE, "try again");
        created = store_job_get(m->store, spec->job_id, &row) == -ENOENT;
        if (!created) {
                ck_assert_int_eq(job_spec_parse(row->spec, strlen(row->spec), &old, &errors), 0);
                if (!job_spec_equal(old, spec))
                        return sd_bus_reply_method_errorf(msg, HYPER_BUS_ERROR_JOB_EXISTS,
                                        "There is a job %s with another spec.", spec->job_id);
        } else {
                _cleanup_free_ char *document = json_dumps(spec->document, 0);

                ck_assert_int_eq(mock_insert(m, document, spec, o.dialect, o.request, o.any_worker), 0);
        }
        path = job_bus_path(spec->job_id);
        return sd_bus_reply_method_return(msg, "sob", spec->job_id, path, created);
}

static int mock_create_schedule(Mock *m, sd_bus_message *msg) {
        return reply_fields(msg, HYPER_BUS_ERROR_INVALID_SCHEDULE, "job.source.path", "refused here", 1);
}

static int mock_cancel(Mock *m, sd_bus_message *msg) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        const char *id;

        ck_assert_int_gt(sd_bus_message_read(msg, "s", &id), 0);
        ck_assert_int_eq(store_job_get(m->store, id, &row), 0);
        /* As if it had ended a moment ago. */
        const JobTransition end = { .from = row->state,
                .to = streq(id, "late") ? JOB_COMPLETED : JOB_CANCELLED,
                .timestamp = T0 + 1,
                .reason = "Cancelled by request" };
        ck_assert_int_eq(store_job_transition(m->store, id, &end, 1), 0);
        if (streq(id, "late"))
                return sd_bus_reply_method_errorf(msg, HYPER_BUS_ERROR_JOB_FINISHED, "It is done.");
        return sd_bus_reply_method_return(msg, "");
}

static int mock_retry(Mock *m, sd_bus_message *msg) {
        MockOptions o = { .warnings = json_array(), .secrets = json_object() };
        const char *id;

        ck_assert_int_gt(sd_bus_message_read(msg, "s", &id), 0);
        read_options(msg, &o);
        ck_assert_str_eq(o.role, "admin");
        json_t *call = json_pack("{s:s, s:o}", "retry", id, "secrets", o.secrets);
        json_dumpf(call, m->calls, JSON_COMPACT);
        fputc('\n', m->calls);
        fflush(m->calls);
        json_decref(call);
        json_decref(o.warnings);
        if (streq(id, "late"))
                return sd_bus_reply_method_errorf(
                                msg, HYPER_BUS_ERROR_WRONG_STATE, "Job late is RUNNING; only failed jobs");
        return sd_bus_reply_method_return(msg, "o", "/org/hyper1/job/a");
}

/* Of job a: what it is given becomes the time of the cutover, and "now" is too early. */
static int mock_set_cutover(Mock *m, sd_bus_message *msg) {
        const char *when;

        ck_assert_int_gt(sd_bus_message_read(msg, "s", &when), 0);
        if (streq(when, "now"))
                return sd_bus_reply_method_errorf(
                                msg, HYPER_BUS_ERROR_WRONG_STATE, "The first pass is not complete");
        const WarmState warm = { .passes = 2, .cutover_at = streq(when, "cancel") ? 0 : T0 };
        _cleanup_free_ char *text = warm_state_encode(&warm);
        ck_assert_int_eq(store_job_warm(m->store, "a", text, 0), 0);
        return sd_bus_reply_method_return(msg, "s", streq(when, "cancel") ? "" : when);
}

/* The bus's own part: a client says Hello first, and may add matches. */
static int on_message(sd_bus_message *msg, void *userdata, sd_bus_error *error) {
        Mock *m = userdata;

        if (sd_bus_message_is_method_call(msg, "org.freedesktop.DBus", "Hello"))
                return sd_bus_reply_method_return(msg, "s", ":1.1");
        if (sd_bus_message_is_method_call(msg, "org.freedesktop.DBus", NULL))
                return sd_bus_reply_method_return(msg, "");
        if (sd_bus_message_is_method_call(msg, HYPER_MANAGER_INTERFACE, "SubmitJob"))
                return mock_submit(m, msg);
        if (sd_bus_message_is_method_call(msg, HYPER_MANAGER_INTERFACE, "CancelJob"))
                return mock_cancel(m, msg);
        if (sd_bus_message_is_method_call(msg, HYPER_MANAGER_INTERFACE, "RetryJob"))
                return mock_retry(m, msg);
        if (sd_bus_message_is_method_call(msg, HYPER_MANAGER_INTERFACE, "CreateSchedule"))
                return mock_create_schedule(m, msg);
        if (sd_bus_message_is_method_call(msg, HYPER_JOB_INTERFACE, "SetCutover") &&
                        streq(sd_bus_message_get_path(msg), "/org/hyper1/job/a"))
                return mock_set_cutover(m, msg);
        return 0;
}

static void mock_serve(Mock *m, int fd) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        sd_id128_t id;
        int r;

        sd_id128_randomize(&id);
        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_fd(bus, fd, fd), 0);
        ck_assert_int_ge(sd_bus_set_server(bus, true, id), 0);
        ck_assert_int_ge(sd_bus_set_anonymous(bus, true), 0);
        ck_assert_int_ge(sd_bus_add_filter(bus, NULL, on_message, m), 0);
        ck_assert_int_ge(sd_bus_start(bus), 0);
        for (;;) {
                r = sd_bus_process(bus, NULL);
                if (r < 0)
                        return;
                if (r == 0 && sd_bus_wait(bus, UINT64_MAX) < 0)
                        return;
        }
}

/* --- one test's world ------------------------------------------------------------------------------ */

typedef struct World {
        char *dir, *database, *calls, *bus, *journal;
        pid_t mock;
        TestServer worker, hypersdk;
} World;

static pid_t start_mock(const World *w) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/bus", w->dir);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 8), 0);

        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid > 0) {
                close(fd);
                return pid;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
                int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                /* Each server has a connection of its own. */
                if (client >= 0 && fork() == 0) {
                        Mock m = { .calls = fopen(w->calls, "ae") };

                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        if (m.calls && store_open(w->database, STORE_OWNER, &m.store) >= 0)
                                mock_serve(&m, client);
                        _exit(0);
                }
                close(client);
        }
}

static void world_start(World *w) {
        _cleanup_(store_freep) Store *store = NULL;

        *w = (World){ .dir = test_dir() };
        w->database = strprintf("%s/hyper.db", w->dir);
        w->calls = strprintf("%s/calls", w->dir);
        w->bus = strprintf("unix:path=%s/bus", w->dir);
        w->journal = strprintf("%s/journal", w->dir);
        ck_assert_int_eq(mkdir(w->journal, 0755), 0);
        ck_assert_int_eq(store_open(w->database, STORE_OWNER, &store), 0);
        w->mock = start_mock(w);

        const ApiConfig config = {
                .database = w->database, .bus_address = w->bus, .journal_directory = w->journal
        };
        test_server_start(&w->worker, AF_INET, &worker_dialect, &config);
        test_server_start(&w->hypersdk, AF_INET, &hypersdk_dialect, &config);
}

/* The servers end well, which under the sanitizers also says that nothing leaked. */
static void world_stop(World *w) {
        ck_assert_int_eq(test_server_stop(&w->worker), 0);
        ck_assert_int_eq(test_server_stop(&w->hypersdk), 0);
        kill(w->mock, SIGKILL);
        ck_assert_int_eq(waitpid(w->mock, NULL, 0), w->mock);
        test_dir_freep(&w->dir);
        free(w->database);
        free(w->calls);
        free(w->bus);
        free(w->journal);
}

/* Changes a job as the manager would while it runs; the last change may carry a result. */
static void move_job(World *w, const char *id, const JobState *states, size_t n, const char *result) {
        _cleanup_(store_freep) Store *store = NULL;
        JobState from = JOB_QUEUED;

        ck_assert_int_eq(store_open(w->database, STORE_OWNER, &store), 0);
        for (size_t i = 0; i < n; i++) {
                JobTransition change = { .from = from,
                        .to = states[i],
                        .timestamp = T0 + (i + 1) * USEC_PER_SEC,
                        .reason = i + 1 == n && result ? "It has ended." : "It goes on.",
                        .begins_attempt = states[i] == JOB_ASSIGNED,
                        .result = i + 1 == n ? result : NULL };

                ck_assert_int_eq(store_job_transition(store, id, &change, 1), 0);
                from = states[i];
        }
}

/* One request; the answer must be JSON with the right type. Status 0: any. New reference. */
static json_t *ask_full(const TestServer *s, unsigned status, const char *method, const char *path,
                const char *body) {
        _cleanup_reply_ TestReply reply = {};
        _cleanup_free_ char *type = NULL;

        test_request(s, &reply,
                        "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
                        "%zu\r\n\r\n%s",
                        method, path, strlen(body), body);
        ck_assert_msg(reply.status == status, "%s %s: %u, not %u: %s", method, path, reply.status, status,
                        reply.body);
        type = test_header(&reply, "Content-Type");
        ck_assert_str_eq(type, "application/json; charset=utf-8");

        json_t *value = json_loads(reply.body, 0, NULL);
        ck_assert_msg(value, "%s %s: no JSON: %s", method, path, reply.body);
        return value;
}

static json_t *ask(const TestServer *s, unsigned status, const char *request, const char *body) {
        _cleanup_free_ char *method = strdup(request);
        char *blank = strchr(method, ' ');

        *blank = '\0';
        return ask_full(s, status, method, blank + 1, body);
}

static void assert_member(const json_t *object, const char *path, const char *wanted) {
        const json_t *value = json_path_get(object, path);
        _cleanup_free_ char *text = value
                        ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS)
                        : strdup("(nothing)");

        ck_assert_msg(streq(text, wanted), "%s is %s, not %s", path, text, wanted);
}

/* The nth SubmitJob the mock got. */
static json_t *nth_call(const World *w, size_t n) {
        _cleanup_free_ char *text = NULL;
        const char *line;

        ck_assert_int_eq(read_file_at(AT_FDCWD, w->calls, 1024 * 1024, &text, NULL), 0);
        line = text;
        for (size_t i = 0; i < n; i++) {
                line = strchr(line, '\n');
                ck_assert_ptr_nonnull(line++);
        }
        json_t *call = json_loadb(line, strcspn(line, "\n"), 0, NULL);
        ck_assert_ptr_nonnull(call);
        return call;
}

#define JOB_A "{\"job_id\":\"a\",\"image\":{\"path\":\"/data/a.vmdk\"},\"colour\":\"blue\"}"

START_TEST(a_worker_client_submits_and_looks) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t
                        *none = ask(&w.worker, 200, "GET /jobs", ""),
                        *first = ask(&w.worker, 201, "POST /jobs?queue=true", JOB_A),
                        *second = ask(&w.worker, 201, "POST /jobs",
                                        "{\"image\":{\"path\":\"/data/b.vmdk\"}}"),
                        *again = ask(&w.worker, 200, "POST /jobs", JOB_A),
                        *other = ask(&w.worker, 409, "POST /jobs",
                                        "{\"job_id\":\"a\",\"image\":{\"path\":\"/data/other.vmdk\"}}"),
                        *job = ask(&w.worker, 200, "GET /jobs/a", ""),
                        *list = ask(&w.worker, 200, "GET /jobs?state=QUEUED&limit=1&offset=1", ""),
                        *call = nth_call(&w, 0), *call2 = nth_call(&w, 1);

        assert_member(none, "jobs", "[]");
        assert_member(none, "total", "0");
        assert_member(first, "job_id", "\"a\"");
        assert_member(first, "state", "\"QUEUED\"");
        assert_member(first, "message", "\"Job queued successfully\"");
        assert_member(first, "queue_position", "1");
        assert_member(second, "queue_position", "2");
        ck_assert_uint_eq(strlen(json_string_value(json_object_get(second, "job_id"))), 36);
        assert_member(again, "job_id", "\"a\"");
        assert_member(other, "error.code", "409");
        assert_member(other, "error.message", "\"There is a job a with another spec.\"");
        assert_member(other, "error.path", "\"/jobs\"");
        assert_member(job, "spec",
                        "{\"colour\":\"blue\",\"image\":{\"path\":\"/data/a.vmdk\"},\"job_id\":\"a\"}");
        ck_assert_uint_eq(json_array_size(json_object_get(job, "state_history")), 3);
        assert_member(job, "latest_event.phase", "\"queued\"");
        assert_member(list, "total", "2");
        ck_assert_uint_eq(json_array_size(json_object_get(list, "jobs")), 1);
        assert_member(json_array_get(json_object_get(list, "jobs"), 0), "job_id", "\"a\"");

        assert_member(call, "dialect", "\"worker\"");
        assert_member(call, "any", "true");
        assert_member(call2, "any", "false");
        assert_member(call, "secrets", "{}");
        assert_member(call, "submitter", "{}"); /* the test does not know its user */
        ck_assert_uint_eq(json_array_size(json_object_get(call, "warnings")), 1);
        world_stop(&w);
}
END_TEST

START_TEST(a_worker_client_is_told_what_is_wrong) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t
                        *fields = ask(&w.worker, 400, "POST /jobs",
                                        "{\"image\":{\"path\":\"x\"},\"execution_policy\":{\"priority\":101}"
                                        "}"),
                        *text = ask(&w.worker, 400, "POST /jobs", "{"),
                        *array = ask(&w.worker, 400, "POST /jobs", "[]"),
                        *refused = ask(&w.worker, 400, "POST /jobs",
                                        "{\"job_id\":\"refused\",\"image\":{\"path\":\"/data/a.vmdk\"}}"),
                        *plain = ask(&w.worker, 400, "POST /jobs",
                                        "{\"job_id\":\"text\",\"image\":{\"path\":\"/data/a.vmdk\"}}"),
                        *many = ask(&w.worker, 400, "POST /jobs",
                                        "{\"job_id\":\"many\",\"image\":{\"path\":\"/data/a.vmdk\"}}"),
                        *busy = ask(&w.worker, 503, "POST /jobs",
                                        "{\"job_id\":\"busy\",\"image\":{\"path\":\"/data/a.vmdk\"}}"),
                        *missing = ask(&w.worker, 404, "GET /jobs/convert-vm-999", ""),
                        *state = ask(&w.worker, 400, "GET /jobs?state=flying&limit=0", ""),
                        *path = ask(&w.worker, 404, "GET /nothing", ""),
                        *method = ask(&w.worker, 405, "PUT /jobs", "");

        assert_member(fields, "error.message",
                        "\"execution_policy.priority: must be 0 to 100; image.path: must be an absolute "
                        "path\"");
        assert_member(fields, "error.code", "400");
        ck_assert_ptr_nonnull(json_path_get(text, "error.message"));
        ck_assert_ptr_nonnull(json_path_get(array, "error.message"));
        /* The manager knows canonical names only; the client does not. */
        assert_member(refused, "error.message", "\"image.path: refused here\"");
        assert_member(plain, "error.message", "\"The source.path: refused there\"");
        const char *bounded = json_string_value(json_path_get(many, "error.message"));
        ck_assert_ptr_nonnull(startswith(bounded, "image.path: xxx"));
        ck_assert_uint_le(strlen(bounded), JSON_ERRORS_MAX * 1100);
        assert_member(busy, "error.code", "503");
        assert_member(missing, "error.message", "\"Job convert-vm-999 not found\"");
        assert_member(missing, "error.path", "\"/jobs/convert-vm-999\"");
        const char *told = json_string_value(json_path_get(state, "error.message"));
        ck_assert_ptr_nonnull(strstr(told, "state: must be one of CREATED"));
        ck_assert_ptr_nonnull(strstr(told, "limit: must be 1 to 1000"));
        assert_member(path, "error.code", "404");
        assert_member(method, "error.code", "405");
        world_stop(&w);
}
END_TEST

START_TEST(a_worker_client_cancels) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *a = ask(&w.worker, 201, "POST /jobs", JOB_A),
                              *late = ask(&w.worker, 201, "POST /jobs",
                                              "{\"job_id\":\"late\",\"image\":{\"path\":\"/data/l.vmdk\"}}"),
                              *cancelled = ask(&w.worker, 200, "DELETE /jobs/a", ""),
                              *again = ask(&w.worker, 400, "DELETE /jobs/a", ""),
                              *missing = ask(&w.worker, 404, "DELETE /jobs/b", ""), *raced = NULL;

        const JobState running[] = { JOB_ASSIGNED, JOB_RUNNING };
        move_job(&w, "late", running, ELEMENTSOF(running), NULL);
        raced = ask(&w.worker, 400, "DELETE /jobs/late", "");

        assert_member(cancelled, "job_id", "\"a\"");
        assert_member(cancelled, "state", "\"CANCELLED\"");
        assert_member(cancelled, "message", "\"Job cancelled successfully\"");
        assert_member(again, "error.message", "\"Job a is already in terminal state CANCELLED\"");
        assert_member(again, "error.path", "\"/jobs/a\"");
        assert_member(missing, "error.message", "\"Job b not found\"");
        assert_member(raced, "error.message", "\"Job late is already in terminal state COMPLETED\"");
        ck_assert(a && late);
        world_stop(&w);
}
END_TEST

START_TEST(health_says_how_many_jobs_are_worked_on) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *a = ask(&w.worker, 201, "POST /jobs", JOB_A), *health = NULL, *status = NULL,
                              *ok = NULL;
        const JobState running[] = { JOB_ASSIGNED, JOB_RUNNING };

        move_job(&w, "a", running, ELEMENTSOF(running), NULL);
        health = ask(&w.worker, 200, "GET /health", "");
        ok = ask(&w.hypersdk, 200, "GET /health", "");
        status = ask(&w.hypersdk, 200, "GET /status", "");
        assert_member(health, "status", "\"healthy\"");
        assert_member(health, "version", "\"v1\"");
        assert_member(health, "active_jobs", "1");
        assert_member(ok, "status", "\"ok\"");
        assert_member(status, "total_jobs", "1");
        assert_member(status, "running_jobs", "1");
        assert_member(status, "active_workers", "1");
        ck_assert_int_ge(json_integer_value(json_object_get(status, "worker_count")), 1);
        ck_assert_ptr_nonnull(a);
        world_stop(&w);
}
END_TEST

START_TEST(a_hypersdk_client_submits_one_job_or_many) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *one = ask(&w.hypersdk, 201, "POST /jobs/submit",
                                              "{\"id\":\"one\",\"vm_path\":\"/data/"
                                              "one.vmdk\",\"output_dir\":\"/out\"}"),
                              *many = ask(&w.hypersdk, 201, "POST /jobs/submit",
                                              "{\"jobs\":[{\"id\":\"two\",\"vm_path\":\"/data/"
                                              "2.vmdk\"},{\"id\":\"x\","
                                              "\"vm_path\":\"nowhere\"},{\"id\":\"refused\",\"vm_path\":\"/"
                                              "data/3.vmdk\"},"
                                              "{\"id\":\"three\",\"vm_path\":\"/data/3.vmdk\"}]}"),
                              *bad = ask(&w.hypersdk, 400, "POST /jobs/submit",
                                              "{\"source\":{\"type\":\"aws\"}}"),
                              *exists = ask(&w.hypersdk, 409, "POST /jobs/submit",
                                              "{\"id\":\"one\",\"vm_path\":\"/data/other.vmdk\"}"),
                              *busy = ask(&w.hypersdk, 503, "POST /jobs/submit",
                                              "[{\"id\":\"busy\",\"vm_path\":\"/a.vmdk\"}]"),
                              *mixed = ask(&w.hypersdk, 400, "POST /jobs/submit",
                                              "[{\"id\":\"busy\",\"vm_path\":\"/a.vmdk\"},{}]"),
                              *empty = ask(&w.hypersdk, 400, "POST /jobs/submit", "[]"),
                              *schedule = ask(&w.hypersdk, 400, "POST /schedules",
                                              "{\"schedule\":\"@daily\",\"job_template\":{"
                                              "\"vm_path\":\"/a.vmdk\"}}"),
                              *nothing = ask(&w.hypersdk, 400, "POST /jobs/submit", "");

        assert_member(one, "job_id", "\"one\"");
        assert_member(one, "job_ids", "[\"one\"]");
        assert_member(one, "message", "\"job submitted successfully\"");
        assert_member(one, "accepted", "1");
        assert_member(many, "job_id", "\"two\"");
        assert_member(many, "job_ids", "[\"two\",\"three\"]");
        assert_member(many, "rejected", "2");
        ck_assert(startswith(json_string_value(json_array_get(json_object_get(many, "errors"), 0)),
                        "jobs[1]: vm_path: must be the absolute path"));
        ck_assert_str_eq(json_string_value(json_array_get(json_object_get(many, "errors"), 1)),
                        "jobs[2]: vm_path: refused here");
        assert_member(bad, "error",
                        "\"source.type: \\\"aws\\\" is not built in; built in: file, nbd, vsphere\"");
        ck_assert_ptr_nonnull(json_object_get(bad, "timestamp"));
        assert_member(bad, "job_ids", "[]");
        assert_member(exists, "error", "\"There is a job one with another spec.\"");
        assert_member(busy, "accepted", "0");
        assert_member(mixed, "rejected", "2");
        assert_member(empty, "error", "\"jobs: must have at least one job\"");
        ck_assert_ptr_nonnull(json_object_get(nothing, "error"));
        assert_member(schedule, "error", "\"job_template.vm_path: refused here\"");
        world_stop(&w);
}
END_TEST

START_TEST(secrets_reach_the_manager_and_nobody_else) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *a = ask(&w.hypersdk, 201, "POST /jobs/submit",
                                              "{\"id\":\"s\",\"source\":{\"type\":\"nbd\",\"uri\":\"nbds://"
                                              "h/x\",\"tls_psk\":"
                                              "\"0badcafe\"},\"destination\":{\"path\":\"/out/s.qcow2\"}}"),
                              *call = nth_call(&w, 0), *job = ask(&w.hypersdk, 200, "GET /jobs/s", ""),
                              *other = ask(&w.worker, 200, "GET /jobs/s", "");
        _cleanup_free_ char *text = json_dumps(job, 0), *worker_text = json_dumps(other, 0);

        assert_member(call, "secrets", "{\"source.tls_psk\":\"0badcafe\"}");
        ck_assert_ptr_null(strstr(json_string_value(json_object_get(call, "spec")), "0badcafe"));
        ck_assert_ptr_null(strstr(json_string_value(json_object_get(call, "request")), "0badcafe"));
        ck_assert_ptr_null(strstr(text, "0badcafe"));
        ck_assert_ptr_null(strstr(worker_text, "0badcafe"));
        assert_member(job, "definition.source.tls_psk", "\"***\"");
        ck_assert_ptr_nonnull(a);
        world_stop(&w);
}
END_TEST

START_TEST(a_hypersdk_client_queries) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *s = ask(&w.hypersdk, 201, "POST /jobs/submit",
                        "[{\"id\":\"a\",\"vm_path\":\"/data/a.vmdk\"},{\"id\":\"b\",\"vm_path\":\"/data/"
                        "b.vmdk\"},"
                        "{\"id\":\"c\",\"vm_path\":\"/data/c.vmdk\"}]");
        const JobState ended[] = { JOB_ASSIGNED, JOB_RUNNING, JOB_COMPLETED },
                       running[] = { JOB_ASSIGNED, JOB_RUNNING };

        move_job(&w, "a", ended, ELEMENTSOF(ended), "{\"outputs\":[],\"metrics\":{},\"error\":null}");
        move_job(&w, "b", running, ELEMENTSOF(running), NULL);
        _cleanup_json_ json_t *
                        all = ask(&w.hypersdk, 200, "POST /jobs/query", "{\"all\":true}"),
                       *page = ask(&w.hypersdk, 200, "POST /jobs/query", "{\"limit\":1,\"offset\":1}"),
                       *pending = ask(&w.hypersdk, 200, "GET /jobs/query?status=pending", ""),
                       *both = ask(&w.hypersdk, 200,
                                       "GET /jobs/query?status=running,completed&job_ids=a,b&job_ids=c", ""),
                       *none = ask(&w.hypersdk, 200, "POST /jobs/query",
                                       "{\"job_ids\":[\"a\"],\"status\":\"failed\"}"),
                       *plain = ask(&w.hypersdk, 200, "POST /jobs/query", ""),
                       *bad = ask(&w.hypersdk, 400, "GET /jobs/query?status=flying&limit=x", ""),
                       *one = ask(&w.hypersdk, 200, "GET /jobs/a", ""),
                       *same = ask(&w.hypersdk, 200, "GET /jobs/status/a", ""),
                       *missing = ask(&w.hypersdk, 404, "GET /jobs/eta/zzz", "");

        assert_member(all, "total", "3");
        assert_member(json_array_get(json_object_get(all, "jobs"), 0), "definition.id", "\"c\"");
        assert_member(page, "total", "3");
        assert_member(json_array_get(json_object_get(page, "jobs"), 0), "definition.id", "\"b\"");
        assert_member(pending, "total", "1");
        assert_member(json_array_get(json_object_get(pending, "jobs"), 0), "status", "\"pending\"");
        assert_member(both, "total", "2");
        assert_member(none, "jobs", "[]");
        assert_member(plain, "total", "3");
        const char *told = json_string_value(json_object_get(bad, "error"));
        ck_assert_ptr_nonnull(strstr(told, "status: must be"));
        ck_assert_ptr_nonnull(strstr(told, "limit: must be"));
        assert_member(one, "status", "\"completed\"");
        assert_member(one, "result.success", "true");
        ck_assert(json_equal(one, same));
        assert_member(missing, "error", "\"Job zzz not found\"");
        ck_assert_ptr_nonnull(s);
        world_stop(&w);
}
END_TEST

START_TEST(a_hypersdk_client_looks_at_one_job) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *s = ask(&w.hypersdk, 201, "POST /jobs/submit",
                                              "{\"id\":\"a\",\"vm_path\":\"/data/a.vmdk\"}"),
                              *progress = ask(&w.hypersdk, 200, "GET /jobs/progress/a", ""),
                              *eta = ask(&w.hypersdk, 200, "GET /jobs/eta/a", ""),
                              *logs = ask(&w.hypersdk, 200, "GET /jobs/logs/a?tail=5", ""),
                              *tail = ask(&w.hypersdk, 400, "GET /jobs/logs/a?tail=0", ""),
                              *capabilities = ask(&w.hypersdk, 200, "GET /capabilities", "");

        assert_member(progress, "percent_complete", "0");
        assert_member(progress, "progress.stage", "\"pending\"");
        assert_member(eta, "eta", "null");
        assert_member(logs, "job_id", "\"a\"");
        assert_member(logs, "logs", "[]");
        assert_member(logs, "total", "0");
        assert_member(tail, "error", "\"tail: must be 1 to 10000\"");
        ck_assert(json_is_object(json_object_get(capabilities, "tools")));
        ck_assert_ptr_nonnull(s);
        world_stop(&w);
}
END_TEST

START_TEST(a_kept_answer_is_never_older_than_the_database) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *s = ask(&w.hypersdk, 201, "POST /jobs/submit",
                                              "{\"id\":\"a\",\"vm_path\":\"/data/a.vmdk\"}"),
                              *first = ask(&w.hypersdk, 200, "GET /jobs/a", ""),
                              *second = ask(&w.hypersdk, 200, "GET /jobs/a", ""),
                              *missing = ask(&w.hypersdk, 404, "GET /jobs/b", "");

        assert_member(first, "status", "\"pending\"");
        ck_assert(json_equal(first, second));
        move_job(&w, "a", (JobState[]){ JOB_ASSIGNED, JOB_RUNNING }, 2, NULL);
        _cleanup_json_ json_t *third = ask(&w.hypersdk, 200, "GET /jobs/a", ""),
                              *same = ask(&w.hypersdk, 200, "GET /jobs/status/a", "");
        assert_member(third, "status", "\"running\"");
        ck_assert(json_equal(third, same));
        _cleanup_json_ json_t *t = ask(&w.hypersdk, 201, "POST /jobs/submit",
                                              "{\"id\":\"b\",\"vm_path\":\"/data/b.vmdk\"}"),
                              *there = ask(&w.hypersdk, 200, "GET /jobs/b", "");
        assert_member(there, "definition.id", "\"b\"");
        ck_assert_ptr_nonnull(s);
        ck_assert_ptr_nonnull(t);
        ck_assert_ptr_nonnull(missing);
        world_stop(&w);
}
END_TEST

START_TEST(a_manifest_is_a_workflow_of_jobs) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *two = ask(&w.hypersdk, 200, "POST /api/workflow/manifest/submit",
                                              "{\"version\":\"1.0\",\"batch\":true,\"workflow_id\":\"move\","
                                              "\"vms\":[{\"name\":\"web\",\"pipeline\":"
                                              "{\"load\":{\"source_type\":\"VMDK\",\"source_path\":\"/data/"
                                              "web.vmdk\"},\"inspect\":{\"enabled\":true},"
                                              "\"convert\":{\"output_format\":\"qcow2\",\"compress\":true,"
                                              "\"output_path\":\"/out/\"}}},"
                                              "{\"name\":\"db\",\"pipeline\":{\"load\":{\"source_path\":\"/"
                                              "data/db.vmdk\"}}}]}"),
                              *one = ask(&w.hypersdk, 200, "POST /manifest/submit",
                                              "{\"version\":\"1.0\",\"pipeline\":{\"load\":{\"source_type\":"
                                              "\"raw\","
                                              "\"source_path\":\"/data/c.raw\"}}}"),
                              *jobs = ask(&w.hypersdk, 200, "GET /api/workflow/jobs?workflow_id=move", ""),
                              *all = ask(&w.hypersdk, 200, "POST /api/workflow/jobs", ""),
                              *active = ask(&w.hypersdk, 200, "GET /api/workflow/jobs/active", ""),
                              *job = ask(&w.hypersdk, 200, "GET /jobs/move-1", ""),
                              *status = ask(&w.hypersdk, 200, "GET /api/workflow/status", "");

        assert_member(two, "success", "true");
        assert_member(two, "job_id", "\"move-1\"");
        assert_member(two, "job_ids", "[\"move-1\",\"move-2\"]");
        assert_member(two, "workflow_id", "\"move\"");
        assert_member(one, "accepted", "1");
        ck_assert_ptr_nonnull(json_string_value(json_object_get(one, "workflow_id")));
        assert_member(jobs, "total", "2");
        json_t *first = json_array_get(json_object_get(jobs, "jobs"), 1);
        assert_member(first, "id", "\"move-1\"");
        assert_member(first, "name", "\"web\"");
        assert_member(first, "workflow_id", "\"move\"");
        assert_member(first, "stage", "\"pending\"");
        assert_member(first, "progress", "0");
        ck_assert(json_is_string(json_object_get(first, "started_at")));
        /* It is the field that counts, not the ID. */
        _cleanup_json_ json_t *other = ask(&w.hypersdk, 201, "POST /jobs/submit",
                                              "{\"job_id\":\"move-3\",\"vm_path\":\"/data/e.vmdk\"}"),
                              *same = ask(&w.hypersdk, 201, "POST /jobs/submit",
                                              "{\"job_id\":\"f\",\"workflow_id\":\"move\",\"vm_path\":"
                                              "\"/data/f.vmdk\"}"),
                              *jobs_3 = ask(&w.hypersdk, 200,
                                              "GET /api/workflow/jobs?workflow_id=move&status=pending", "");
        assert_member(jobs_3, "total", "3");
        assert_member(json_array_get(json_object_get(jobs_3, "jobs"), 0), "id", "\"f\"");
        assert_member(other, "accepted", "1");
        assert_member(same, "accepted", "1");
        assert_member(all, "total", "3");
        assert_member(active, "jobs", "[]");
        assert_member(job, "definition.workflow_id", "\"move\"");
        assert_member(job, "definition.vm_path", "\"/data/web.vmdk\"");
        assert_member(status, "mode", "\"manifest\"");
        assert_member(status, "running", "true");
        assert_member(status, "queue_depth", "3");
        assert_member(status, "active_jobs", "0");
        assert_member(status, "processed_today", "0");
        world_stop(&w);
}
END_TEST

START_TEST(a_wrong_manifest_is_refused_as_a_whole) {
        static const char wrong[] = "{\"version\":\"1.0\",\"vms\":[{\"pipeline\":{\"load\":{\"source_path\":"
                                    "\"/data/a.vmdk\"}}},"
                                    "{\"pipeline\":{\"load\":{\"source_path\":\"a\"},\"convert\":{\"output_"
                                    "format\":\"doc\"}}}]}";
        World w;

        world_start(&w);
        _cleanup_json_ json_t *checked = ask(&w.hypersdk, 200, "POST /api/workflow/manifest/validate",
                                              wrong),
                              *refused = ask(&w.hypersdk, 400, "POST /api/workflow/manifest/submit", wrong),
                              *empty = ask(&w.hypersdk, 200, "POST /manifest/validate",
                                              "{\"batch\":true,\"vms\":[]}"),
                              *good = ask(&w.hypersdk, 200, "POST /manifest/validate",
                                              "{\"version\":1.0,\"pipeline\":{\"load\":{\"source_path\":\"/"
                                              "a.vmdk\"}}}"),
                              *fix = ask(&w.hypersdk, 400, "POST /manifest/submit",
                                              "{\"version\":1.0,\"pipeline\":{\"load\":{\"source_path\":\"/"
                                              "a.vmdk\"},\"fix\":{\"grub\":{\"enabled\":true}}}}"),
                              *no_fix = ask(&w.hypersdk, 200, "POST /manifest/validate",
                                              "{\"version\":1.0,\"pipeline\":{\"load\":{\"source_path\":\"/"
                                              "a.vmdk\"},\"fix\":{\"enabled\":false}}}"),
                              *jobs = ask(&w.hypersdk, 200,
                                              "GET /api/workflow/jobs?status=processing,pending", "");

        assert_member(checked, "valid", "false");
        ck_assert_uint_eq(json_array_size(json_object_get(checked, "errors")), 2);
        const char *told = json_string_value(json_array_get(json_object_get(checked, "errors"), 0));
        ck_assert_msg(startswith(told, "vms[1]: pipeline."), "%s", told);
        assert_member(refused, "success", "false");
        assert_member(refused, "job_ids", "[]");
        ck_assert(json_is_string(json_object_get(refused, "error")));
        assert_member(empty, "errors",
                        "[\"version: must be given, like \\\"1.0\\\"\",\"vms: must be a list with at least "
                        "one VM\"]");
        ck_assert_ptr_nonnull(startswith(json_string_value(json_object_get(fix, "error")),
                        "pipeline.fix: is not supported in a manifest"));
        assert_member(no_fix, "valid", "true");
        assert_member(good, "valid", "true");
        assert_member(good, "errors", "[]");
        assert_member(jobs, "total", "0");
        world_stop(&w);
}
END_TEST

START_TEST(a_failed_job_is_retried_in_each_dialect) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *s = ask(&w.hypersdk, 201, "POST /jobs/submit",
                                              "{\"id\":\"a\",\"vm_path\":\"/data/a.vmdk\"}"),
                              *sdk = ask(&w.hypersdk, 200, "POST /jobs/a/retry", ""),
                              *worker = ask(&w.worker, 200, "POST /jobs/a/retry",
                                              "{\"secrets\":{\"source.tls_psk\":\"x\"}}"),
                              *bad = ask(&w.hypersdk, 400, "POST /jobs/a/retry", "{\"secrets\":{\"a\":1}}"),
                              *late = ask(&w.hypersdk, 409, "POST /jobs/late/retry", "");

        assert_member(sdk, "job_id", "\"a\"");
        assert_member(sdk, "status", "\"pending\"");
        assert_member(worker, "state", "\"QUEUED\"");
        assert_member(bad, "error", "\"secrets: must be an object of strings\"");
        assert_member(late, "error", "\"Job late is RUNNING; only failed jobs\"");
        ck_assert_ptr_nonnull(s);
        world_stop(&w);
}
END_TEST

START_TEST(a_warm_job_is_cut_over_in_each_dialect) {
        static const struct {
                const char *body, *error;
        } bad[] = {
                { "{\"at\":1}", "\"at: must be a string\"" },
                { "{\"cancel\":\"yes\"}", "\"cancel: must be true or false\"" },
                { "{\"when\":\"x\"}", "\"when: must not be given: only at and cancel may be\"" },
                { "{\"at\":\"x\",\"cancel\":true}", "\"at: must not be given together with cancel\"" },
        };
        World w;

        world_start(&w);
        _cleanup_json_ json_t
                        *s = ask(&w.hypersdk, 201, "POST /jobs/submit",
                                        "{\"id\":\"a\",\"vm_path\":\"DC/vm/web\",\"vcenter_url\":\"vc\","
                                        "\"username\":\"u\",\"password\":\"p\","
                                        "\"output_path\":\"/data/out.qcow2\",\"warm\":true}"),
                        *early = ask(&w.hypersdk, 409, "POST /jobs/a/cutover", "{}"),
                        *empty = ask(&w.worker, 409, "POST /jobs/a/cutover", ""),
                        *at = ask(&w.hypersdk, 200, "POST /jobs/a/cutover",
                                        "{\"at\":\"2026-05-01T02:00:00Z\"}"),
                        *job = ask(&w.hypersdk, 200, "GET /jobs/a", ""),
                        *other = ask(&w.worker, 200, "GET /jobs/a", ""),
                        *cancel = ask(&w.worker, 200, "POST /jobs/a/cutover", "{\"cancel\":true}"),
                        *unknown = ask(&w.hypersdk, 404, "POST /jobs/none/cutover", "{}");

        assert_member(early, "error", "\"The first pass is not complete\"");
        assert_member(at, "message", "\"cutover planned\"");
        assert_member(at, "warning", "\"2026-05-01T02:00:00Z\"");
        assert_member(json_object_get(job, "warm"), "passes", "2");
        ck_assert(json_is_string(json_object_get(json_object_get(at, "warm"), "cutover_at")));
        ck_assert(json_equal(json_object_get(job, "warm"), json_object_get(other, "warm")));
        assert_member(cancel, "message", "\"cutover cancelled\"");
        assert_member(cancel, "warning", "null");
        assert_member(json_object_get(cancel, "warm"), "cutover_at", "null");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_json_ json_t *answer = ask(&w.hypersdk, 400, "POST /jobs/a/cutover", bad[i].body);

                assert_member(answer, "error", bad[i].error);
        }
        ck_assert(s && empty && unknown);
        world_stop(&w);
}
END_TEST

START_TEST(a_hypersdk_client_cancels_by_id_and_by_status) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *s = ask(&w.hypersdk, 201, "POST /jobs/submit",
                        "[{\"id\":\"a\",\"vm_path\":\"/data/a.vmdk\"},{\"id\":\"b\",\"vm_path\":\"/data/"
                        "b.vmdk\"},"
                        "{\"id\":\"c\",\"vm_path\":\"/data/c.vmdk\"},{\"id\":\"d\",\"vm_path\":\"/data/"
                        "d.vmdk\"}]");
        const JobState running[] = { JOB_ASSIGNED, JOB_RUNNING };

        move_job(&w, "b", running, ELEMENTSOF(running), NULL);
        _cleanup_json_ json_t *nothing = ask(&w.hypersdk, 400, "POST /jobs/cancel", "{}"),
                              *without = ask(&w.hypersdk, 400, "POST /jobs/cancel", ""),
                              *both = ask(&w.hypersdk, 200, "POST /jobs/cancel",
                                              "{\"job_ids\":[\"a\",\"b\"],\"status\":\"running\"}"),
                              *id = ask(&w.hypersdk, 200, "POST /jobs/cancel?id=a", ""),
                              *again = ask(&w.hypersdk, 200, "POST /jobs/cancel",
                                              "{\"job_ids\":[\"a\",\"zzz\",\"zzz\"]}"),
                              *status = ask(&w.hypersdk, 200, "POST /jobs/cancel",
                                              "{\"status\":\"pending\"}"),
                              *ended = ask(&w.hypersdk, 200, "POST /jobs/cancel",
                                              "{\"status\":\"completed\"}");

        ck_assert(startswith(
                        json_string_value(json_object_get(nothing, "error")), "job_ids: must be given"));
        ck_assert(startswith(
                        json_string_value(json_object_get(without, "error")), "job_ids: must be given"));
        assert_member(both, "count", "1");
        assert_member(both, "cancelled", "[\"b\"]");
        assert_member(both, "failed", "[]");
        assert_member(both, "message", "\"jobs cancelled successfully\"");
        assert_member(id, "cancelled", "[\"a\"]");
        assert_member(again, "count", "0");
        assert_member(again, "failed", "[\"a\",\"zzz\"]");
        assert_member(again, "errors",
                        "{\"a\":\"The job is cancelled already.\",\"zzz\":\"There is no such job.\"}");
        assert_member(status, "count", "2");
        assert_member(ended, "count", "0");
        ck_assert_ptr_nonnull(s);
        world_stop(&w);
}
END_TEST

START_TEST(a_database_that_is_not_there_yet_is_an_empty_one) {
        TestServer worker, hypersdk;

        test_server_start(&worker, AF_INET, &worker_dialect, NULL);
        test_server_start(&hypersdk, AF_INET, &hypersdk_dialect, NULL);
        _cleanup_json_ json_t *jobs = ask(&worker, 200, "GET /jobs", ""),
                              *job = ask(&worker, 404, "GET /jobs/a", ""),
                              *health = ask(&worker, 200, "GET /health", ""),
                              *query = ask(&hypersdk, 200, "POST /jobs/query", "{\"all\":true}"),
                              *status = ask(&hypersdk, 200, "GET /status", ""),
                              *cancel = ask(&hypersdk, 200, "POST /jobs/cancel", "{\"job_ids\":[\"a\"]}"),
                              *submit = ask(&worker, 503, "POST /jobs", JOB_A),
                              *batch = ask(&hypersdk, 503, "POST /jobs/submit",
                                              "[{\"vm_path\":\"/data/a.vmdk\"}]");

        assert_member(jobs, "jobs", "[]");
        assert_member(job, "error.code", "404");
        assert_member(health, "active_jobs", "0");
        assert_member(query, "jobs", "[]");
        assert_member(status, "total_jobs", "0");
        assert_member(cancel, "failed", "[\"a\"]");
        assert_member(submit, "error.code", "503");
        ck_assert_ptr_nonnull(json_object_get(batch, "error"));
        ck_assert_int_eq(test_server_stop(&worker), 0);
        ck_assert_int_eq(test_server_stop(&hypersdk), 0);
}
END_TEST

/* --- events ---------------------------------------------------------------------------------------- */

#define JOURNAL_REMOTE "/lib/systemd/systemd-journal-remote"

/* One entry in the journal's export format (systemd.io/JOURNAL_EXPORT_FORMATS), @n seconds after T0. */
static void add_entry(FILE *f, unsigned n, const char *unit, const char *job, const char *fields,
                const char *message) {
        fprintf(f,
                        "__REALTIME_TIMESTAMP=%" PRIu64
                        "\n__MONOTONIC_TIMESTAMP=%u\n_BOOT_ID=0123456789abcdef0123456789abcdef\n"
                        "_SYSTEMD_UNIT=%s\nHYPER_JOB_ID=%s\n%sMESSAGE=%s\n\n",
                        T0 + n * USEC_PER_SEC, n + 1, unit, job, fields, message);
}

#define MANAGER_UNIT "hyper-managerd.service"
#define JOB_UNIT "hyper-job-a.service"

static void import_journal(const World *w, const char *input) {
        _cleanup_free_ char *output = strprintf("%s/a.journal", w->journal);
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                int in = open(input, O_RDONLY), null = open("/dev/null", O_WRONLY);

                dup2(in, STDIN_FILENO);
                dup2(null, STDERR_FILENO);
                execl(JOURNAL_REMOTE, "systemd-journal-remote", "-o", output, "-", NULL);
                _exit(127);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(status == 0, "%s (Debian: systemd-journal-remote): %d", JOURNAL_REMOTE, status);
}

/* What a job leaves in the journal, and what somebody else would like to have there. */
static void write_journal(const World *w, const char *end) {
        _cleanup_free_ char *input = strprintf("%s/export", w->dir),
                            *state = strprintf("HYPER_EVENT=state\nHYPER_STATE=%s\n", end);
        FILE *f = fopen(input, "we");

        ck_assert_ptr_nonnull(f);
        add_entry(f, 1, MANAGER_UNIT, "a", "HYPER_EVENT=state\nHYPER_STATE=RUNNING\n",
                        "Worker started execution");
        add_entry(f, 2, JOB_UNIT, "a", "HYPER_EVENT=phase\nHYPER_PHASE=conversion\nHYPER_PERCENT=0\n",
                        "Converting");
        add_entry(f, 3, JOB_UNIT, "a",
                        "HYPER_EVENT=progress\nHYPER_PHASE=conversion\nHYPER_PERCENT=25\nHYPER_BYTES_DONE="
                        "536870912\n"
                        "HYPER_BYTES_TOTAL=2147483648\n",
                        "Converting: 25% complete");
        add_entry(f, 4, "evil.service", "a", "HYPER_EVENT=state\nHYPER_STATE=COMPLETED\n", "A forged end");
        add_entry(f, 5, JOB_UNIT, "a", "HYPER_EVENT=note\nHYPER_PHASE=conversion\n", "By the way");
        add_entry(f, 6, JOB_UNIT, "a", "", "a line of qemu-nbd's");
        add_entry(f, 7, MANAGER_UNIT, "b", "HYPER_EVENT=state\nHYPER_STATE=RUNNING\n", "Another job");
        add_entry(f, 8, MANAGER_UNIT, "a", state, "It has ended.");
        fclose(f);
        import_journal(w, input);
}

static void submit_and_end(World *w, JobState end, const char *result) {
        const JobState states[] = { JOB_ASSIGNED, JOB_RUNNING, end };
        _cleanup_json_ json_t *a = ask(&w->worker, 201, "POST /jobs", JOB_A);

        ck_assert_ptr_nonnull(a);
        move_job(w, "a", states, ELEMENTSOF(states), result);
        write_journal(w, job_state_to_string(end));
}

#define RESULT_OK "{\"outputs\":[],\"metrics\":{},\"error\":null}"

/* It is read and sent in steps. */
START_TEST(a_long_log_is_whole) {
        static const struct {
                unsigned tail, expected;
        } cases[] = { { 0, 1234 }, { 1000, 1000 }, { 100, 100 }, { 101, 101 } };
        World w;

        world_start(&w);
        _cleanup_json_ json_t *a = ask(&w.worker, 201, "POST /jobs", JOB_A);
        _cleanup_free_ char *input = strprintf("%s/export", w.dir);
        FILE *f = fopen(input, "we");

        ck_assert_ptr_nonnull(a);
        ck_assert_ptr_nonnull(f);
        for (unsigned i = 0; i < 1234; i++) {
                char line[32];

                (void) snprintf(line, sizeof(line), "line %04u", i);
                add_entry(f, i, JOB_UNIT, "a", "HYPER_EVENT=note\n", line);
        }
        fclose(f);
        import_journal(&w, input);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *what = cases[i].tail > 0
                                ? strprintf("GET /jobs/logs/a?tail=%u", cases[i].tail)
                                : strdup("GET /jobs/logs/a");
                _cleanup_json_ json_t *log = ask(&w.hypersdk, 200, what, "");
                json_t *lines = json_object_get(log, "logs");

                assert_member(log, "total", "1234");
                assert_member(log, "job_id", "\"a\"");
                ck_assert_uint_eq(json_array_size(lines), cases[i].expected);
                for (size_t k = 0; k < json_array_size(lines); k++)
                        ck_assert_uint_eq((size_t) atoi(strrchr(
                                                          json_string_value(json_array_get(lines, k)), ' ')),
                                        1234 - cases[i].expected + k);
        }
        _cleanup_json_ json_t *events = ask(&w.worker, 200, "GET /jobs/a/events", "");
        ck_assert_uint_eq(json_array_size(events), 1234);
        assert_member(json_array_get(events, 1233), "message", "\"line 1233\"");
        world_stop(&w);
}
END_TEST

START_TEST(events_are_the_trusted_ones_after_a_time) {
        World w;

        world_start(&w);
        submit_and_end(&w, JOB_COMPLETED, RESULT_OK);
        _cleanup_json_ json_t *all = ask(&w.worker, 200, "GET /jobs/a/events", ""),
                              *later = ask(&w.worker, 200, "GET /jobs/a/events?since=2026-01-31T10:00:03Z",
                                              ""),
                              *before = ask(&w.worker, 200,
                                              "GET /jobs/a/events?since=2026-01-31T10:00:02.999999Z", ""),
                              *none = ask(&w.worker, 200,
                                              "GET /jobs/a/events?since=2030-01-01T00:00:00%2B01:00", ""),
                              *bad = ask(&w.worker, 400, "GET /jobs/a/events?since=yesterday", ""),
                              *missing = ask(&w.worker, 404, "GET /jobs/b/events", ""),
                              *logs = ask(&w.hypersdk, 200, "GET /jobs/logs/a?tail=2", "");

        ck_assert_uint_eq(json_array_size(all), 5);
        assert_member(json_array_get(all, 0), "message", "\"Worker started execution\"");
        assert_member(json_array_get(all, 0), "phase", "\"initialization\"");
        assert_member(json_array_get(all, 2), "percentage", "25");
        assert_member(json_array_get(all, 2), "details.bytes_processed", "\"536870912\"");
        assert_member(json_array_get(all, 3), "percentage", "25");
        assert_member(json_array_get(all, 4), "percentage", "100");
        ck_assert_uint_eq(json_array_size(later), 2);
        assert_member(json_array_get(later, 0), "message", "\"By the way\"");
        ck_assert_uint_eq(json_array_size(before), 3);
        ck_assert_uint_eq(json_array_size(none), 0);
        ck_assert(startswith(
                        json_string_value(json_path_get(bad, "error.message")), "since: must be a time"));
        assert_member(missing, "error.code", "404");
        ck_assert_uint_eq(json_array_size(json_object_get(logs, "logs")), 2);
        ck_assert_ptr_nonnull(strstr(
                        json_string_value(json_array_get(json_object_get(logs, "logs"), 0)), "qemu-nbd"));
        world_stop(&w);
}
END_TEST

/* The text of a whole stream. */
static char *stream(const World *w, const char *headers) {
        TestReply reply = {};

        test_request(&w->worker, &reply, "GET /jobs/a/events/stream HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
                        headers);
        ck_assert_uint_eq(reply.status, 200);
        free(reply.head);
        return reply.body;
}

static size_t count(const char *text, const char *what) {
        size_t n = 0;

        for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
                n++;
        return n;
}

START_TEST(a_stream_replays_and_completes) {
        World w;

        world_start(&w);
        submit_and_end(&w, JOB_COMPLETED, RESULT_OK);
        _cleanup_free_ char *text = stream(&w, ""), *header = NULL, *resumed = NULL;

        ck_assert_uint_eq(count(text, "event: progress\n"), 4);
        ck_assert_uint_eq(count(text, "event: error\n"), 0);
        ck_assert_uint_eq(count(text, "event: complete\n"), 1);
        ck_assert_uint_eq(count(text, "\"percentage\":25"), 2);
        ck_assert_ptr_nonnull(strstr(text, "data: {\"state\":\"COMPLETED\""));
        ck_assert_ptr_null(strstr(text, "forged"));

        /* From behind the third. */
        const char *id = text;
        for (int i = 0; i < 3; i++)
                id = strstr(id, "id: ") + 4;
        header = strprintf("Last-Event-ID: %.*s\r\n", (int) strcspn(id, "\n"), id);
        resumed = stream(&w, header);
        ck_assert_uint_eq(count(resumed, "event: progress\n"), 1);
        ck_assert_ptr_nonnull(strstr(resumed, "By the way"));
        ck_assert_uint_eq(count(resumed, "event: complete\n"), 1);
        world_stop(&w);
}
END_TEST

START_TEST(the_stream_of_a_failed_job_says_error_then_complete) {
        World w;

        world_start(&w);
        submit_and_end(&w, JOB_FAILED, "{\"error\":{\"message\":\"The disk is full.\"}}");
        _cleanup_free_ char *text = stream(&w, "");

        const char *error = strstr(text, "event: error\n"), *complete = strstr(text, "event: complete\n");
        ck_assert_ptr_nonnull(error);
        ck_assert_ptr_nonnull(complete);
        ck_assert(error < complete);
        ck_assert_ptr_nonnull(strstr(complete, "\"state\":\"FAILED\""));
        world_stop(&w);
}
END_TEST

START_TEST(a_job_without_events_has_a_stream_too) {
        World w;
        const JobState states[] = { JOB_CANCELLED };

        world_start(&w);
        _cleanup_json_ json_t *a = ask(&w.worker, 201, "POST /jobs", JOB_A);
        move_job(&w, "a", states, ELEMENTSOF(states), NULL);
        _cleanup_free_ char *text = stream(&w, "");

        ck_assert_uint_eq(count(text, "event: complete\n"), 1);
        ck_assert_ptr_nonnull(strstr(text, "\"state\":\"CANCELLED\""));
        ck_assert_ptr_nonnull(a);
        world_stop(&w);
}
END_TEST

static void enlist_workers(const World *w, unsigned n) {
        Store *s = NULL;

        ck_assert_int_eq(store_open(w->database, STORE_OWNER, &s), 0);
        for (unsigned i = 0; i < n; i++) {
                _cleanup_free_ char *id = strprintf("w%04u", i);
                const WorkerRow row = { .id = id,
                        .capabilities = (char *) "[\"qemu_img\"]",
                        .system_info = (char *) "{}",
                        .registered_at = now_realtime() };
                bool created;

                ck_assert_int_eq(store_worker_register(s, &row, &created), 0);
        }
        store_free(s);
}

static void assert_workers(const World *w, const char *query, size_t n, unsigned first) {
        _cleanup_free_ char *request = strprintf("GET /workers%s", query);
        _cleanup_json_ json_t *answer = ask(&w->worker, 200, request, "");
        const json_t *list = json_object_get(answer, "workers");

        assert_member(answer, "total", "250");
        assert_member(answer, "active", "250");
        ck_assert_uint_eq(json_array_size(list), n);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *id = strprintf("w%04u", first + (unsigned) i);

                ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, i), "worker_id")),
                                id);
        }
}

/* More than are read in one step. */
START_TEST(a_long_list_of_workers_is_whole) {
        World w;

        world_start(&w);
        _cleanup_json_ json_t *none = ask(&w.worker, 200, "GET /workers", "");
        assert_member(none, "workers", "[]");
        enlist_workers(&w, 250);
        assert_workers(&w, "", 250, 0);
        assert_workers(&w, "?limit=120&offset=5", 120, 5);
        assert_workers(&w, "?limit=200&offset=200", 50, 200);
        assert_workers(&w, "?offset=250", 0, 0);
        world_stop(&w);
}
END_TEST

static void insert_jobs(const World *w, unsigned n) {
        const JobStateRow queued = { JOB_QUEUED, 1, (char *) "" };
        Store *s = NULL;

        ck_assert_int_eq(store_open(w->database, STORE_OWNER, &s), 0);
        for (unsigned i = 0; i < n; i++) {
                _cleanup_free_ char *id = strprintf("batch-%u", i + 1);
                JobRow row = { .id = id,
                        .operation = (char *) "inspect",
                        .spec = (char *) "{\"operation\":\"inspect\",\"source\":{\"type\":\"file\",\"path\":\"/a\"},"
                                         "\"workflow_id\":\"w\"}",
                        .dialect = (char *) "bus",
                        .created_at = 1,
                        .updated_at = 1,
                        .percent = -1,
                        .phase = _PHASE_INVALID };

                ck_assert_int_eq(store_job_insert(s, &row, &queued, 1), 0);
                free(row.reason);
        }
        store_free(s);
}

/* The jobs are batch-@first, and those before it. */
static void assert_jobs(const TestServer *server, const char *request, size_t n, unsigned first) {
        _cleanup_json_ json_t *answer = ask(server, 200, request, "");
        const json_t *list = json_object_get(answer, "jobs");

        assert_member(answer, "total", "250");
        ck_assert_uint_eq(json_array_size(list), n);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *id = strprintf("batch-%u", first - (unsigned) i);
                json_t *job = json_array_get(list, i), *told = json_object_get(job, "job_id");

                ck_assert_str_eq(json_string_value(told ? told : json_object_get(job, "id")), id);
        }
}

START_TEST(a_long_list_of_jobs_is_whole) {
        World w;

        world_start(&w);
        insert_jobs(&w, 250);
        assert_jobs(&w.worker, "GET /jobs?limit=1000", 250, 250);
        assert_jobs(&w.worker, "GET /jobs", 100, 250);
        assert_jobs(&w.worker, "GET /jobs?state=QUEUED&limit=150&offset=20", 150, 230);
        assert_jobs(&w.worker, "GET /jobs?limit=200&offset=200", 50, 50);
        assert_jobs(&w.worker, "GET /jobs?limit=200&offset=250", 0, 0);
        assert_jobs(&w.hypersdk, "GET /jobs/query?all=true", 250, 250);
        assert_jobs(&w.hypersdk, "GET /jobs/query?limit=101&offset=1", 101, 249);
        assert_jobs(&w.hypersdk, "GET /api/workflow/jobs?workflow_id=w&limit=120&offset=3", 120, 247);
        world_stop(&w);
}
END_TEST

static void insert_schedules(const World *w, unsigned n) {
        Store *s = NULL;

        ck_assert_int_eq(store_open(w->database, STORE_OWNER, &s), 0);
        for (unsigned i = 0; i < n; i++) {
                _cleanup_free_ char *id = strprintf("s%04u", i);
                const ScheduleRow row = { .id = id,
                        .name = id,
                        .description = (char *) "",
                        .expression = (char *) "@daily",
                        .spec = (char *) "{\"operation\":\"inspect\"}",
                        .dialect = (char *) "bus",
                        .created_at = 1,
                        .updated_at = 1 };

                ck_assert_int_eq(store_schedule_insert(s, &row), 0);
        }
        store_free(s);
}

static void assert_schedules(const World *w, const char *query, size_t n, unsigned first) {
        _cleanup_free_ char *request = strprintf("GET /schedules%s", query);
        _cleanup_json_ json_t *answer = ask(&w->hypersdk, 200, request, "");
        const json_t *list = json_object_get(answer, "schedules");

        assert_member(answer, "total", "250");
        ck_assert_uint_eq(json_array_size(list), n);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *id = strprintf("s%04u", first + (unsigned) i);

                ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, i), "id")), id);
        }
}

START_TEST(a_long_list_of_schedules_is_whole) {
        World w;

        world_start(&w);
        insert_schedules(&w, 250);
        assert_schedules(&w, "", 250, 0);
        assert_schedules(&w, "?limit=120&offset=5", 120, 5);
        assert_schedules(&w, "?limit=200&offset=200", 50, 200);
        assert_schedules(&w, "?offset=250", 0, 0);
        world_stop(&w);
}
END_TEST

TEST_MAIN("dialect-routes", a_long_list_of_jobs_is_whole, a_long_list_of_schedules_is_whole,
                a_long_list_of_workers_is_whole, a_worker_client_submits_and_looks,
                a_worker_client_is_told_what_is_wrong, a_worker_client_cancels,
                health_says_how_many_jobs_are_worked_on, a_hypersdk_client_submits_one_job_or_many,
                secrets_reach_the_manager_and_nobody_else, a_hypersdk_client_queries,
                a_hypersdk_client_looks_at_one_job, a_kept_answer_is_never_older_than_the_database,
                a_manifest_is_a_workflow_of_jobs, a_wrong_manifest_is_refused_as_a_whole,
                a_failed_job_is_retried_in_each_dialect, a_warm_job_is_cut_over_in_each_dialect,
                a_hypersdk_client_cancels_by_id_and_by_status,
                a_database_that_is_not_there_yet_is_an_empty_one, a_long_log_is_whole,
                events_are_the_trusted_ones_after_a_time, a_stream_replays_and_completes,
                the_stream_of_a_failed_job_says_error_then_complete, a_job_without_events_has_a_stream_too)
