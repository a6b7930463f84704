/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Warm jobs whose server fails, and which are stopped and killed.
 *
 * weight: 0.3 */

#include "unit/lib/job-warm.h"

/* --- the server fails ------------------------------------------------------------------------------- */

/* The session ends in the middle of a pass, within a minute after the login. All requests for the first disk
 * but its first ones are for more than 30000 bytes. */
START_TEST(session_ends_in_a_pass) {
        BEGIN(.pass = 1);

        vcsim_fault(&server,
                        "{\"on\": \"folder\", \"path\": \"/web-flat.vmdk\", \"kind\": \"session\","
                        " \"at\": 30000, \"skip\": 2, \"count\": 1}");
        job_result_free(attempt_ends(&p, OUTCOME_TRANSIENT, "connection_failed"));
        guest_works(&server, 6);
        p.attempt = 2;
        p.pass = 0;
        (void) next_pass(&p);
        guest_works(&server, 7);
        guest_writes(&server, 0, 16 * MIB, 8 * MIB, 3);
        vcsim_fault(&server,
                        "{\"on\": \"folder\", \"path\": \"/web-flat.vmdk\", \"kind\": \"session\","
                        " \"at\": 30000, \"skip\": 2, \"count\": 1}");
        p.pass = 2;
        job_result_free(attempt_ends(&p, OUTCOME_TRANSIENT, "connection_failed"));
        vcsim_no_faults(&server);
        p.pass = 1;
        (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

/* The task of a snapshot fails: of the first pass, of a further one, and of the last one. */
START_TEST(snapshot_fails) {
        BEGIN();
        _cleanup_free_ char *fault = strprintf(
                        "{\"on\": \"sdk\", \"method\": \"CreateSnapshot_Task\", \"kind\": \"task\","
                        " \"fault\": \"TaskInProgress\", \"message\": \"it is being cloned\", \"skip\": %d,"
                        " \"count\": 1}",
                        _i == 2 ? 1 : 0);

        if (_i > 0)
                (void) next_pass(&p);
        guest_works(&server, 7);
        vcsim_fault(&server, fault);
        p.pass++;
        p.cutover = _i == 2;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, OUTCOME_TRANSIENT, "vsphere_busy");
        ck_assert_ptr_nonnull(strstr(r->message, "it is being cloned"));
        ck_assert(!file_exists(PATH(job_directory(&p), VSPHERE_SNAPSHOT_MARK)));
        assert_power(&server, _i == 2 ? "poweredOff" : "poweredOn");
        vcsim_no_faults(&server);
        p.attempt = 2;
        p.pass--;
        if (_i < 2)
                (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

/* The snapshot stays: the pass fails, and names it. */
START_TEST(snapshot_that_cannot_be_removed) {
        BEGIN(.pass = 1);

        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"RemoveSnapshot_Task\", \"kind\": \"soap\","
                        " \"fault\": \"NoPermission\"}");
        ck_assert_int_eq(attempt_warm(&p), JOB_EXIT_FAILED);
        _cleanup_(job_result_freep) JobResult *r = read_result(job_directory(&p));
        ck_assert_str_eq(r->code, "vsphere_permission");
        ck_assert_ptr_nonnull(strstr(r->message, "\"hyper test\""));
        vcsim_no_faults(&server);
        p.attempt = 2;
        job_result_free(attempt_ends(&p, OUTCOME_PASS, NULL));
        (void) cut_over(&p);
}
END_TEST

/* What the server refuses between two passes is reported with a remedy, and the job continues when that is
 * fixed. */
START_TEST(refused_between_passes) {
        static const struct {
                const char *method, *kind, *fault;
                JobOutcome outcome;
                const char *code, *text;
        } cases[] = {
                { "Login", "soap", "InvalidLogin", OUTCOME_FAILED, "vsphere_login", "source.password" },
                { "CreateSnapshot_Task", "task", "NoDiskSpace", OUTCOME_TRANSIENT, "vsphere_failed",
                                "the datastore" },
                { "CreateSnapshot_Task", "soap", "NoPermission", OUTCOME_FAILED, "vsphere_permission",
                                "CreateSnapshot" },
                { "CreateSnapshot_Task", "task", "HostNotConnected", OUTCOME_TRANSIENT, "connection_failed",
                                "is not connected" },
                { "QueryChangedDiskAreas", "soap", "NoPermission", OUTCOME_FAILED, "vsphere_permission",
                                "changed areas" },
        };
        BEGIN();

        (void) next_pass(&p);
        guest_works(&server, 7);
        p.pass = 2;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *fault = strprintf("{\"on\": \"sdk\", \"method\": \"%s\", \"kind\":"
                                                       " \"%s\", \"fault\": \"%s\"}",
                                cases[i].method, cases[i].kind, cases[i].fault);
                unsigned logins = vcsim_calls(&server, "Login");

                vcsim_fault(&server, fault);
                _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, cases[i].outcome, cases[i].code);
                ck_assert_msg(strstr(r->message, cases[i].text) != NULL, "%s", r->message);
                ck_assert(!file_exists(PATH(job_directory(&p), VSPHERE_SNAPSHOT_MARK)));
                /* Accounts are locked after some. */
                ck_assert_uint_le(vcsim_calls(&server, "Login"), logins + 1);
                assert_power(&server, "poweredOn");
                vcsim_no_faults(&server);
                p.attempt++;
        }
        vcsim_control(&server, "/certificate?kind=unknown-ca");
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, OUTCOME_FAILED, "certificate");
        ck_assert_msg(strstr(r->message, "source.thumbprint") != NULL, "%s", r->message);
        vcsim_control(&server, "/certificate?kind=good");
        p.attempt++;
        p.pass = 1;
        (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

/* --- stopped and killed ----------------------------------------------------------------------------- */

/* What was written between both snapshots of the first pass is copied by the next one. */
START_TEST(interrupted_in_the_first_pass) {
        static const int signals[] = { SIGTERM, SIGKILL };
        BEGIN(.pass = 1);

        slow_down(&server);
        end_attempt(&p, signals[_i], "Converting 2 disks");
        guest_works(&server, 6);
        p.pass = 0;
        p.attempt = 2;
        (void) next_pass(&p);
        guest_works(&server, 7);
        (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

/* It goes on where it was, with another snapshot. */
START_TEST(resumed_in_the_first_pass) {
        BEGIN(.pass = 1);

        vcsim_fault(&server, "{\"on\": \"folder\", \"kind\": \"http\", \"status\": 404, \"skip\": 14}");
        job_result_free(attempt_ends(&p, OUTCOME_FAILED, "unsupported"));
        vcsim_no_faults(&server);
        guest_works(&server, 6);
        p.attempt = 2;
        _cleanup_(job_result_freep) JobResult *again = attempt_ends(&p, OUTCOME_PASS, NULL);
        ck_assert_int_gt(json_integer_value(json_object_get(again->metrics, "bytes_resumed")), 0);
        ck_assert_uint_lt(again->warm.bytes, SIZE + SMALL);
        JobWarmResult second = next_pass(&p);
        ck_assert_uint_ge(second.bytes_areas, 10 * BLOCK + 2 * MIB);
        ck_assert_uint_eq(second.bytes_differences, 0);
        (void) cut_over(&p);
}
END_TEST

START_TEST(killed_in_the_second_pass) {
        BEGIN();

        (void) next_pass(&p);
        guest_works(&server, 7);
        guest_writes(&server, 0, 16 * MIB, 8 * MIB, 3);
        slow_down(&server);
        p.pass = 2;
        end_attempt(&p, SIGKILL, "Copying changed areas");
        guest_works(&server, 8);
        p.pass = 1;
        p.attempt = 2;
        (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

/* The next attempt continues with the VM off. */
START_TEST(killed_in_the_cutover) {
        BEGIN();

        kill_cutover(&p);
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
        ck_assert_uint_eq(vcsim_calls(&server, "ShutdownGuest"), 1);
}
END_TEST

/* Somebody starts the VM before its last changes are copied. */
START_TEST(started_in_the_cutover) {
        BEGIN();
        FILE *lines;
        int status;

        (void) next_pass(&p);
        guest_works(&server, 7);
        p.pass = 2;
        p.cutover = true;
        /* The last snapshot, the second one, is created when the VM is on again. */
        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"CreateSnapshot_Task\", \"kind\": \"delay\","
                        " \"delay_ms\": 600000, \"skip\": 1}");
        pid_t pid = start_attempt(&p, &lines);
        wait_for_line(lines, "is off: its guest has shut down");
        vcsim_control(&server, "/vm?name=web&power=on");
        vcsim_no_faults(&server);
        status = wait_job(pid, lines);
        ck_assert_int_eq(status, JOB_EXIT_FAILED);
        ck_assert_int_eq(run_verb(&p, "finish"), 0);
        _cleanup_(job_result_freep) JobResult *r = read_result(job_directory(&p));
        ck_assert_str_eq(r->code, "vsphere_started");
        assert_nothing_left(&server);
        ck_assert(!file_exists(result_path(&p)));
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
}
END_TEST

/* The job is killed while the server creates the snapshot, which appears later. */
START_TEST(killed_while_the_snapshot_is_created) {
        BEGIN(.pass = 1);
        FILE *lines;
        int status;

        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"CreateSnapshot_Task\", \"kind\": \"late\","
                        " \"delay_ms\": 2000, \"count\": 1}");
        pid_t pid = start_attempt(&p, &lines);
        wait_for_line(lines, "Creating the snapshot");
        while (vcsim_calls(&server, "CreateSnapshot_Task") == 0)
                usleep(20000);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        fclose(lines);
        remove_runtime(pid);
        ck_assert_int_eq(run_verb(&p, "finish"), 0);
        vcsim_control(&server, "/sessions/end");
        ck_assert_uint_eq(vcsim_calls(&server, "RemoveSnapshot_Task"), 1);
        assert_nothing_left(&server);
}
END_TEST

/* The guest was fixed in the copy when the cutover was interrupted. Nothing can be copied any more; if there
 * is nothing to copy, the copy is used. */
START_TEST(interrupted_after_the_guest_was_fixed) {
        BEGIN();

        (void) next_pass(&p);
        vcsim_control(&server, "/vm?name=web&power=off");
        p.cutover = true;
        p.pass = 2;
        write_warm_plan(&p);
        ck_assert_int_eq(run_verb(&p, "prepare"), 0);
        ck_assert_int_eq(run_verb(&p, "run"), 0);
        _cleanup_free_ char *part = part_dir(result_path(&p));
        _cleanup_free_ char *mark = strprintf("{\"job_id\": \"test\", \"guest\": {}, \"sizes\": [%" PRIu64
                                              ", %" PRIu64 "]}",
                        SIZE, SMALL);
        write_text(PATH(part, "committing"), mark);
        if (_i == 1) {
                vcsim_control(&server, "/vm?name=web&power=on");
                guest_works(&server, 5);
                p.attempt = 2;
                _cleanup_(job_result_freep) JobResult *r =
                                attempt_ends(&p, OUTCOME_FAILED, "vsphere_changed");
                ck_assert_ptr_nonnull(strstr(r->message, "after its guest was fixed"));
        }
        p.pass = 1;
        (void) cut_over(&p);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("job-warm-cut");

        if (!program_exists("nbdkit")) {
                fprintf(stderr, "nbdkit is not installed\n");
                return 77;
        }
        tcase_set_timeout(tcase, 300);
        tcase_add_test(tcase, session_ends_in_a_pass);
        tcase_add_test(tcase, refused_between_passes);
        tcase_add_loop_test(tcase, snapshot_fails, 0, 3);
        tcase_add_loop_test(tcase, interrupted_in_the_first_pass, 0, 2);
        tcase_add_test(tcase, resumed_in_the_first_pass);
        tcase_add_test(tcase, killed_in_the_second_pass);
        tcase_add_test(tcase, killed_in_the_cutover);
        tcase_add_test(tcase, started_in_the_cutover);
        tcase_add_test(tcase, snapshot_that_cannot_be_removed);
        tcase_add_test(tcase, killed_while_the_snapshot_is_created);
        tcase_add_loop_test(tcase, interrupted_after_the_guest_was_fixed, 0, 2);
        return test_run("job-warm-cut", tcase);
}
