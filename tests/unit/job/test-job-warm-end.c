/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ends of warm jobs: what is published, and what is undone. The source is never on while its copy is
 * published.
 *
 * weight: 0.3 */

#include "job/vsphere-session.h"
#include "unit/lib/job-warm.h"

/* --- the source is what it was ---------------------------------------------------------------------- */

/* Or there is none: the source is what it was. */
START_TEST(put_back) {
        BEGIN(.stay_off = _i == 1);

        kill_cutover(&p);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, _i == 1 ? "poweredOff" : "poweredOn");
        assert_nothing_left(&server);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        ck_assert_uint_eq(vcsim_calls(&server, "PowerOnVM_Task"), _i == 1 ? 0 : 1);
        ck_assert(!file_exists(result_path(&p)));
        if (_i == 1)
                return;
        guest_works(&server, 9);
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
}
END_TEST

/* A result that could still be published is gone before the source is started. */
START_TEST(not_published_after_it_was_put_back) {
        BEGIN();

        (void) next_pass(&p);
        p.pass++;
        p.cutover = true;
        write_warm_plan(&p);
        ck_assert_int_eq(run_verb(&p, "prepare"), 0);
        ck_assert_int_eq(run_verb(&p, "run"), 0);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, "poweredOn");
        ck_assert_int_eq(run_verb(&p, "finish-later"), 0);
        ck_assert(!file_exists(result_path(&p)));
}
END_TEST

/* --- the source is never on while its copy is published --------------------------------------------- */

/* A cutover that is complete, but not published. */
static void complete_cutover(WarmPlan *p) {
        (void) next_pass(p);
        guest_works(p->server, 7);
        p->pass = 2;
        p->cutover = true;
        prepare_attempt(p);
        ck_assert_int_eq(run_verb(p, "run"), 0);
}

static void assert_nothing_published(const WarmPlan *p, const char *code) {
        _cleanup_(job_result_freep) JobResult *r = read_result(job_directory(p));

        ck_assert_str_eq(r->code, code);
        ck_assert(!file_exists(result_path(p)));
        ck_assert(!file_exists(PATH(p->dir, "result-disk2.img")));
        ck_assert_int_eq(job_mark_is_set(job_directory(p), JOB_MARK_PUBLISHED), 0);
        assert_nothing_left(p->server);
}

/* It was started in the time between the end of the copy and "finish", as after a power cut. */
START_TEST(started_before_it_was_published) {
        BEGIN();

        complete_cutover(&p);
        vcsim_control(&server, "/vm?name=web&power=on");
        guest_works(&server, 9);
        ck_assert_int_ne(run_verb(&p, "finish-later"), 0);
        assert_nothing_published(&p, "vsphere_started");
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
}
END_TEST

/* It is started while the images get their names: the first check has passed, the second one has not. */
START_TEST(started_while_it_was_published) {
        BEGIN();

        complete_cutover(&p);
        /* Once the VM is found, both checks read nothing but its power. */
        _cleanup_free_ char *fault = strprintf(
                        "{\"on\": \"sdk\", \"method\": \"RetrievePropertiesEx\", \"kind\": \"start\","
                        " \"vm\": \"web\", \"reads\": \"runtime.powerState\", \"skip\": %d, \"count\": 1}",
                        _i);
        vcsim_fault(&server, fault);
        ck_assert_int_ne(run_verb(&p, "finish-later"), 0);
        assert_power(&server, "poweredOn");
        assert_nothing_published(&p, "vsphere_started");
        vcsim_no_faults(&server);
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
}
END_TEST

/* Nothing is published before the server was asked. */
START_TEST(published_without_a_server) {
        BEGIN();

        complete_cutover(&p);
        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"Login\", \"kind\": \"soap\","
                        " \"fault\": \"NoPermission\"}");
        ck_assert_int_ne(run_verb(&p, "finish-later"), 0);
        vcsim_no_faults(&server);
        vcsim_control(&server, "/sessions/end");
        assert_nothing_published(&p, "vsphere_permission");
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
}
END_TEST

/* How many requests the fault has matched. */
static json_int_t fault_hits(const Vcsim *server) {
        size_t size;
        _cleanup_free_ char *text = vcsim_get(server, "/faults", &size);
        _cleanup_json_ json_t *faults = json_loadb(text, size, 0, NULL);

        return json_integer_value(json_object_get(json_array_get(faults, 0), "hits"));
}

