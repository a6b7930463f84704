/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A held job's life: hyper-agentd's loop between a real server (its HTTP daemon in a child, its manager
 * here) and a stand-in for the manager of its own machine, on a bus of its own, whose jobs end when the test
 * says so.
 *
 * check: all */

#include <dirent.h>
#include <sysexits.h>

#include "agent/agent.h"
#include "agent/one-job.h"
#include "agent/server.h"
#include "api/worker/worker-routes.h"
#include "basic/fd-util.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "unit/lib/api-test.h"
#include "unit/lib/journal-writer.h"
#include "unit/lib/manager-test.h"
#include "unit/lib/private-bus.h"

typedef struct World {
        Fixture f; /* the server's manager */
        TestServer server;

        char *dir; /* the worker's */
        pid_t bus_pid;
        sd_bus *local, *agent_bus;
        char *local_id, *local_state; /* of the last job that was submitted there */
        unsigned submitted, cancelled;
        const char *refusal; /* SubmitJob answers with this error */
        JournalWriter journal;

        AgentSettings settings;
        char *directory;
        const char *only_job; /* --job */
        Agent *agent;
} World;

/* --- the manager of the worker's machine ----------------------------------------------------------- */

static int on_submit(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_json_ json_t *spec = NULL;
        const char *text;
        World *w = userdata;

        ck_assert_int_ge(sd_bus_message_read(m, "s", &text), 0);
        w->submitted++;
        if (w->refusal)
                return bus_error_setf(error, w->refusal, "No, because.");
        spec = json_loads(text, 0, NULL);
        ck_assert_int_eq(free_and_strdup(&w->local_id, json_string_value(json_object_get(spec, "job_id"))),
                        0);
        if (!w->local_state)
                w->local_state = strdup("RUNNING");
        return sd_bus_reply_method_return(m, "sob", w->local_id, "/org/hyper1/job/x", 1);
}

static int on_get(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *details = NULL;
        World *w = userdata;

        details = strprintf("{\"state\":\"%s\",\"reason\":\"so it "
                            "is\",\"result\":{\"outputs\":[{\"path\":\"/there\"}],"
                            "\"metrics\":{},\"error\":{\"code\":\"no_space\",\"message\":\"full\","
                            "\"retryable\":false}}}",
                        w->local_state);
        return sd_bus_reply_method_return(m, "os", "/org/hyper1/job/x", details);
}

