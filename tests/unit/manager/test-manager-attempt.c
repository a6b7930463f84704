/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>

#include "manager/attempt.h"
#include "spec/job-result.h"
#include "unit/lib/test.h"

/* An attempt of an ordinary job whose unit is gone and left nothing; the cases change what differs. */
static const AttemptFacts plain = {
        .attempt = 1,
        .retry_count = 3,
        .idempotent = true,
        .was_running = true,
        .timeout_seconds = 60,
        .phase = PHASE_CONVERSION,
        .error_phase = _PHASE_INVALID,
};

/* Facts that differ in what @f sets (and in none of the above). */
static AttemptFacts with(AttemptFacts f) {
        f.attempt = plain.attempt;
        f.retry_count = plain.retry_count;
        f.idempotent = plain.idempotent;
        f.was_running = plain.was_running;
        f.timeout_seconds = plain.timeout_seconds;
        f.phase = plain.phase;
        f.error_phase = plain.error_phase;
        return f;
}
#define FACTS(...) with((AttemptFacts){ __VA_ARGS__ })

#define RESULT(o)                                                                                        \
        &(JobResult) {                                                                                   \
                .attempt = 1, .outcome = (o), .phase = PHASE_INSPECTION, .message = (char *) "it broke", \
                .code = (char *) "some_code"                                                             \
        }

static void expect(const AttemptFacts *facts, JobState state, const char *reason) {
        _cleanup_(verdict_done) Verdict v = {};

        ck_assert_int_eq(attempt_judge(facts, &v), 0);
        ck_assert_msg(v.state == state, "%s, not %s: %s", job_state_to_string(v.state),
                        job_state_to_string(state), v.reason);
        ck_assert_msg(strstr(v.reason, reason), "\"%s\" is not in \"%s\"", reason, v.reason);
        /* A result comes with an end, and only then. */
        ck_assert_int_eq(v.result != NULL, state != JOB_RETRYING);
        ck_assert_int_eq(v.pause > 0, state == JOB_RETRYING);
}

START_TEST(published_output_completes_the_job_whatever_else_is_known) {
        AttemptFacts f = FACTS(.published = true, .result = RESULT(OUTCOME_COMPLETED),
                        .unit_result = "success");

        expect(&f, JOB_COMPLETED, "Completed");
        f.result = NULL;
        expect(&f, JOB_COMPLETED, "Completed");
        f.unit_result = "signal";
        f.deadline_passed = true;
        expect(&f, JOB_COMPLETED, "Completed");
}
END_TEST

/* @part is in the result. */
static void expect_part(const AttemptFacts *facts, const char *part) {
        _cleanup_(verdict_done) Verdict v = {};

        ck_assert_int_eq(attempt_judge(facts, &v), 0);
        ck_assert_msg(strstr(v.result, part), "\"%s\" is not in \"%s\"", part, v.result);
}

START_TEST(a_domain_must_be_defined_and_started) {
        const KvmOutcome running = { .name = (char *) "web", .uuid = (char *) "u", .running = true },
                         refused = { .name = (char *) "web",
                                 .xml = (char *) "<domain/>",
                                 .error = (char *) "it is taken" },
                         stopped = {
                                 .name = (char *) "web", .uuid = (char *) "u", .error = (char *) "no network"
                         };
        JobResult result = { .attempt = 1,
                .outcome = OUTCOME_COMPLETED,
                .outputs = json_pack("[{s:s}]", "path", "/a.qcow2") };
        AttemptFacts f = FACTS(.published = true, .needs_domain = true, .result = &result,
                        .domain = &running, .unit_result = "success");

        expect(&f, JOB_COMPLETED, "Completed; the domain web is running");
        expect_part(&f, "\"domain\":{\"name\":\"web\",\"uuid\":\"u\",\"running\":true");
        /* The disks stay, whatever became of the domain, and nothing is tried again. */
        f.domain = &refused;
        expect(&f, JOB_FAILED, "the disks are complete, but the domain could not be defined: it is taken");
        expect_part(&f, "\"outputs\":[{\"path\":\"/a.qcow2\"}]");
        expect_part(&f, "\"code\":\"define_failed\"");
        expect_part(&f, "\"xml\":\"<domain/>\"");
        f.domain = &stopped;
        expect(&f, JOB_FAILED, "the domain web is defined, but could not be started: no network");
        expect_part(&f, "\"code\":\"start_failed\"");
        f.domain = NULL;
        expect(&f, JOB_FAILED, "libvirt did not answer");
        expect_part(&f, "\"retryable\":false");
        /* Before the disks have their names, a domain is no matter. */
        f.published = false;
        expect(&f, JOB_RETRYING, "the finished output could not be given its final name");
        json_decref(result.outputs);
}
END_TEST