/* "finish" is killed when the images have their names: the next one asks again. */
START_TEST(killed_while_it_was_published) {
        BEGIN();
        int status;

        complete_cutover(&p);
        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"RetrievePropertiesEx\", \"kind\": \"delay\","
                        " \"reads\": \"runtime.powerState\", \"delay_ms\": 60000, \"skip\": 1}");
        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", dir);
        const char *const argv[] = { "env", credentials, "./hyper-job", "finish-later", job_directory(&p),
                NULL };
        pid_t pid;
        ck_assert_int_eq(child_spawn(argv, &no_limits, -1, -1, -1, &pid), 0);
        while (!file_exists(result_path(&p)) || !file_exists(PATH(dir, "result-disk2.img")) ||
                        fault_hits(&server) < 2)
                usleep(20000);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        vcsim_no_faults(&server);
        /* Its session is ended by the next one. */
        ck_assert_uint_eq(vcsim_sessions(&server), 1);
        if (_i == 0) {
                ck_assert_int_eq(run_verb(&p, "finish-later"), 0);
                assert_same_as_source(&p);
                assert_power(&server, "poweredOff");
                assert_nothing_left(&server);
                return;
        }
        /* It is cancelled, or has failed: the names are taken back before the source is started. */
        if (_i == 1) {
                ck_assert_int_eq(run_verb(&p, "put-back"), 0);
                assert_power(&server, "poweredOn");
        } else
                vcsim_control(&server, "/vm?name=web&power=on");
        ck_assert_int_eq(run_verb(&p, "finish-later") == 0, _i == 1);
        assert_nothing_left(&server);
        ck_assert(!file_exists(result_path(&p)));
        ck_assert(!file_exists(PATH(dir, "result-disk2.img")));
}
END_TEST

/* --- what cannot be undone -------------------------------------------------------------------------- */

static JobRemains *remains_of(const WarmPlan *p) {
        JobRemains *r = NULL;

        ck_assert_int_eq(job_remains_read(job_directory(p), &r), 0);
        return r;
}

/* One task fails: the others are done, and the next try does the rest. */
START_TEST(put_back_in_part) {
        static const char *const methods[] = { "RemoveSnapshot_Task", "ReconfigVM_Task", "PowerOnVM_Task" };
        BEGIN();
        _cleanup_free_ char *fault = strprintf("{\"on\": \"sdk\", \"method\": \"%s\", \"kind\": \"task\","
                                               " \"fault\": \"NoPermission\", \"message\": \"not now\"}",
                        methods[_i]);

        kill_cutover(&p);
        if (_i == 0) { /* as if its last snapshot was left */
                p.pass = 2;
                p.attempt = 2;
                vcsim_fault(&server, fault);
                (void) attempt_warm(&p);
        } else
                vcsim_fault(&server, fault);
        ck_assert_int_ne(run_verb(&p, "put-back"), 0);
        _cleanup_job_remains_ JobRemains *r = remains_of(&p);
        ck_assert_int_eq(r->snapshot, _i == 0);
        ck_assert_int_eq(r->change_tracking, _i == 1);
        ck_assert_int_eq(r->powered_off, _i == 2);
        ck_assert_uint_eq(r->tries, 1);
        ck_assert_msg(strstr(r->message, "not now") != NULL, "%s", r->message);
        assert_power(&server, _i == 2 ? "poweredOff" : "poweredOn");
        ck_assert_int_ne(run_verb(&p, "put-back"), 0);
        _cleanup_job_remains_ JobRemains *again = remains_of(&p);
        ck_assert_uint_eq(again->tries, 2);
        vcsim_no_faults(&server);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        ck_assert_int_eq(job_remains_read(job_directory(&p), &r), -ENOENT);
        assert_power(&server, "poweredOn");
        assert_nothing_left(&server);
}
END_TEST

START_TEST(put_back_without_a_server) {
        BEGIN();

        kill_cutover(&p);
        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"Login\", \"kind\": \"soap\", \"fault\":"
                        " \"InvalidLogin\"}");
        ck_assert_int_ne(run_verb(&p, "put-back"), 0);
        /* Accounts are locked after some. */
        unsigned logins = vcsim_calls(&server, "Login");
        _cleanup_job_remains_ JobRemains *r = remains_of(&p);
        ck_assert(r->powered_off && r->change_tracking);
        ck_assert_ptr_nonnull(strstr(r->message, "power it on"));
        ck_assert_uint_le(logins, 4);
        vcsim_no_faults(&server);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, "poweredOn");
}
END_TEST

/* A VM that is gone has nothing left. */
START_TEST(put_back_of_a_vm_that_is_gone) {
        BEGIN();

        kill_cutover(&p);
        vcsim_control(&server, "/vm?name=web&rename=other");
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        ck_assert(!file_exists(PATH(job_directory(&p), JOB_REMAINS_FILE)));
}
END_TEST

