/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs that Slurm places: who gets them, what hyper-slurmd is given, and what follows from what it tells. */

#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "unit/lib/manager-test.h"

#define SLURM ",\"executor\":\"slurm\""

/* What hyper-slurmd would do. */
typedef struct Told {
        const char *id;
        unsigned number;
        const char *state, *reason;
        bool over;
        int status;
} Told;

static sd_bus_message *new_call(Fixture *f, const char *member) {
        sd_bus_message *m = NULL;

        ck_assert_int_ge(sd_bus_message_new_method_call(f->client, &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_SLURM_INTERFACE, member),
                        0);
        return m;
}

/* The unwanted numbers, each with a blank behind it; the caller frees. */
static char *tell(Fixture *f, const Told *t) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        sd_bus_message *m = new_call(f, "RecordJobs");
        char *text = strdup("");
        uint32_t number;

        ck_assert_int_ge(sd_bus_message_append(m, "a(sussbi)", 1, t->id, (uint32_t) t->number, t->state,
                                         t->reason, (int) t->over, (int32_t) t->status),
                        0);
        ck_assert_int_ge(call_message(f, m, &reply, NULL), 0);
        ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "u"), 0);
        while (sd_bus_message_read(reply, "u", &number) > 0) {
                char *longer = strprintf("%s%u ", text, number);

                free(text);
                text = longer;
        }
        settle_down(f);
        return text;
}

static void tell_wanted(Fixture *f, const Told *t) {
        _cleanup_free_ char *unwanted = tell(f, t);

        ck_assert_str_eq(unwanted, "");
}

static void tell_unwanted(Fixture *f, const Told *t) {
        _cleanup_free_ char *unwanted = tell(f, t), *expected = strprintf("%u ", t->number);

        ck_assert_str_eq(unwanted, expected);
}

/* The ids of NextJobs, each with a blank behind it. */
static void expect_next(Fixture *f, unsigned limit, const char *expected) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        sd_bus_message *m = new_call(f, "NextJobs");
        _cleanup_free_ char *text = strdup("");

        ck_assert_int_ge(sd_bus_message_append(m, "u", limit), 0);
        ck_assert_int_ge(call_message(f, m, &reply, NULL), 0);
        ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(suuuas)"), 0);
        while (sd_bus_message_enter_container(reply, 'r', "suuuas") > 0) {
                const char *id;
                char *longer;

                ck_assert_int_ge(sd_bus_message_read(reply, "s", &id), 0);
                ck_assert_int_ge(sd_bus_message_skip(reply, "uuuas"), 0);
                ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
                longer = strprintf("%s%s ", text, id);
                free(text);
                text = longer;
        }
        ck_assert_str_eq(text, expected);
}

/* "id number state wanted" of the only one; "" if there is none. */
static void expect_known(Fixture *f, const char *expected) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *text = strdup("");
        const char *id, *state, *reason;
        uint32_t number;
        int wanted;

        ck_assert_int_ge(call_message(f, new_call(f, "KnownJobs"), &reply, NULL), 0);
        ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(sussb)"), 0);
        while (sd_bus_message_read(reply, "(sussb)", &id, &number, &state, &reason, &wanted) > 0) {
                free(text);
                text = strprintf("%s %u %s %d", id, number, state, wanted);
        }
        ck_assert_str_eq(text, expected);
}

static void expect_waits_for(Fixture *f, const char *id, const char *expected) {
        _cleanup_(job_row_freep) JobRow *row = NULL;

        ck_assert_int_ge(store_job_get(f->store, id, &row), 0);
        ck_assert_str_eq(strempty(row->waits_for), expected);
}

static void use_slurm(Fixture *f) {
        ck_assert_int_ge(free_and_strdup(&f->manager->settings->slurm.url, "unix:/run/slurm.sock"), 0);
}

static bool worker_gets(Fixture *f, const char *job_id) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *text = job_id ? strprintf("{\"worker_id\":\"w1\",\"job_id\":\"%s\"}", job_id)
                                           : strdup("{\"worker_id\":\"w1\"}");
        const char *spec;
        int found;

        ck_assert_int_ge(call(f, "Dequeue", &reply, NULL, "s", text), 0);
        ck_assert_int_ge(sd_bus_message_read(reply, "bs", &found, &spec), 0);
        settle_down(f);
        return found;
}

static void register_worker(Fixture *f) {
        ck_assert_int_ge(call(f, "RegisterWorker", NULL, NULL, "s",
                                         "{\"worker_id\":\"w1\",\"capabilities\":[\"qemu_img\"],"
                                         "\"system_info\":{\"memory_mb\":16384}}"),
                        0);
}

BUS_TEST(only_who_asks_for_it_gets_it)
        use_slurm(&f);
        register_worker(&f);
        submit(&f, "a", SLURM);
        finish_lookups(&f);
        expect_state(&f, "a", JOB_QUEUED);
        ck_assert(!worker_gets(&f, NULL));
        ck_assert(worker_gets(&f, "a"));
        expect_state(&f, "a", JOB_ASSIGNED);
        expect_next(&f, 10, "");
BUS_TEST_END

BUS_TEST(without_slurm_it_is_refused)
        _cleanup_free_ char *spec = make_spec(&f, "a", SLURM);

        ck_assert_int_lt(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 0), 0);
        ck_assert(json_errors_has(&f.fields, "executor"));
BUS_TEST_END

