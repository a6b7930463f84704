/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers of slurmrestd, in the forms of its versions, and hostile ones. */

#include "basic/string-util.h"
#include "slurm/slurm-answer.h"
#include "unit/lib/test.h"

typedef struct Seen {
        SlurmJob jobs[4];
        char ids[4][32];
        size_t n;
} Seen;

static int see(const SlurmJob *job, void *userdata) {
        Seen *seen = userdata;

        ck_assert_uint_lt(seen->n, ELEMENTSOF(seen->jobs));
        (void) snprintf(seen->ids[seen->n], sizeof(seen->ids[0]), "%s", job->id);
        seen->jobs[seen->n++] = *job;
        return 0;
}

static void read_jobs(const char *text, Seen *seen) {
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(slurm_answer_jobs(text, strlen(text), "hyper:ab:", see, seen, &error) == 0, "%s",
                        strna(error));
}

static void expect(const Seen *seen, size_t i, const char *id, uint32_t number, const char *state, bool over,
                const char *reason, int exit_status) {
        const SlurmJob *j = &seen->jobs[i];

        ck_assert_uint_gt(seen->n, i);
        ck_assert_str_eq(seen->ids[i], id);
        ck_assert_uint_eq(j->number, number);
        ck_assert_str_eq(j->state, state);
        ck_assert_str_eq(j->reason, reason);
        ck_assert_int_eq(j->over, over);
        ck_assert_int_eq(j->exit_status, exit_status);
}

START_TEST(only_our_jobs_are_taken) {
        Seen seen = {};

        read_jobs("{\"meta\":{\"x\":[1,\"]}\\\"\"]},\"errors\":[],\"jobs\":["
                  "{\"job_id\":1,\"comment\":\"of somebody\",\"job_state\":17},"
                  "{\"job_id\":2,\"comment\":null,\"name\":\"hyper:ab:vm\"},"
                  "{\"job_id\":3,\"comment\":\"hyper:ab:../x\",\"job_state\":\"RUNNING\"},"
                  "{\"job_id\":4,\"comment\":\"hyper:ab:vm-1\",\"job_state\":\"PENDING\","
                  "\"state_reason\":\"Licenses\",\"exit_code\":0},"
                  "{\"job_id\":5,\"comment\":\"hyper:ab:vm-2\",\"job_state\":\"NODE_FAIL\","
                  "\"state_reason\":\"None\",\"exit_code\":9}]}\n",
                        &seen);
        ck_assert_uint_eq(seen.n, 2);
        expect(&seen, 0, "vm-1", 4, "PENDING", false, "Licenses", 0);
        expect(&seen, 1, "vm-2", 5, "NODE_FAIL", true, "", -9);
}
END_TEST

START_TEST(exit_status_is_that_of_wait) {
        Seen seen = {};

        read_jobs("{\"jobs\":[{\"job_id\":1,\"comment\":\"hyper:ab:a\",\"job_state\":\"FAILED\","
                  "\"exit_code\":768},{\"job_id\":2,\"comment\":\"hyper:ab:b\",\"job_state\":\"FAILED\","
                  "\"exit_code\":36608},{\"job_id\":3,\"comment\":\"hyper:ab:c\",\"job_state\":\"RUNNING\","
                  "\"exit_code\":768}]}",
                        &seen);
        expect(&seen, 0, "a", 1, "FAILED", true, "", 3);
        expect(&seen, 1, "b", 2, "FAILED", true, "", 143);
        expect(&seen, 2, "c", 3, "RUNNING", false, "", 0);
}
END_TEST

START_TEST(later_versions_have_lists_and_objects) {
        Seen seen = {};

        read_jobs("{\"jobs\":[{\"job_id\":1,\"comment\":\"hyper:ab:a\",\"job_state\":[\"COMPLETED\","
                  "\"COMPLETING\"]},{\"job_id\":2,\"comment\":\"hyper:ab:b\",\"job_state\":[\"FAILED\"],"
                  "\"exit_code\":{\"status\":[\"ERROR\"],\"return_code\":{\"set\":true,\"infinite\":false,"
                  "\"number\":75}}},{\"job_id\":3,\"comment\":\"hyper:ab:c\",\"job_state\":[\"PENDING\","
                  "\"REQUEUED\"],\"state_reason\":\"BeginTime\"}],\"errors\":[],\"warnings\":[]}",
                        &seen);
        expect(&seen, 0, "a", 1, "COMPLETED", false, "", 0);
        expect(&seen, 1, "b", 2, "FAILED", true, "", 75);
        expect(&seen, 2, "c", 3, "PENDING", false, "BeginTime", 0);
}
END_TEST

START_TEST(no_jobs_are_a_list_too) {
        Seen seen = {};

        read_jobs("{\"jobs\": [ ] , \"errors\": null}", &seen);
        ck_assert_uint_eq(seen.n, 0);
}
END_TEST

#define OURS(members) "{\"jobs\":[{\"comment\":\"hyper:ab:a\"," members "}]}"