/* The guest is asked to shut down, and the job ends before it is down. */
START_TEST(cancelled_while_the_guest_shuts_down) {
        BEGIN(.shutdown_timeout = 60);
        FILE *lines;
        int status;

        (void) next_pass(&p);
        vcsim_control(&server, "/vm?name=web&shutdown=hang");
        p.pass = 2;
        p.cutover = true;
        pid_t pid = start_attempt(&p, &lines);
        wait_for_line(lines, "Shutting down the guest");
        while (vcsim_calls(&server, "ShutdownGuest") == 0)
                usleep(20000);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        fclose(lines);
        remove_runtime(pid);
        vcsim_control(&server, "/sessions/end");
        ck_assert_int_eq(run_verb(&p, "finish"), 0);
        assert_power(&server, "poweredOn");

        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", dir);
        const char *const argv[] = { "env", credentials, "./hyper-job", "put-back", job_directory(&p),
                NULL };
        int err[2];
        ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
        ck_assert_int_eq(child_spawn(argv, &no_limits, -1, -1, err[1], &pid), 0);
        close(err[1]);
        lines = fdopen(err[0], "r");
        wait_for_line(lines, "until the guest of web has shut down");
        vcsim_control(&server, "/vm?name=web&power=off");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        fclose(lines);
        ck_assert_int_eq(status, 0);
        assert_power(&server, "poweredOn");
        ck_assert_uint_eq(vcsim_calls(&server, "PowerOnVM_Task"), 1);
}
END_TEST

/* It was off, and somebody else has started it: there is no shutdown to wait for. */
START_TEST(started_before_it_was_put_back) {
        BEGIN(.shutdown_timeout = 300);

        kill_cutover(&p);
        vcsim_control(&server, "/vm?name=web&power=on");
        usec_t began = now_monotonic();
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        ck_assert_uint_lt(now_monotonic() - began, 60 * USEC_PER_SEC);
        assert_power(&server, "poweredOn");
        ck_assert_uint_eq(vcsim_calls(&server, "PowerOnVM_Task"), 0);
        assert_nothing_left(&server);
        ck_assert(!file_exists(PATH(job_directory(&p), VSPHERE_OFF_MARK)));
}
END_TEST

/* The server refuses to shut the guest down, so that it is not waited for. */
START_TEST(shutdown_is_refused) {
        BEGIN(.shutdown_timeout = 300, .power_off = _i == 1);

        (void) next_pass(&p);
        p.pass = 2;
        p.cutover = true;
        if (_i == 1) {
                vcsim_control(&server, "/vm?name=web&tools=not-running");
                vcsim_fault(&server,
                                "{\"on\": \"sdk\", \"method\": \"PowerOffVM_Task\", \"kind\": \"soap\","
                                " \"fault\": \"NoPermission\"}");
        } else
                vcsim_fault(&server,
                                "{\"on\": \"sdk\", \"method\": \"ShutdownGuest\", \"kind\": \"soap\","
                                " \"fault\": \"NoPermission\"}");
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, OUTCOME_FAILED, "vsphere_permission");
        ck_assert_ptr_nonnull(r);
        usec_t began = now_monotonic();
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        ck_assert_uint_lt(now_monotonic() - began, 60 * USEC_PER_SEC);
        assert_power(&server, "poweredOn");
        assert_nothing_left(&server);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("job-warm-end");

        if (!program_exists("nbdkit")) {
                fprintf(stderr, "nbdkit is not installed\n");
                return 77;
        }
        tcase_set_timeout(tcase, 300);
        tcase_add_loop_test(tcase, put_back, 0, 2);
        tcase_add_test(tcase, not_published_after_it_was_put_back);
        tcase_add_test(tcase, started_before_it_was_published);
        tcase_add_loop_test(tcase, started_while_it_was_published, 0, 2);
        tcase_add_test(tcase, published_without_a_server);
        tcase_add_loop_test(tcase, killed_while_it_was_published, 0, 3);
        tcase_add_loop_test(tcase, put_back_in_part, 0, 3);
        tcase_add_test(tcase, put_back_without_a_server);
        tcase_add_test(tcase, put_back_of_a_vm_that_is_gone);
        tcase_add_test(tcase, cancelled_while_the_guest_shuts_down);
        tcase_add_test(tcase, started_before_it_was_put_back);
        tcase_add_loop_test(tcase, shutdown_is_refused, 0, 2);
        return test_run("job-warm-end", tcase);
}
