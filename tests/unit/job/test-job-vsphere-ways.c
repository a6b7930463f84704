/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the way to read a disk is chosen, and the one with VMware's library, for which tests/vddk stands in.
 *
 * check: all */

#include "unit/lib/job-vsphere.h"

#define PLUGIN "tests/vddk/nbdkit-vddk-plugin.so"

/* --- what a user would have installed -------------------------------------------------------------- */

static char *plugin_path(void) {
        char *path = test_keep(realpath(PLUGIN, NULL));

        ck_assert_ptr_nonnull(path);
        return path;
}

static void link_disk(const char *dir, const char *libdir, const char *name) {
        _cleanup_free_ char *from = strprintf("%s/%s", dir, name), *to = strprintf("%s/%s", libdir, name);

        ck_assert_int_eq(link(from, to), 0);
}

static const char *port_of(const Vcsim *server) {
        static char port[8];
        const char *colon = strrchr(server->url, ':');

        snprintf(port, sizeof(port), "%.*s", (int) strspn(colon + 1, "0123456789"), colon + 1);
        return port;
}

/* The directory with the library; @more are further lines of what the stand-in expects. */
static char *make_libdir(const VmPlan *p, const char *vm, const char *snapshot, const char *more) {
        char *libdir = PATH(p->dir, "vddk");
        _cleanup_free_ char *id = vcsim_vm(p->server, vm), *text = NULL;
        struct stat st;

        if (stat(libdir, &st) < 0) {
                ck_assert_int_eq(mkdir(libdir, 0755), 0);
                ck_assert_int_eq(mkdir(PATH(libdir, "lib64"), 0755), 0);
                write_text(PATH(libdir, "lib64/libvixDiskLib.so.8"), "");
                link_disk(p->dir, libdir, "a.raw");
                link_disk(p->dir, libdir, "b.raw");
        }
        text = strprintf("libdir=%s\nserver=127.0.0.1\nport=%s\nuser=" VCSIM_USER
                         "\npassword=" VCSIM_PASSWORD
                         "\nthumbprint=%s\nvm=moref=%s\nsnapshot=%s\ntransports=nbdssl:nbd\ncookie=\n"
                         "disk [LocalDS_0] %s/%s.vmdk=a.raw\ndisk [LocalDS_0] %s/%s_1.vmdk=b.raw\n%s",
                        libdir, port_of(p->server), p->server->sha1, id, snapshot, vm, vm, vm, vm,
                        more ? more : "");
        write_text(PATH(libdir, "expected"), text);
        return libdir;
}

static unsigned exports(const Vcsim *server) {
        return vcsim_calls(server, "ExportVm") + vcsim_calls(server, "ExportSnapshot");
}

/* So that the same job can run again. */
static void remove_result(const VmPlan *p) {
        RUN("rm", "-r", job_directory(p), PATH(p->dir, "result.qcow2"), PATH(p->dir, "result-disk2.qcow2"));
}

/* --- with VDDK ------------------------------------------------------------------------------------- */

START_TEST(with_vddk) {
        BEGIN(.vm = "off", .method = "vddk", .plugin = plugin_path());

        p.libdir = make_libdir(&p, "off", "", NULL);
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        assert_logged("Hard disk 1 is copied with vddk\n");
        ck_assert_uint_eq(exports(&server) + vcsim_calls(&server, "/folder"), 0);
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(r->outputs, 0), "verified")),
                        "sample");
}
END_TEST

START_TEST(with_vddk_while_it_is_running) {
        BEGIN(.vm = "on", .plugin = plugin_path(), .full = true);

        p.libdir = make_libdir(&p, "on", "*", NULL);
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        assert_logged("Hard disk 2 is copied with vddk\n");
        ck_assert_uint_eq(vcsim_calls(&server, "CreateSnapshot_Task"), 1);
        ck_assert_uint_eq(exports(&server), 0);
}
END_TEST

