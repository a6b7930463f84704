/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The parts of hyper-agentd that are pure: its configuration, what it makes of the server's jobs, what it
 * tells. */

#include "agent/agent-settings.h"
#include "agent/agent.h"
#include "agent/answer.h"
#include "agent/held.h"
#include "agent/report.h"
#include "agent/server.h"
#include "basic/fd-util.h"
#include "dialect/worker-message.h"
#include "shared/machine.h"
#include "spec/capability.h"
#include "spec/job-spec.h"
#include "unit/lib/test.h"

#include <fcntl.h>

/* --- configuration --------------------------------------------------------------------------------- */

static char *put(const char *dir, const char *name, const char *content) {
        char *path = strprintf("%s/%s", dir, name);

        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path, content, strlen(content), 0600), 0);
        return path;
}

/* What is wrong with this file; "" if nothing is. */
static char *load_error(const char *dir, const char *yaml) {
        _cleanup_(agent_settings_freep) AgentSettings *s = NULL;
        _cleanup_free_ char *file = put(dir, "agent.yaml", yaml);
        char *error = NULL;

        return agent_settings_load(file, dir, &s, &error) < 0 ? error : strdup("");
}

START_TEST(a_configuration_that_makes_no_sense_says_what) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ _unused_ char *key = put(dir, "key", "hk_0123456789abcdef\n"),
                                     *_unused_ two = put(dir, "two", "hk_0123\nhk_4567\n");
        static const struct {
                const char *yaml, *error; /* %s: the directory */
        } cases[] = {
                { "server: {url: \"https://h:8000\"}", "" },
                { "server: {url: \"https://h:8000\", api_key_file: %s/key}", "" },
                { "server: {url: \"http://127.0.0.1:8000\", api_key_file: %s/key}", "" },
                { "server: {url: \"http://localhost:8000\", api_key_file: %s/key}", "" },
                { "server: {url: \"http://[::1]:8000\", api_key_file: %s/key}", "" },
                { "server: {url: \"http://10.0.0.1\", api_key_file: %s/key, allow_insecure: true}", "" },
                { "server: {url: \"http://10.0.0.1\"}", "" },
                { "server: {url: \"http://10.0.0.1\", api_key_file: %s/key}", "server.allow_insecure" },
                { "server: {url: \"http://127.0.0.1.evil.example\", api_key_file: %s/key}",
                                "server.allow_insecure" },
                { "server: {url: \"http://localhost.evil.example\", api_key_file: %s/key}",
                                "server.allow_insecure" },
                { "", "server.url: must be given" },
                { "server: {url: \"ftp://h\"}", ":1: server.url: must be a URL" },
                { "server: {url: \"https://u:p@h\"}", ":1: server.url: must be a URL" },
                { "server: {url: \"https://h/?q\"}", ":1: server.url: must be a URL" },
                { "server: {url: \"https://h\", api_key_file: %s/none}", "No such file" },
                { "server: {url: \"https://h\", api_key_file: %s/two}", "in one line" },
                { "server: {url: \"http://h\", certificate_file: /c}",
                                "server.certificate_file: needs an https" },
                { "server: {url: \"http://h\", ca_file: /c}", "server.ca_file: needs an https" },
                { "server: {url: \"https://h\", key_file: /c}",
                                "server.key_file: needs server.certificate_file" },
                { "server: {url: \"https://h\"}\nworker: {max_jobs: 0}",
                                ":2: worker.max_jobs: must be a whole" },
                { "server: {url: \"https://h\"}\nworker: {id: \"a b\"}", ":2: worker.id: must begin" },
                { "server: {url: \"https://h\", keys: 1}", "server.keys: there is no such setting" },
                { "webhooks: []", "webhooks: there is no such section" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                _cleanup_free_ char *yaml = strprintf(cases[i].yaml, dir);
#pragma GCC diagnostic pop
                _cleanup_free_ char *error = load_error(dir, yaml);

                ck_assert_msg(*cases[i].error ? strstr(error, cases[i].error) != NULL : !*error, "%s: %s",
                                yaml, error);
                ck_assert_ptr_null(strstr(error, "hk_"));
        }
}
END_TEST