static int on_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        World *w = userdata;

        w->cancelled++;
        return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable local_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("SubmitJob", "sa{sv}", "sob", on_submit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetJob", "s", "os", on_get, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CancelJob", "s", "", on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* --- the world ------------------------------------------------------------------------------------- */

static void agent_up(World *w) {
        const AgentOptions options = {
                .event = w->f.event,
                .bus = w->agent_bus,
                .settings = &w->settings,
                .directory = w->directory,
                .journal_directory = w->dir,
                .only_job = w->only_job,
        };

        ck_assert_int_eq(agent_new(&options, &w->agent), 0);
        ck_assert_int_eq(agent_start(w->agent), 0);
}

/* As a kill -9 would: nothing is said to anybody. */
static void agent_down(World *w) {
        w->agent = agent_free(w->agent);
}

static void world_open(World *w) {
        *w = (World){};
        fixture_open(&w->f);
        _cleanup_free_ char *database = strprintf("%s/hyper.db", w->f.state),
                            *address = strprintf("unix:path=%s/bus", w->f.dir);

        test_server_start(&w->server, AF_INET, &worker_dialect,
                        &(ApiConfig){ .database = database, .bus_address = address });
        w->f.no_local_worker = true;
        manager_up(&w->f);

        w->dir = test_dir();
        w->directory = strprintf("%s/jobs", w->dir);
        ck_assert_int_eq(mkdir_parents(w->directory, 0700), 0);
        w->bus_pid = private_bus_start(w->dir);
        w->local = private_bus_connect(w->dir, w->f.event);
        w->agent_bus = private_bus_connect(w->dir, w->f.event);
        ck_assert_int_ge(sd_bus_add_object_vtable(w->local, NULL, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE,
                                         local_vtable, w),
                        0);
        ck_assert_int_ge(sd_bus_request_name(w->local, HYPER_BUS_NAME, 0), 0);
        journal_writer_start(&w->journal, w->dir);
        journal_write_progress(&w->journal, "other", NULL, "not ours");

        w->settings.server.url = strprintf("http://127.0.0.1:%d", w->server.port);
        w->settings.worker.id = strdup("w1");
        w->settings.worker.directory = strdup("/");
        w->settings.worker.max_jobs = 2;
        w->settings.worker.heartbeat = USEC_PER_SEC;
        agent_up(w);
}

static void world_close(World *w) {
        agent_down(w);
        journal_writer_stop(&w->journal);
        sd_bus_flush_close_unref(w->local);
        sd_bus_flush_close_unref(w->agent_bus);
        private_bus_stop(w->bus_pid);
        ck_assert_int_eq(test_server_stop(&w->server), 0);
        fixture_close(&w->f);
        test_dir_freep(&w->dir);
        free(w->directory);
        free(w->local_id);
        free(w->local_state);
        free(w->settings.server.url);
        free(w->settings.worker.id);
        free(w->settings.worker.directory);
}

/* Runs everything until the condition holds; libcheck ends what never does. */
#define UNTIL(w, condition)  \
        while (!(condition)) \
        ck_assert_int_ge(sd_event_run((w)->f.event, 20 * USEC_PER_MSEC), 0)

static void submit_queued(World *w, const char *id) {
        _cleanup_free_ char *spec = make_spec(&w->f, id, ",\"execution_policy\":{\"retry_count\":0}");

        ck_assert_int_ge(call(&w->f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1), 0);
}

static unsigned files(const World *w) {
        DIR *d = opendir(w->directory);
        unsigned n = 0;

        for (struct dirent *de; (de = readdir(d));)
                n += de->d_name[0] != '.';
        closedir(d);
        return n;
}

/* The job ends on the worker's machine. */
static void local_end(World *w, const char *state) {
        ck_assert_int_eq(free_and_strdup(&w->local_state, state), 0);
        journal_write_state(&w->journal, w->local_id, state, "so it is");
}

/* clang-format off */
#define LIFE_TEST(name) START_TEST(name) { World w; if (!journal_writer_available()) return; world_open(&w);
#define LIFE_TEST_END world_close(&w); } END_TEST
/* clang-format on */

/* --- lives ----------------------------------------------------------------------------------------- */

LIFE_TEST(a_job_is_taken_and_reported)
        submit_queued(&w, "a");
        UNTIL(&w, w.submitted == 1 && w.local_id);
        ck_assert_ptr_nonnull(startswith(w.local_id, "a:1:"));
        ck_assert_int_eq(state_of(&w.f, "a"), JOB_ASSIGNED);
        journal_write_progress(&w.journal, w.local_id, NULL, "half of it");
        UNTIL(&w, state_of(&w.f, "a") == JOB_RUNNING);
        ck_assert_uint_eq(files(&w), 1);
        local_end(&w, "COMPLETED");
        UNTIL(&w, state_of(&w.f, "a") == JOB_COMPLETED);
        UNTIL(&w, files(&w) == 0);
        _cleanup_free_ char *result = result_of(&w.f, "a");
        ck_assert_ptr_nonnull(strstr(result, "/there"));
        ck_assert_uint_eq(w.submitted, 1);
        ck_assert_uint_eq(w.cancelled, 0);
LIFE_TEST_END

LIFE_TEST(a_failure_says_whether_it_may_be_tried_again)
        submit_queued(&w, "a");
        UNTIL(&w, w.local_id);
        local_end(&w, "FAILED");
        UNTIL(&w, state_of(&w.f, "a") == JOB_FAILED);
        _cleanup_free_ char *result = result_of(&w.f, "a");
        ck_assert_ptr_nonnull(strstr(result, "no_space"));
        UNTIL(&w, files(&w) == 0);
LIFE_TEST_END

/* Killed while it holds a job, which ends meanwhile. */
LIFE_TEST(one_that_was_killed_goes_on)
        _cleanup_free_ char *id = NULL;

        submit_queued(&w, "a");
        UNTIL(&w, w.local_id);
        journal_write_progress(&w.journal, w.local_id, NULL, "half of it");
        UNTIL(&w, state_of(&w.f, "a") == JOB_RUNNING);
        id = strdup(w.local_id);
        agent_down(&w);
        journal_write_progress(&w.journal, w.local_id, NULL, "nearly all of it");
        local_end(&w, "COMPLETED");
        agent_up(&w);
        UNTIL(&w, state_of(&w.f, "a") == JOB_COMPLETED);
        UNTIL(&w, files(&w) == 0);
        /* Submitted again under the same id, which is no other job. */
        ck_assert_uint_eq(w.submitted, 2);
        ck_assert_str_eq(w.local_id, id);
LIFE_TEST_END

/* Killed between taking the job and writing its file: the heartbeat names it. */
LIFE_TEST(a_job_whose_file_is_gone_is_found_again)
        submit_queued(&w, "a");
        UNTIL(&w, w.local_id);
        agent_down(&w);
        _cleanup_free_ char *escaped = job_escape_id(w.local_id),
                            *file = strprintf("%s/%s.json", w.directory, escaped);
        ck_assert_int_eq(unlink(file), 0);
        agent_up(&w);
        UNTIL(&w, w.submitted == 2);
        local_end(&w, "COMPLETED");
        UNTIL(&w, state_of(&w.f, "a") == JOB_COMPLETED);
        UNTIL(&w, files(&w) == 0);
LIFE_TEST_END

LIFE_TEST(a_job_that_is_cancelled_there_is_cancelled_here)
        submit_queued(&w, "a");
        UNTIL(&w, w.local_id);
        ck_assert_int_eq(cancel(&w.f, "a"), 0);
        UNTIL(&w, w.cancelled == 1);
        UNTIL(&w, files(&w) == 0);
        ck_assert_int_eq(state_of(&w.f, "a"), JOB_CANCELLED);
LIFE_TEST_END

/* The report is refused, since the job is somebody else's by now. */
LIFE_TEST(a_job_that_was_lost_is_let_go)
        submit_queued(&w, "a");
        UNTIL(&w, w.local_id);
        ck_assert_int_ge(call(&w.f, "UnregisterWorker", NULL, NULL, "s", "w1"), 0);
        journal_write_progress(&w.journal, w.local_id, NULL, "half of it");
        UNTIL(&w, w.cancelled == 1);
        /* It registers again, and gets the job anew, as another attempt. */
        UNTIL(&w, w.submitted == 2);
        ck_assert_ptr_nonnull(startswith(w.local_id, "a:2:"));
        local_end(&w, "COMPLETED");
        UNTIL(&w, state_of(&w.f, "a") == JOB_COMPLETED);
        UNTIL(&w, files(&w) == 0);
LIFE_TEST_END

LIFE_TEST(what_is_refused_here_has_failed_there)
        w.refusal = HYPER_BUS_ERROR_PATH_REFUSED;
        submit_queued(&w, "a");
        UNTIL(&w, state_of(&w.f, "a") == JOB_FAILED);
        _cleanup_free_ char *result = result_of(&w.f, "a");
        ck_assert_ptr_nonnull(strstr(result, "refused_by_worker"));
        ck_assert_ptr_nonnull(strstr(result, "No, because."));
        UNTIL(&w, files(&w) == 0);
LIFE_TEST_END

LIFE_TEST(a_manager_that_cannot_answer_is_asked_again)
        w.refusal = HYPER_BUS_ERROR_UNAVAILABLE;
        submit_queued(&w, "a");
        UNTIL(&w, w.submitted == 1);
        ck_assert_int_eq(state_of(&w.f, "a"), JOB_ASSIGNED);
        w.refusal = NULL;
        UNTIL(&w, w.local_id);
        local_end(&w, "COMPLETED");
        UNTIL(&w, state_of(&w.f, "a") == JOB_COMPLETED);
LIFE_TEST_END

/* A file of another server's job: cancelled here, and nobody is told. */
LIFE_TEST(a_job_of_another_server_is_none_of_this_one)
        submit_queued(&w, "a");
        UNTIL(&w, w.local_id);
        agent_down(&w);
        char *url = w.settings.server.url;
        w.settings.server.url = strdup("http://127.0.0.1:1");
        agent_up(&w);
        UNTIL(&w, w.cancelled == 1);
        UNTIL(&w, files(&w) == 0);
        ck_assert_int_eq(state_of(&w.f, "a"), JOB_ASSIGNED);
        agent_down(&w);
        free(w.settings.server.url);
        w.settings.server.url = url;
LIFE_TEST_END

/* --- one job --------------------------------------------------------------------------------------- */

static void one_up(World *w, const char *job) {
        agent_down(w);
        w->only_job = job;
        free(w->settings.worker.id);
        w->settings.worker.id = one_job_worker("w1", job);
        w->settings.worker.max_jobs = 1;
        agent_up(w);
}

/* Until the agent ends: with which status, and the server has forgotten it. */
static int one_status(World *w) {
        _cleanup_(worker_row_freep) WorkerRow *row = NULL;
        int status;

        UNTIL(w, sd_event_get_state(w->f.event) == SD_EVENT_FINISHED);
        ck_assert_int_ge(sd_event_get_exit_code(w->f.event, &status), 0);
        ck_assert_int_eq(store_worker_get(w->f.store, w->settings.worker.id, &row), -ENOENT);
        return status;
}

LIFE_TEST(one_job_is_taken_out_of_turn_and_no_other)
        UNTIL(&w, w.agent->link == LINK_UP);
        agent_down(&w);
        submit_queued(&w, "a");
        submit_queued(&w, "b");
        one_up(&w, "b");
        UNTIL(&w, w.local_id);
        ck_assert_ptr_nonnull(startswith(w.local_id, "b:1:"));
        local_end(&w, "COMPLETED");
        ck_assert_int_eq(one_status(&w), 0);
        ck_assert_int_eq(state_of(&w.f, "b"), JOB_COMPLETED);
        ck_assert_int_eq(state_of(&w.f, "a"), JOB_QUEUED);
        ck_assert_uint_eq(files(&w), 0);
LIFE_TEST_END

LIFE_TEST(one_job_that_another_worker_holds_is_for_later)
        submit_queued(&w, "a");
        UNTIL(&w, w.local_id);
        /* The file is that of the other one, which lives. */
        agent_down(&w);
        free(w.directory);
        w.directory = strprintf("%s/one", w.dir);
        ck_assert_int_eq(mkdir_parents(w.directory, 0700), 0);
        one_up(&w, "a");
        ck_assert_int_eq(one_status(&w), EX_TEMPFAIL);
        ck_assert_uint_eq(w.submitted, 1);
        ck_assert_uint_eq(w.cancelled, 0);
        ck_assert_int_eq(state_of(&w.f, "a"), JOB_ASSIGNED);
LIFE_TEST_END

LIFE_TEST(one_job_that_is_not_there)
        one_up(&w, "none");
        ck_assert_int_eq(one_status(&w), EX_NOINPUT);
LIFE_TEST_END

LIFE_TEST(one_job_that_fails_says_so)
        UNTIL(&w, w.agent->link == LINK_UP);
        agent_down(&w);
        submit_queued(&w, "a");
        one_up(&w, "a");
        UNTIL(&w, w.local_id);
        local_end(&w, "FAILED");
        ck_assert_int_eq(one_status(&w), ONE_JOB_FAILED);
        ck_assert_int_eq(state_of(&w.f, "a"), JOB_FAILED);
LIFE_TEST_END

LIFE_TEST(one_job_goes_on_after_a_kill)
        UNTIL(&w, w.agent->link == LINK_UP);
        agent_down(&w);
        submit_queued(&w, "a");
        one_up(&w, "a");
        UNTIL(&w, w.local_id && files(&w) == 1);
        one_up(&w, "a");
        UNTIL(&w, w.submitted == 2); /* under the same id */
        local_end(&w, "COMPLETED");
        ck_assert_int_eq(one_status(&w), 0);
        ck_assert_int_eq(state_of(&w.f, "a"), JOB_COMPLETED);
LIFE_TEST_END

/* The server gave it to somebody else meanwhile. */
LIFE_TEST(one_job_that_was_lost_is_cancelled_here)
        UNTIL(&w, w.agent->link == LINK_UP);
        agent_down(&w);
        submit_queued(&w, "a");
        one_up(&w, "a");
        UNTIL(&w, w.local_id);
        ck_assert_int_ge(call(&w.f, "UnregisterWorker", NULL, NULL, "s", w.settings.worker.id), 0);
        ck_assert_int_eq(one_status(&w), EX_TEMPFAIL);
        ck_assert_uint_eq(w.cancelled, 1);
        ck_assert_uint_eq(w.submitted, 1);
        ck_assert_uint_eq(files(&w), 0);
LIFE_TEST_END

LIFE_TEST(one_job_that_is_stopped_is_cancelled_here_and_reported)
        UNTIL(&w, w.agent->link == LINK_UP);
        agent_down(&w);
        submit_queued(&w, "a");
        one_up(&w, "a");
        UNTIL(&w, w.local_id);
        one_job_stop(w.agent);
        UNTIL(&w, w.cancelled == 1);
        local_end(&w, "CANCELLED");
        ck_assert_int_eq(one_status(&w), ONE_JOB_FAILED); /* no retries are left */
        ck_assert_int_eq(state_of(&w.f, "a"), JOB_FAILED);
        _cleanup_free_ char *result = result_of(&w.f, "a");
        ck_assert_ptr_nonnull(strstr(result, "cancelled_on_worker"));
LIFE_TEST_END

LIFE_TEST(one_job_that_has_ended_needs_no_worker)
        submit_queued(&w, "a");
        UNTIL(&w, w.local_id);
        local_end(&w, "COMPLETED");
        UNTIL(&w, state_of(&w.f, "a") == JOB_COMPLETED);
        one_up(&w, "a");
        ck_assert_int_eq(one_status(&w), 0);
        ck_assert_uint_eq(w.submitted, 1);
LIFE_TEST_END

TEST_MAIN("agent-life", a_job_is_taken_and_reported, a_failure_says_whether_it_may_be_tried_again,
                one_that_was_killed_goes_on, a_job_whose_file_is_gone_is_found_again,
                a_job_that_is_cancelled_there_is_cancelled_here, a_job_that_was_lost_is_let_go,
                what_is_refused_here_has_failed_there, a_manager_that_cannot_answer_is_asked_again,
                a_job_of_another_server_is_none_of_this_one, one_job_is_taken_out_of_turn_and_no_other,
                one_job_that_another_worker_holds_is_for_later, one_job_that_is_not_there,
                one_job_that_fails_says_so, one_job_goes_on_after_a_kill,
                one_job_that_was_lost_is_cancelled_here,
                one_job_that_is_stopped_is_cancelled_here_and_reported,
                one_job_that_has_ended_needs_no_worker)