/* What the library says is in the message; the password is in none. */
START_TEST(vddk_fails) {
        BEGIN(.vm = "off", .method = "vddk", .plugin = plugin_path());

        p.libdir = make_libdir(&p, "off", "", "fail Error 13: no access rights\n");
        assert_fails(&p, OUTCOME_TRANSIENT, "vsphere_failed",
                        "Opening Hard disk 1 with VDDK failed: VixDiskLib_Open: Error 13: no access rights");
        ck_assert_ptr_null(strstr(job_log, "password"));

        /* Its size is another one. */
        (void) make_libdir(&p, "off", "", NULL);
        ck_assert_int_eq(truncate(PATH(p.libdir, "a.raw"), SIZE + MIB), 0);
        assert_fails(&p, OUTCOME_FAILED, "vsphere_changed", "it was resized");
}
END_TEST

/* A copy goes on at the watermark. */
START_TEST(with_vddk_resumed) {
        BEGIN(.vm = "off", .method = "vddk", .plugin = plugin_path());

        p.libdir = make_libdir(&p, "off", "", "break 20971520\n");
        ck_assert_int_eq(attempt_vm(&p), JOB_EXIT_TRANSIENT);
        assert_logged("VixDiskLib_Read: the connection broke");
        assert_nothing_left(&server);
        (void) make_libdir(&p, "off", "", NULL);
        p.attempt = 2;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        ck_assert_int_gt(metric_of(r, "bytes_resumed"), 0);
}
END_TEST

/* --- without it ------------------------------------------------------------------------------------ */

static void assert_missing(VmPlan *p, const char *text) {
        p->method = "vddk";
        assert_fails(p, OUTCOME_FAILED, "unsupported", text);
        p->method = NULL;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(p);
        assert_logged("Hard disk 1 is copied with nfc (vddk: ");
        assert_logged(text);
        remove_result(p);
}

START_TEST(without_vddk) {
        BEGIN(.vm = "off");

        assert_missing(&p, "vddk: vsphere.vddk_libdir is not configured");
        p.libdir = make_libdir(&p, "off", "", NULL);
        assert_missing(&p, "vddk: nbdkit has no vddk plugin: install it, or set vsphere.vddk_plugin");
        p.plugin = "/nonexistent.so";
        assert_missing(&p, "vddk: nbdkit cannot load /nonexistent.so: check vsphere.vddk_plugin");
        p.plugin = plugin_path();
        p.libdir = "/nonexistent";
        assert_missing(&p, "vddk: there is no VDDK library in /nonexistent: check vsphere.vddk_libdir");
}
END_TEST

/* --- the choice ------------------------------------------------------------------------------------ */

START_TEST(the_last_way) {
        BEGIN(.vm = "off");

        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"ExportVm\", \"kind\": \"soap\","
                        " \"fault\": \"NoPermission\", \"message\": \"not yours\"}");
        {
                _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
                assert_logged("Hard disk 1 is copied with https ("
                              "vddk: vsphere.vddk_libdir is not configured; nfc: ");
                assert_logged("not yours");
        }
        remove_result(&p);

        /* An explicit one is the only one. */
        p.method = "nfc";
        assert_fails(&p, OUTCOME_FAILED, "vsphere_permission", "not yours");

        /* The server has no ranges: nothing is left. */
        p.method = NULL;
        vcsim_fault(&server, "{\"on\": \"folder\", \"kind\": \"http\", \"status\": 200}");
        assert_fails(&p, OUTCOME_FAILED, "unsupported", "Hard disk 1 of off cannot be copied: vddk: ");
        assert_logged("; https: ");
}
END_TEST

/* A server that is busy exports later. */
START_TEST(no_other_way_for_a_busy_server) {
        BEGIN(.vm = "off");

        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"ExportVm\", \"kind\": \"soap\","
                        " \"fault\": \"TaskInProgress\"}");
        assert_fails(&p, OUTCOME_TRANSIENT, "vsphere_busy", "wait until other tasks");
        ck_assert_uint_eq(vcsim_calls(&server, "/folder"), 0);
}
END_TEST