START_TEST(the_key_comes_from_a_credential_too) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *file = put(dir, "agent.yaml", "server: {url: \"https://h:8000/base//\"}"),
                            *_unused_ key = put(dir, AGENT_CREDENTIAL_API_KEY, "hk_0123456789abcdef"),
                            *error = NULL;
        _cleanup_(agent_settings_freep) AgentSettings *s = NULL;

        ck_assert_int_eq(agent_settings_load(file, dir, &s, &error), 0);
        ck_assert_str_eq(s->api_key, "hk_0123456789abcdef");
        ck_assert_str_eq(s->server.url, "https://h:8000/base");
        ck_assert(job_id_is_valid(s->worker.id));
        ck_assert_uint_eq(s->worker.max_jobs, 2);
}
END_TEST

/* --- jobs of the server ---------------------------------------------------------------------------- */

static void decode_job(const char *text, JobAnswer *ret) {
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(answer_job(text, strlen(text), ret, &error) == 0, "%s", error);
}

#define JOB(id, attempt, created, spec)                                                          \
        "{\"job_id\":\"" id "\",\"state\":\"ASSIGNED\",\"worker_id\":\"w\",\"attempt\":" attempt \
        ",\"created_at\":\"" created "\",\"spec\":{" spec "},\"whatever\":1}"
#define IMAGE "\"image\":{\"path\":\"/srv/a.vmdk\"}"

START_TEST(the_id_here_is_that_of_the_attempt) {
        static const char *const jobs[] = { JOB("a", "1", "t", IMAGE), JOB("a", "2", "t", IMAGE),
                JOB("a", "1", "u", IMAGE), JOB("b", "1", "t", IMAGE),
                JOB("a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z-a-b-c-d-e-f-g-h-i-j-k", "1", "t",
                                IMAGE),
                JOB("a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z-a-b-c-d-e-f-g-h-i-j-l", "1", "t",
                                IMAGE) };
        char *ids[ELEMENTSOF(jobs)];

        for (size_t i = 0; i < ELEMENTSOF(jobs); i++) {
                _cleanup_(job_answer_done) JobAnswer job = {};
                _cleanup_free_ char *again = NULL;

                decode_job(jobs[i], &job);
                ids[i] = held_local_id("https://s", &job);
                again = held_local_id("https://s", &job);
                ck_assert(job_id_is_valid(ids[i]));
                ck_assert_str_eq(ids[i], again);
                free(again);
                again = held_local_id("https://other", &job);
                ck_assert_str_ne(ids[i], again);
                for (size_t k = 0; k < i; k++)
                        ck_assert_str_ne(ids[i], ids[k]);
        }
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                free(ids[i]);
}
END_TEST

START_TEST(a_job_is_what_the_server_would_have_made_of_it) {
        _cleanup_(job_answer_done) JobAnswer job = {};
        _cleanup_(held_file_done) HeldFile f = {};
        _cleanup_free_ char *error = NULL;
        json_t *destination, *policy;

        decode_job(JOB("a", "3", "t",
                                   IMAGE ",\"execution_policy\":{\"retry_count\":5,\"priority\":80},"
                                         "\"placement\":{\"all\":[\"san-b\"]},\"executor\":\"slurm\""),
                        &job);
        ck_assert_int_eq(held_file_from_answer("https://s", "w", &job, &f, &error), 0);
        destination = json_object_get(f.spec, "destination");
        policy = json_object_get(f.spec, "execution_policy");
        ck_assert_str_eq(json_string_value(json_object_get(destination, "path")), "/srv/a.qcow2");
        ck_assert_str_eq(json_string_value(json_object_get(f.spec, "job_id")), f.local_id);
        ck_assert_int_eq(json_integer_value(json_object_get(policy, "retry_count")), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(policy, "priority")), 80);
        ck_assert_uint_eq(f.attempt, 3);
        /* Our own manager has not to choose a machine any more. */
        ck_assert_ptr_null(json_object_get(f.spec, "placement"));
        ck_assert_ptr_null(json_object_get(f.spec, "executor"));
}
END_TEST