BUS_TEST(slurm_says_why_it_waits)
        use_slurm(&f);
        submit(&f, "a", SLURM);
        submit(&f, "b", SLURM ",\"execution_policy\":{\"priority\":90}");
        expect_waits_for(&f, "a", "slurm:not-submitted");
        expect_next(&f, 10, "b a ");
        expect_next(&f, 1, "b ");
        tell_wanted(&f, &(Told){ "a", 7, "PENDING", "Licenses" });
        expect_waits_for(&f, "a", "slurm:Licenses");
        expect_known(&f, "a 7 PENDING 1");
        expect_next(&f, 10, "b ");
        f.manager->settings->slurm.max_jobs = 1;
        expect_next(&f, 10, "");
        tell_wanted(&f, &(Told){ "a", 7, "RUNNING", "" });
        expect_waits_for(&f, "a", "slurm:RUNNING");
        manager_down(&f);
        manager_up(&f);
        expect_known(&f, "a 7 RUNNING 1");
BUS_TEST_END

BUS_TEST(what_slurm_refuses_comes_last)
        use_slurm(&f);
        submit(&f, "a", SLURM);
        submit(&f, "b", SLURM);
        tell_wanted(&f, &(Told){ "a", 0, "REFUSED", "" });
        expect_waits_for(&f, "a", "slurm:REFUSED");
        expect_next(&f, 10, "b ");
        tell_wanted(&f, &(Told){ "b", 3, "PENDING", "" });
        expect_next(&f, 10, "a ");
BUS_TEST_END

BUS_TEST(what_is_cancelled_in_slurm_is_cancelled)
        use_slurm(&f);
        submit(&f, "a", SLURM);
        tell_wanted(&f, &(Told){ "a", 7, "PENDING", "Priority" });
        tell_wanted(&f, &(Told){ "a", 8, "CANCELLED", "", true }); /* of another job of Slurm */
        expect_state(&f, "a", JOB_QUEUED);
        tell_wanted(&f, &(Told){ "a", 7, "CANCELLED", "", true });
        expect_state(&f, "a", JOB_CANCELLED);
        expect_reason(&f, "a", "Slurm's job 7 was cancelled");
        expect_known(&f, "");
BUS_TEST_END

BUS_TEST(what_is_cancelled_is_unwanted_in_slurm)
        use_slurm(&f);
        submit(&f, "a", SLURM);
        tell_wanted(&f, &(Told){ "a", 7, "PENDING", "Priority" });
        ck_assert_int_ge(cancel(&f, "a"), 0);
        settle_down(&f);
        expect_known(&f, "a 7 PENDING 0");
        tell_unwanted(&f, &(Told){ "a", 7, "PENDING", "Priority" });
        tell_unwanted(&f, &(Told){ "a", 9, "RUNNING", "" });
        tell_unwanted(&f, &(Told){ "nobody", 10, "PENDING", "" });
        expect_known(&f, "");
        tell_wanted(&f, &(Told){ "a", 7, "CANCELLED", "", true });
        expect_state(&f, "a", JOB_CANCELLED);
BUS_TEST_END

BUS_TEST(a_second_job_of_slurm_is_unwanted)
        use_slurm(&f);
        submit(&f, "a", SLURM);
        tell_wanted(&f, &(Told){ "a", 7, "PENDING", "Priority" });
        tell_unwanted(&f, &(Told){ "a", 8, "PENDING", "Priority" });
        expect_known(&f, "a 7 PENDING 1");
BUS_TEST_END

BUS_TEST(what_slurm_ends_too_often_fails)
        _cleanup_free_ char *result = NULL;

        use_slurm(&f);
        submit(&f, "a", SLURM);
        for (unsigned i = 1; i <= 3; i++) {
                expect_state(&f, "a", JOB_QUEUED);
                expect_next(&f, 10, "a ");
                tell_wanted(&f, &(Told){ "a", i, "PENDING", "" });
                tell_wanted(&f, &(Told){ "a", i, "FAILED", "NonZeroExitCode", true, 127 });
        }
        expect_state(&f, "a", JOB_FAILED);
        result = result_of(&f, "a");
        ck_assert_msg(strstr(result, "slurm_failed") && strstr(result, "exit status 127"), "%s", result);
        expect_next(&f, 10, "");
BUS_TEST_END

/* The lease of another agent lives, or a limit is not free. */
BUS_TEST(a_job_that_cannot_be_taken_now_waits)
        use_slurm(&f);
        submit(&f, "a", SLURM);
        for (unsigned i = 1; i <= 5; i++) {
                tell_wanted(&f, &(Told){ "a", i, "PENDING", "" });
                tell_wanted(&f, &(Told){ "a", i, "FAILED", "NonZeroExitCode", true, 75 });
        }
        expect_state(&f, "a", JOB_QUEUED);
        expect_next(&f, 10, "a ");
BUS_TEST_END

BUS_TEST(what_an_agent_holds_is_not_slurms)
        use_slurm(&f);
        register_worker(&f);
        submit(&f, "a", SLURM);
        tell_wanted(&f, &(Told){ "a", 7, "RUNNING", "" });
        ck_assert(worker_gets(&f, "a"));
        tell_wanted(&f, &(Told){ "a", 7, "NODE_FAIL", "", true });
        expect_state(&f, "a", JOB_ASSIGNED);
        expect_next(&f, 10, "");
        expect_known(&f, "");
BUS_TEST_END

/* clang-format off */
TEST_MAIN("manager-slurm", only_who_asks_for_it_gets_it, without_slurm_it_is_refused,
          slurm_says_why_it_waits, what_slurm_refuses_comes_last, what_is_cancelled_in_slurm_is_cancelled,
          what_is_cancelled_is_unwanted_in_slurm, a_second_job_of_slurm_is_unwanted,
          what_slurm_ends_too_often_fails, a_job_that_cannot_be_taken_now_waits,
          what_an_agent_holds_is_not_slurms)