/* --- servers that fail ---------------------------------------------------------------------------- */

/* It is renewed once a minute at most; the next attempt goes on with another one. */
START_TEST(session_ended_while_ranges_are_read) {
        BEGIN(.vm = "off", .method = "https");

        vcsim_fault(&server,
                        "{\"on\": \"folder\", \"kind\": \"session\", \"at\": 300000, \"skip\": 30,"
                        " \"count\": 1}");
        assert_fails(&p, OUTCOME_TRANSIENT, "connection_failed", "the server has ended the session");
        p.attempt = 2;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        ck_assert_int_gt(metric_of(r, "bytes_resumed"), 0);
}
END_TEST

/* Nobody could keep the lease: the download ends, and the next attempt gets another lease. */
START_TEST(lease_timed_out) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim server = start_server_with(dir, "-lease-timeout=1s");
        VmPlan p = { .dir = dir, .server = &server, .vm = "off", .method = "nfc" };

        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"HttpNfcLeaseProgress\", \"kind\": \"soap\","
                        " \"fault\": \"NotSupported\"}");
        vcsim_fault(&server,
                        "{\"on\": \"nfc\", \"path\": \"disk-0\", \"kind\": \"slow\", \"rate\": 2000000}");
        assert_fails(&p, OUTCOME_TRANSIENT, "connection_failed", "Hard disk 1");
        vcsim_no_faults(&server);
        p.attempt = 2;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
}
END_TEST

START_TEST(too_many_sessions) {
        static const char *const faults[] = {
                "{\"on\": \"sdk\", \"method\": \"Login\", \"kind\": \"http\", \"status\": 503, \"count\": 2,"
                " \"message\": \"Out of HTTP sessions\"}",
                "{\"on\": \"sdk\", \"method\": \"Login\", \"kind\": \"soap\", \"fault\": \"LimitExceeded\","
                " \"count\": 2, \"message\": \"Too many sessions\"}",
        };
        BEGIN(.vm = "off");

        vcsim_fault(&server, faults[_i]);
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        ck_assert_uint_eq(vcsim_calls(&server, "Login"), 3);
}
END_TEST

/* As the server sends the name "a/b % + ": in paths of the inventory, of the datastore and in URLs. */
START_TEST(names_with_special_characters) {
        BEGIN(.vm = "/DC0/vm/%25 %2f/a%2fb %25 + \xc3\xa9 &", .method = _i == 0 ? "nfc" : "https");
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
}
END_TEST

/* --- how many at a time ---------------------------------------------------------------------------- */

START_TEST(some_disks_at_a_time) {
        BEGIN(.vm = "off", .method = "https", .parallel = (unsigned) _i);
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("job-vsphere-ways");

        if (!program_exists("nbdkit")) {
                fprintf(stderr, "nbdkit is not installed\n");
                return 77;
        }
        tcase_set_timeout(tcase, 120);
        tcase_add_test(tcase, with_vddk);
        tcase_add_test(tcase, with_vddk_while_it_is_running);
        tcase_add_test(tcase, with_vddk_resumed);
        tcase_add_test(tcase, vddk_fails);
        tcase_add_test(tcase, without_vddk);
        tcase_add_test(tcase, the_last_way);
        tcase_add_test(tcase, no_other_way_for_a_busy_server);
        tcase_add_test(tcase, session_ended_while_ranges_are_read);
        tcase_add_test(tcase, lease_timed_out);
        tcase_add_loop_test(tcase, too_many_sessions, 0, 2);
        tcase_add_loop_test(tcase, names_with_special_characters, 0, 2);
        tcase_add_loop_test(tcase, some_disks_at_a_time, 1, 5);
        return test_run("job-vsphere-ways", tcase);
}