START_TEST(a_domain_must_boot_if_a_proof_is_asked_for) {
        KvmOutcome domain = { .name = (char *) "web", .uuid = (char *) "u" };
        KvmBoot yes = { .boots = KVM_BOOTS_YES, .message = (char *) "a login prompt" },
                no = { .boots = KVM_BOOTS_NO, .message = (char *) "a panic" },
                unknown = { .boots = KVM_BOOTS_UNKNOWN, .message = (char *) "still" };
        JobResult result = { .attempt = 1, .outcome = OUTCOME_COMPLETED };
        AttemptFacts f = FACTS(.published = true, .needs_domain = true, .needs_boot = true,
                        .result = &result, .domain = &domain, .boot = &yes, .unit_result = "success");

        expect(&f, JOB_COMPLETED, "the domain web is defined, and boots: a login prompt");
        expect_part(&f, "\"boot\":{\"boots\":\"yes\"");
        f.boot = &no;
        expect(&f, JOB_FAILED, "the domain web is defined, but its guest does not boot: a panic");
        expect_part(&f, "\"code\":\"boot_failed\"");
        expect_part(&f, "\"boot\":{\"boots\":\"no\"");
        f.boot = &unknown;
        domain.running = true;
        expect(&f, JOB_COMPLETED, "the domain web is running, and whether it boots is not known: still");
        f.boot = NULL;
        expect(&f, JOB_COMPLETED, "the proof that it boots was stopped");
        /* Its start is what failed. */
        f.boot = &unknown;
        domain.error = (char *) "no network";
        expect(&f, JOB_FAILED, "the domain web is defined, but could not be started: no network");
}
END_TEST

START_TEST(what_trying_again_cannot_help_fails_at_once) {
        AttemptFacts f = FACTS(.result = RESULT(OUTCOME_FAILED), .unit_result = "exit-code",
                        .exit_code = CLD_EXITED, .exit_status = JOB_EXIT_FAILED);
        _cleanup_(verdict_done) Verdict v = {};

        expect(&f, JOB_FAILED, "Failed in phase inspection: it broke");
        ck_assert_int_eq(attempt_judge(&f, &v), 0);
        ck_assert_ptr_nonnull(strstr(v.result, "\"code\":\"some_code\""));
        ck_assert_ptr_nonnull(strstr(v.result, "\"phase\":\"inspection\""));
        ck_assert_ptr_nonnull(strstr(v.result, "\"outputs\":[]"));
}
END_TEST

START_TEST(what_may_pass_is_tried_again_as_the_policy_says) {
        AttemptFacts f = FACTS(.result = RESULT(OUTCOME_TRANSIENT), .unit_result = "exit-code");

        expect(&f, JOB_RETRYING,
                        "Attempt 1 failed in phase inspection: it broke; the next one begins in 1 s");
        f.attempt = 3;
        expect(&f, JOB_RETRYING,
                        "Attempt 3 failed in phase inspection: it broke; the next one begins in 4 s");
        f.attempt = 4;
        expect(&f, JOB_FAILED, "no retry is left after 4 attempts");
        f.attempt = 1;
        f.retry_count = 0;
        expect(&f, JOB_FAILED, "no retry is left after 1 attempt");
        f.retry_count = 3;
        f.idempotent = false;
        expect(&f, JOB_FAILED, "not tried again, since the job is not idempotent");
}
END_TEST

START_TEST(a_timeout_is_final_and_names_the_phase) {
        AttemptFacts f = FACTS(.unit_result = "timeout", .exit_code = CLD_EXITED,
                        .exit_status = JOB_EXIT_CANCELLED, .result = RESULT(OUTCOME_CANCELLED));

        expect(&f, JOB_FAILED, "timed out after 60 s in phase inspection");
        f.result = NULL;
        expect(&f, JOB_FAILED, "timed out after 60 s in phase conversion");
        /* The manager was away: the time says it. */
        f.unit_result = NULL;
        f.result = RESULT(OUTCOME_CANCELLED);
        f.deadline_passed = true;
        expect(&f, JOB_FAILED, "timed out after 60 s");
        /* A job that had failed by itself before is not one that timed out. */
        f.result = RESULT(OUTCOME_FAILED);
        expect(&f, JOB_FAILED, "it broke");
        /* Starting took too long: not the job's time. */
        f = FACTS(.unit_result = "timeout");
        f.was_running = false;
        expect(&f, JOB_RETRYING, "it did not start in time");
}
END_TEST

START_TEST(a_stop_from_outside_is_an_interruption) {
        AttemptFacts f = FACTS(.result = RESULT(OUTCOME_CANCELLED), .unit_result = "exit-code",
                        .exit_code = CLD_EXITED, .exit_status = JOB_EXIT_CANCELLED, .stopped = true);

        expect(&f, JOB_RETRYING, "interrupted: its unit was stopped from outside; it does not count");
}
END_TEST