START_TEST(a_job_that_cannot_be_done_here_says_why) {
        static const struct {
                const char *job, *error;
        } cases[] = {
                { JOB("a", "1", "t", "\"image\":{\"path\":\"relative\"}"), "image.path: must be" },
                { JOB("a", "1", "t", "\"operation\":7"), "operation" },
                { JOB("a", "1", "t",
                                  "\"image\":{\"path\":\"nbds://h/"
                                  "x\",\"tls_psk\":\"***\"},\"parameters\":{\"output_path\":\"/a.raw\"}"),
                                "secrets" },
                { JOB("a", "1", "t",
                                  "\"image\":{\"path\":\"nbd://***@h/"
                                  "x\"},\"parameters\":{\"output_path\":\"/a.raw\"}"),
                                "secrets" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(job_answer_done) JobAnswer job = {};
                _cleanup_(held_file_done) HeldFile f = {};
                _cleanup_free_ char *error = NULL;

                decode_job(cases[i].job, &job);
                ck_assert_msg(held_file_from_answer("https://s", "w", &job, &f, &error) == -EBADMSG, "%s",
                                cases[i].job);
                ck_assert_msg(strstr(error, cases[i].error), "%s: %s", cases[i].job, error);
        }
}
END_TEST

START_TEST(a_file_is_read_as_it_was_written) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(job_answer_done) JobAnswer job = {};
        _cleanup_(held_file_done) HeldFile f = {}, g = {};
        _cleanup_free_ char *error = NULL, *escaped = NULL, *name = NULL;

        decode_job(JOB("a-b", "1", "t", IMAGE), &job);
        ck_assert_int_eq(held_file_from_answer("https://s", "w", &job, &f, &error), 0);
        escaped = job_escape_id(f.local_id);
        name = strprintf("%s.json", escaped);
        ck_assert_int_eq(held_file_read(dir, name, &g), -ENOENT);
        ck_assert_int_eq(held_file_write(dir, &f), 0);
        ck_assert_int_eq(held_file_read(dir, name, &g), 0);
        ck_assert(json_equal(f.spec, g.spec));
        ck_assert_ptr_null(g.cursor);
        ck_assert(!g.dropped);
        held_file_done(&g);
        f.cursor = strdup("s=1");
        f.sequence = 17;
        f.since = 1769853600000000;
        f.dropped = true;
        ck_assert_int_eq(held_file_write(dir, &f), 0);
        ck_assert_int_eq(held_file_read(dir, name, &g), 0);
        ck_assert_str_eq(g.local_id, f.local_id);
        ck_assert_str_eq(g.cursor, "s=1");
        ck_assert_uint_eq(g.sequence, 17);
        ck_assert_uint_eq(g.since, 1769853600000000);
        ck_assert(g.dropped);
        ck_assert_int_eq(held_file_remove(dir, &f), 0);
        ck_assert_int_eq(held_file_remove(dir, &f), 0);
        held_file_done(&g);
        ck_assert_int_eq(held_file_read(dir, name, &g), -ENOENT);
        ck_assert_int_eq(held_file_read(dir, "other", &g), -EBADMSG);
}
END_TEST

/* --- answers --------------------------------------------------------------------------------------- */

START_TEST(answers_that_make_no_sense_are_refused) {
        static const char *const bad[] = { "", "{}", "[]", "1", "\"a\"", "{\"job_id\":1}",
                "{\"job_id\":\"a/b\"}", "{\"job_id\":\"\"}", "{\"jobs\":[\"a\"]}",
                "{\"jobs\":[\"a/b\"],\"cancel_jobs\":[]}", "{\"jobs\":{},\"cancel_jobs\":[]}", "{" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(heartbeat_answer_done) HeartbeatAnswer h = {};
                _cleanup_(job_answer_done) JobAnswer j = {};
                _cleanup_free_ char *id = NULL, *a = NULL, *b = NULL, *c = NULL;

                ck_assert_int_eq(answer_dequeued(bad[i], strlen(bad[i]), &id, &a), -EBADMSG);
                ck_assert_int_eq(answer_heartbeat(bad[i], strlen(bad[i]), &h, &b), -EBADMSG);
                ck_assert_int_eq(answer_job(bad[i], strlen(bad[i]), &j, &c), -EBADMSG);
                ck_assert(a && b && c);
        }
        char *id = NULL, *error;
        ck_assert_int_eq(answer_dequeued("null", 4, &id, &error), 0);
        ck_assert_ptr_null(id);
        _cleanup_free_ char *message = answer_message("{\"error\":{\"message\":\"no\\nway\"}}", 30);
        ck_assert_ptr_null(message); /* cut off */
        message = answer_message("{\"error\":{\"message\":\"no\\nway\"}}", 31);
        ck_assert_str_eq(message, "no way");
}
END_TEST