START_TEST(hostile_lists_are_refused) {
        static const struct {
                const char *text, *words;
        } rows[] = {
                { "", "no JSON" },
                { "[]", "no JSON" },
                { "{}", "no JSON" },
                { "{\"errors\":[]}", "no list" },
                { "{\"jobs\":{}}", "no list" },
                { "{\"jobs\":[1]}", "no JSON" },
                { "{\"jobs\":[],\"jobs\":[]}", "twice" },
                { "{\"jobs\":[]} {}", "no JSON" },
                { "{\"jobs\":[],\"errors\":[{\"error\":\"down\\n\"}]}", "down " },
                { "{\"jobs\":[],\"errors\":[17]}", "does not say" },
                { "{\"jobs\":[{\"comment\":\"hyper:ab:a\"", "no JSON" },
                { "{\"jobs\":[{\"comment\":\"hyper:ab:a\\", "no JSON" },
                { OURS("\"job_state\":\"RUNNING\""), "no number" },
                { OURS("\"job_id\":0,\"job_state\":\"RUNNING\""), "no number" },
                { OURS("\"job_id\":4294967296,\"job_state\":\"RUNNING\""), "no number" },
                { OURS("\"job_id\":1"), "no state" },
                { OURS("\"job_id\":1,\"job_state\":[]"), "no state" },
                { OURS("\"job_id\":1,\"job_state\":\"\\u001b[31m\""), "no state" },
                { OURS("\"job_id\":1,\"job_id\":1,\"job_state\":\"RUNNING\""), "no JSON" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *error = NULL;
                Seen seen = {};
                int r = slurm_answer_jobs(
                                rows[i].text, strlen(rows[i].text), "hyper:ab:", see, &seen, &error);

                ck_assert_msg(r == -EBADMSG, "taken: %s", rows[i].text);
                ck_assert_msg(strstr(error, rows[i].words), "%s: %s", rows[i].text, error);
                ck_assert_uint_eq(seen.n, 0);
        }
}
END_TEST

START_TEST(deep_and_long_lists_are_refused) {
        char deep[512];
        _cleanup_free_ char *error = NULL, *again = NULL, *text = NULL;
        const size_t n = 2 * 1024 * 1024;
        Seen seen = {};

        memset(deep, '[', sizeof(deep));
        ck_assert_int_eq(slurm_answer_jobs(deep, sizeof(deep), "hyper:ab:", see, &seen, &error), -EBADMSG);
        text = strprintf("{\"jobs\":[{\"comment\":\"hyper:ab:a\",\"x\":\"%*s\"}]}", (int) n, "");
        ck_assert_ptr_nonnull(text);
        ck_assert_int_eq(slurm_answer_jobs(text, strlen(text), "hyper:ab:", see, &seen, &again), -EBADMSG);
        ck_assert_msg(strstr(again, "longer than"), "%s", again);
}
END_TEST

static int stop(const SlurmJob *job, void *userdata) {
        return -ENOBUFS;
}

START_TEST(a_caller_can_end_the_list) {
        static const char text[] = OURS("\"job_id\":1,\"job_state\":\"RUNNING\"");
        _cleanup_free_ char *error = NULL;

        ck_assert_int_eq(slurm_answer_jobs(text, strlen(text), "hyper:ab:", stop, NULL, &error), -ENOBUFS);
}
END_TEST

#define REFUSAL \
        "{\"errors\":[{\"error\":\"Invalid license specification\",\"error_code\":2048,\"description\":\"\"}]"

START_TEST(a_submission_has_a_number) {
        static const char good[] = "{\"errors\":[],\"job_id\":12,\"step_id\":\"BATCH\"}",
                          none[] = "{\"errors\":[]}", bad[] = REFUSAL "}",
                          both[] = REFUSAL ",\"job_id\":13}";
        _cleanup_free_ char *error = NULL, *why = NULL, *said = NULL;
        uint32_t number = 0;

        ck_assert_int_eq(slurm_answer_submitted(good, strlen(good), &number, &error), 0);
        ck_assert_uint_eq(number, 12);
        /* Slurm has taken it all the same, see slurm_answer_submitted(). */
        ck_assert_int_eq(slurm_answer_submitted(both, strlen(both), &number, &error), 0);
        ck_assert_uint_eq(number, 13);
        ck_assert_int_eq(slurm_answer_submitted(bad, strlen(bad), &number, &error), -EBADMSG);
        ck_assert_str_eq(error, "Invalid license specification");
        ck_assert_int_eq(slurm_answer_submitted(none, strlen(none), &number, &why), -EBADMSG);
        ck_assert_str_eq(why, "the answer has no number of a job");
        said = slurm_answer_why(bad, strlen(bad));
        ck_assert_str_eq(said, "Invalid license specification");
        ck_assert_ptr_null(slurm_answer_why(good, strlen(good)));
}
END_TEST

/* clang-format off */
TEST_MAIN("slurm-answer", only_our_jobs_are_taken, exit_status_is_that_of_wait,
          later_versions_have_lists_and_objects, no_jobs_are_a_list_too, hostile_lists_are_refused,
          deep_and_long_lists_are_refused, a_caller_can_end_the_list, a_submission_has_a_number)