/* By systemctl, by a shutdown, by the removal of the package: not the fault of the job. */
START_TEST(a_stop_from_outside_does_not_use_up_the_retries) {
        AttemptFacts f = FACTS(.result = RESULT(OUTCOME_CANCELLED), .unit_result = "success",
                        .stopped = true);
        _cleanup_(verdict_done) Verdict v = {};

        f.retry_count = 0;
        expect(&f, JOB_RETRYING, "it does not count, and the next one begins in");
        ck_assert_int_eq(attempt_judge(&f, &v), 0);
        ck_assert(v.stopped);
        /* Nor if it was killed, since it did not end in time. */
        f.result = NULL;
        f.unit_result = "timeout";
        f.was_running = false;
        expect(&f, JOB_RETRYING, "it does not count");
        f.was_running = true;
        /* A failure of its own does. */
        f.stopped = false;
        f.unit_result = "signal";
        f.exit_code = CLD_KILLED;
        f.exit_status = SIGKILL;
        expect(&f, JOB_FAILED, "no retry is left");
        /* So does one that only the job itself calls a stop. */
        f.result = RESULT(OUTCOME_CANCELLED);
        f.unit_result = "success";
        f.exit_code = CLD_EXITED;
        f.exit_status = JOB_EXIT_CANCELLED;
        expect(&f, JOB_FAILED, "it was sent a signal to end; no retry is left");
        f.stopped = true;
        f.idempotent = false;
        expect(&f, JOB_FAILED, "not idempotent");
}
END_TEST

/* What trying again does not help remains what it is. */
START_TEST(a_stop_from_outside_does_not_excuse_a_failure) {
        AttemptFacts f =
                        FACTS(.result = RESULT(OUTCOME_FAILED), .unit_result = "exit-code", .stopped = true);

        expect(&f, JOB_FAILED, "it broke");
}
END_TEST

START_TEST(crashes_are_told_by_their_names) {
        static const struct {
                const char *unit_result;
                int code, status;
                const char *reason;
        } cases[] = {
                { "signal", CLD_KILLED, SIGKILL, "killed by signal 9 (SIGKILL)" },
                { "core-dump", CLD_DUMPED, SIGSEGV, "killed by signal 11 (SIGSEGV)" },
                { "oom-kill", CLD_KILLED, SIGKILL, "more memory than the job may have" },
                { "exit-code", CLD_EXITED, 226, "226/NAMESPACE" },
                { "exit-code", CLD_EXITED, 203, "203/EXEC" },
                { "exit-code", CLD_EXITED, 5, "exited with status 5" },
                { "resources", 0, 0, "systemd says \"resources\"" },
                { "success", CLD_EXITED, 0, "interrupted: its unit is gone and left no result" },
                { NULL, 0, 0, "interrupted: its unit is gone and left no result" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                AttemptFacts f = FACTS(.unit_result = cases[i].unit_result, .exit_code = cases[i].code,
                                .exit_status = cases[i].status);

                expect(&f, JOB_RETRYING, cases[i].reason);
        }
}
END_TEST

START_TEST(what_kept_it_from_starting) {
        AttemptFacts prepare = FACTS(.unit_result = "exit-code"),
                     start = FACTS(.start_error = "Unit name is not valid."),
                     hostile = FACTS(.result_unreadable = true, .unit_result = "success");

        prepare.was_running = start.was_running = false;
        expect(&prepare, JOB_RETRYING, "could not be prepared");
        expect(&start, JOB_RETRYING, "systemd could not start the unit: Unit name is not valid.");
        expect(&hostile, JOB_RETRYING, "the result that the job left cannot be read");
}
END_TEST

START_TEST(the_last_error_event_stands_in_for_a_missing_result) {
        AttemptFacts f = FACTS(.unit_result = "signal", .exit_code = CLD_KILLED, .exit_status = SIGABRT,
                        .error_message = "Reading /srv/a failed");

        f.error_phase = PHASE_VERIFICATION;

        expect(&f, JOB_RETRYING, "in phase verification: Reading /srv/a failed");
}
END_TEST

START_TEST(complete_but_without_its_name) {
        AttemptFacts f = FACTS(.result = RESULT(OUTCOME_COMPLETED), .unit_result = "exit-code");

        expect(&f, JOB_RETRYING,
                        "in phase finalization: the finished output could not be given its final name");
        f.destination_exists = true;
        expect(&f, JOB_FAILED, "not overwritten");
}
END_TEST

START_TEST(pauses_double_up_to_a_minute) {
        static const unsigned seconds[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };

        for (unsigned i = 0; i < ELEMENTSOF(seconds); i++)
                ck_assert_uint_eq(attempt_pause(i + 1), seconds[i] * USEC_PER_SEC);
        ck_assert_uint_eq(attempt_pause(4000000000u), 60 * USEC_PER_SEC);
        ck_assert_uint_eq(attempt_pause(0), USEC_PER_SEC);
}
END_TEST

TEST_MAIN("manager-attempt", published_output_completes_the_job_whatever_else_is_known,
                a_domain_must_be_defined_and_started, a_domain_must_boot_if_a_proof_is_asked_for,
                what_trying_again_cannot_help_fails_at_once, what_may_pass_is_tried_again_as_the_policy_says,
                a_timeout_is_final_and_names_the_phase, a_stop_from_outside_is_an_interruption,
                a_stop_from_outside_does_not_use_up_the_retries,
                a_stop_from_outside_does_not_excuse_a_failure, crashes_are_told_by_their_names,
                what_kept_it_from_starting, the_last_error_event_stands_in_for_a_missing_result,
                complete_but_without_its_name, pauses_double_up_to_a_minute)