START_TEST(only_the_servers_own_error_for_the_job_counts) {
        static const struct {
                const char *body;
                bool counts;
        } cases[] = {
                { "{\"error\":{\"code\":404,\"message\":\"x\",\"path\":\"/jobs/a/events\"}}", true },
                { "{\"error\":{\"code\":404,\"message\":\"x\",\"path\":\"/jobs/a\"}}", true },
                { "{\"error\":{\"code\":404,\"message\":\"x\",\"path\":\"/jobs/ab\"}}", false },
                { "{\"error\":{\"code\":404,\"message\":\"x\",\"path\":\"/\"}}", false },
                { "{\"error\":{\"code\":409,\"message\":\"x\",\"path\":\"/jobs/a\"}}", false },
                { "{\"error\":{\"code\":\"404\",\"path\":\"/jobs/a\"}}", false },
                { "{\"error\":{\"code\":404,\"message\":\"x\"}}", false },
                { "{\"error\":\"not found\"}", false },
                { "<html>404 Not Found</html>", false },
                { "", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                HttpResult result = { .status = 404,
                        .error = "",
                        .response = cases[i].body,
                        .response_size = strlen(cases[i].body) };

                ck_assert_msg(answer_is_error_for(cases[i].body, strlen(cases[i].body), 404, "/jobs/a") ==
                                                cases[i].counts,
                                "%s", cases[i].body);
                ck_assert_int_eq(verdict_of(&result, "a"),
                                cases[i].counts ? VERDICT_NOT_OURS : VERDICT_UNAVAILABLE);
        }
}
END_TEST

/* --- reports --------------------------------------------------------------------------------------- */

/* What the server's decoder makes of it is what was meant. */
START_TEST(events_are_told_as_the_server_reads_them) {
        JobEvent e = JOB_EVENT_INIT(EVENT_NOTE);
        _cleanup_(worker_events_done) WorkerEvents read = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *told = NULL, *details = NULL;
        _cleanup_free_ char *text = NULL, *large = calloc(1, 40000);

        e.phase = PHASE_CONVERSION;
        e.percent = 12.5;
        e.message = (char *) "going on";
        e.bytes_done = 5;
        e.bytes_total = 40;
        told = event_json("w", &e, 7);
        text = json_dumps(told, 0);
        ck_assert_int_eq(worker_events_parse(text, &read, &errors), 0);
        ck_assert_str_eq(read.events[0].phase, "conversion");
        ck_assert_str_eq(read.events[0].message, "going on");
        ck_assert(read.events[0].percent > 12.4 && read.events[0].percent < 12.6);
        ck_assert_int_eq(json_integer_value(json_object_get(read.events[0].details, "sequence")), 7);
        ck_assert_uint_eq(read.events[0].sequence, 7);
        ck_assert_int_eq(json_integer_value(json_object_get(read.events[0].details, "bytes_processed")), 5);
        ck_assert_str_eq(json_string_value(json_object_get(read.events[0].details, "event")), "note");

        /* More than a report holds goes without its own details, not without the event. */
        memset(large, 'x', 39999);
        details = json_pack("{s:s}", "long", large);
        e.details = details;
        json_decref(told);
        told = event_json("w", &e, 8);
        free(text);
        text = json_dumps(told, 0);
        worker_events_done(&read);
        ck_assert_int_eq(worker_events_parse(text, &read, &errors), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(read.events[0].details, "sequence")), 8);
        ck_assert_ptr_null(json_object_get(read.events[0].details, "long"));
        e.kind = EVENT_STATE;
        ck_assert(!event_is_told(&e));
}
END_TEST

START_TEST(results_are_told_as_the_server_reads_them) {
        static const struct {
                const char *details;
                bool ended, completed, retry_useless;
                const char *code, *message;
        } cases[] = {
                { "{\"state\":\"RUNNING\"}" },
                { "{\"state\":\"COMPLETED\",\"result\":{\"outputs\":[{\"path\":\"/"
                  "a\"}],\"metrics\":{\"n\":1}}}",
                                true, true },
                { "{\"state\":\"FAILED\",\"reason\":\"Failed\",\"result\":{\"outputs\":[],\"error\":{"
                  "\"phase\":\"conversion\","
                  "\"code\":\"no_space\",\"message\":\"full\",\"retryable\":true}}}",
                                true, false, false, "no_space", "full" },
                { "{\"state\":\"FAILED\",\"result\":{\"error\":{\"code\":\"checksum_mismatch\",\"message\":"
                  "\"differs\","
                  "\"retryable\":false}}}",
                                true, false, true, "checksum_mismatch", "differs" },
                { "{\"state\":\"FAILED\",\"reason\":\"gone\",\"result\":null}", true, false, false, NULL,
                                "gone" },
                { "{\"state\":\"CANCELLED\"}", true, false, false, "cancelled_on_worker",
                                "the job was cancelled on the machine that carried it out" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(worker_result_done) WorkerResult read = {};
                _cleanup_(json_errors_done) JsonErrors errors = {};
                _cleanup_json_ json_t *told = NULL;
                _cleanup_free_ char *text = NULL;

                ck_assert_int_eq(result_from_details("w", cases[i].details, &told), 0);
                ck_assert((told != NULL) == cases[i].ended);
                if (!told)
                        continue;
                text = json_dumps(told, 0);
                ck_assert_int_eq(worker_result_parse(text, &read, &errors), 0);
                ck_assert_int_eq(read.completed, cases[i].completed);
                ck_assert_int_eq(read.retry_useless, cases[i].retry_useless);
                if (!cases[i].completed) {
                        json_t *error = json_object_get(read.document, "error");

                        ck_assert_str_eq(read.message, cases[i].message);
                        ck_assert(streq_ptr(
                                        json_string_value(json_object_get(error, "code")), cases[i].code));
                }
        }
        json_t *never;
        ck_assert_int_eq(result_from_details("w", "{\"state\":\"ODD\"}", &never), -EBADMSG);
}
END_TEST

START_TEST(a_registration_is_taken) {
        char *labels[] = { (char *) "vlan10", (char *) "san-b", NULL };
        AgentSettings s = {
                .worker = { .id = (char *) "w", .max_jobs = 3, .labels = labels, .directory = (char *) "/" }
        };
        _cleanup_(worker_hello_done) WorkerHello h = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *hello = hello_json(&s), *question = question_json(&s, 30);
        _cleanup_free_ char *text = json_dumps(hello, 0), *asked = json_dumps(question, 0);

        ck_assert_int_eq(worker_hello_parse(text, true, &h, &errors), 0);
        ck_assert_str_eq(h.worker_id, "w");
        ck_assert_uint_gt(h.memory_gb, 0);
        ck_assert_uint_eq(strv_length(h.labels), 2);
        ck_assert_str_eq(h.labels[0], "san-b");
        /* Those on guests are in it if hyper-guest is installed. */
        ck_assert_uint_eq(h.operation_mask, machine_operations());
        ck_assert(h.operation_mask & operation_bit(OPERATION_CONVERT));
        worker_hello_done(&h);
        ck_assert_int_eq(worker_hello_parse(asked, false, &h, &errors), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(question, "wait")), 30);
}
END_TEST

TEST_MAIN("agent", a_configuration_that_makes_no_sense_says_what, the_key_comes_from_a_credential_too,
                the_id_here_is_that_of_the_attempt, a_job_is_what_the_server_would_have_made_of_it,
                a_job_that_cannot_be_done_here_says_why, a_file_is_read_as_it_was_written,
                answers_that_make_no_sense_are_refused, only_the_servers_own_error_for_the_job_counts,
                events_are_told_as_the_server_reads_them, results_are_told_as_the_server_reads_them,
                a_registration_is_taken)
