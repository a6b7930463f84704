/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Virtual machines of a simulated vCenter as sources, and everything that can go wrong on the way. After each
 * attempt, the server must have neither a session nor a lease nor a snapshot of it.
 *
 * sanitizers: all */

#include <signal.h>

#include "job/conversion.h"
#include "job/vsphere-check.h"
#include "job/vsphere-session.h"
#include "spec/vsphere-counts.h"
#include "unit/lib/job-servers.h"
#include "unit/lib/job-vsphere.h"

/* --- it works -------------------------------------------------------------------------------------- */

START_TEST(a_vm_that_is_off) {
        BEGIN(.vm = "off");
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);

        ck_assert_uint_eq(json_array_size(r->outputs), 2);
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(r->outputs, 0), "verified")),
                        "sample");
        ck_assert_uint_eq(vcsim_calls(&server, "CreateSnapshot_Task"), 0);
        ck_assert_uint_eq(vcsim_calls(&server, "HttpNfcLeaseComplete"), 1);
}
END_TEST

START_TEST(a_vm_that_is_running) {
        BEGIN(.vm = "/DC0/vm/a/b/on");
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);

        ck_assert_uint_eq(vcsim_calls(&server, "CreateSnapshot_Task"), 1);
        ck_assert_str_eq(json_string_value(json_object_get(r->vm, "firmware")), "efi");
        ck_assert_int_eq(json_integer_value(json_object_get(r->vm, "cpus")), 2);
        ck_assert_uint_eq(json_array_size(json_object_get(r->vm, "disks")), 2);
}
END_TEST

/* One that leaves its name out of the URLs, one that sends to an ESXi host, which has a certificate of its
 * own, and one without checksums. */
START_TEST(other_servers) {
        static const char *const flags[] = { "-star-nfc", "-nfc-listen=127.0.0.1:0", "-nfc-manifest=false" };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim server = start_server_with(dir, flags[_i]);
        VmPlan p = { .dir = dir, .server = &server, .vm = "off" };
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);

        ck_assert_uint_eq(vcsim_calls(&server, "ExportVm"), 1);
}
END_TEST

/* The host that exports has another certificate than its server says: nothing is read from it. */
START_TEST(another_certificate_of_the_host) {
        static const char *const kinds[] = { "unknown-ca", "expired", "wrong-host", "good" };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim server = start_server_with(dir, "-nfc-listen=127.0.0.1:0");
        VmPlan p = { .dir = dir, .server = &server, .vm = "on", .method = "nfc" };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_free_ char *path = strprintf("/certificate?nfc=yes&kind=%s", kinds[i]);
                vcsim_control(&server, path);
                assert_fails(&p, OUTCOME_FAILED, "certificate", "Hard disk");
                p.attempt++;
        }
        ck_assert_uint_eq(vcsim_calls(&server, "/nfc"), 0);
        vcsim_control(&server, "/certificate?nfc=yes&kind=nfc");
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
}
END_TEST

/* A download that takes longer than a lease without progress. */
START_TEST(the_lease_is_kept) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim server = start_server_with(dir, "-lease-timeout=5s");
        VmPlan p = { .dir = dir, .server = &server, .vm = "off" };

        vcsim_fault(&server,
                        "{\"on\": \"nfc\", \"path\": \"disk-0\", \"kind\": \"slow\", \"rate\": 2400000}");
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        ck_assert_uint_ge(vcsim_calls(&server, "HttpNfcLeaseProgress"), 2);
}
END_TEST

/* All is compared, so all is downloaded twice. */
START_TEST(verified_in_full) {
        BEGIN(.vm = "off", .full = true);
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);

        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(r->outputs, 0), "verified")),
                        "full");
}
END_TEST

START_TEST(shut_down_first) {
        BEGIN(.vm = "on", .power = "shutdown");
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);

        ck_assert_uint_eq(vcsim_calls(&server, "ShutdownGuest"), 1);
        ck_assert_uint_eq(vcsim_calls(&server, "CreateSnapshot_Task"), 0);
}
END_TEST

START_TEST(powered_off_if_asked) {
        BEGIN(.vm = "on", .power = "shutdown");

        vcsim_control(&server, "/vm?name=on&tools=not-installed");
        assert_fails(&p, OUTCOME_FAILED, "vsphere_shutdown", "set parameters.power_off");
        p.power_off = true;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
}
END_TEST

/* --- it does not ----------------------------------------------------------------------------------- */

START_TEST(refused) {
        BEGIN(.vm = "none");

        assert_fails(&p, OUTCOME_FAILED, "unsupported", "raw device mapping in physical mode");
        p.vm = "nobody";
        assert_fails(&p, OUTCOME_TRANSIENT, "source_missing", "check source.vm_path");
        p.vm = "off";
        p.no_ca = true;
        assert_fails(&p, OUTCOME_FAILED, "certificate", server.thumbprint);
        p.no_ca = false;
        write_text(PATH(dir, "source.password"), "wrong");
        assert_fails(&p, OUTCOME_FAILED, "vsphere_login", "check source.username");
        ck_assert_uint_eq(vcsim_calls(&server, "CreateSnapshot_Task"), 0);
}
END_TEST

START_TEST(not_permitted) {
        BEGIN(.vm = "on");

        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"CreateSnapshot_Task\", \"kind\": \"soap\","
                        " \"fault\": \"NoPermission\"}");
        assert_fails(&p, OUTCOME_FAILED, "vsphere_permission", "VirtualMachine.State.CreateSnapshot");
}
END_TEST

/* A task that ends with a fault, which the next attempt may not have. */
START_TEST(snapshot_fails) {
        BEGIN(.vm = "on");

        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"CreateSnapshot_Task\", \"kind\": \"task\","
                        " \"fault\": \"TaskInProgress\", \"message\": \"it is being cloned\", \"count\": 1}");
        assert_fails(&p, OUTCOME_TRANSIENT, "vsphere_busy", "it is being cloned");
        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"CreateSnapshot_Task\", \"kind\": \"task\","
                        " \"fault\": \"SystemError\", \"message\": \"vmotion\", \"count\": 1}");
        assert_fails(&p, OUTCOME_TRANSIENT, "vsphere_failed", "see the tasks and events of the VM");
        p.attempt = 3;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
}
END_TEST

/* The copy is good: the result warns, and a person can remove it. */
START_TEST(snapshot_that_stays) {
        BEGIN(.vm = "on");

        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"RemoveSnapshot_Task\", \"kind\": \"task\","
                        " \"fault\": \"FileLocked\", \"message\": \"it is locked\"}");
        ck_assert_int_eq(attempt_vm(&p), 0);
        assert_logged("it is locked");
        _cleanup_(job_result_freep) JobResult *r = read_result(job_directory(&p));
        _cleanup_free_ char *outputs = json_dumps(r->outputs, 0);
        ck_assert_msg(strstr(outputs, "remove it in vCenter"), "%s", outputs);
        ck_assert_uint_eq(vcsim_sessions(&server), 0);
}
END_TEST

/* --- interrupted, and resumed ---------------------------------------------------------------------- */

static const char *const interruptions[] = {
        "{\"on\": \"nfc\", \"path\": \"disk-0\", \"kind\": \"reset\", \"at\": 9000000, \"count\": 1}",
        "{\"on\": \"nfc\", \"path\": \"disk-0\", \"kind\": \"truncate\", \"at\": 9000000, \"count\": 1}",
        "{\"on\": \"nfc\", \"path\": \"disk-0\", \"kind\": \"session\", \"at\": 9000000, \"count\": 1}",
        "{\"on\": \"nfc\", \"kind\": \"http\", \"status\": 503, \"count\": 1}",
        "{\"on\": \"nfc\", \"path\": \"disk-0\", \"kind\": \"reset\", \"at\": 1, \"count\": 1}",
        "{\"on\": \"nfc\", \"path\": \"disk-0\", \"kind\": \"reset\", \"at\": 600, \"count\": 1}",
        "{\"on\": \"nfc\", \"path\": \"disk-0\", \"kind\": \"truncate\", \"at\": 70001, \"count\": 1}",
};

START_TEST(interrupted) {
        BEGIN(.vm = "off");

        vcsim_fault(&server, interruptions[_i]);
        assert_fails(&p, OUTCOME_TRANSIENT, "connection_failed", "Hard disk");
        vcsim_no_faults(&server);
        p.attempt = 2;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        if (_i < 3) /* something of the large disk was there already */
                ck_assert_int_gt(metric_of(r, "bytes_resumed"), 0);
}
END_TEST

/* What is on a server already is compared with the stream, which then goes on. */
START_TEST(to_a_server_and_resumed) {
        BEGIN(.vm = "one");
        _cleanup_free_ char *uri = strprintf("nbd+unix:///?socket=%s/nbd", dir);
        char *out = PATH(dir, "out.raw");

        write_text(out, "");
        ck_assert_int_eq(truncate(out, SIZE), 0);
        pid_t nbd = SERVE(PATH(dir, "nbd"), "file", out);
        p.uri = uri;
        vcsim_fault(&server, interruptions[0]);
        assert_fails(&p, OUTCOME_TRANSIENT, "connection_failed", "Hard disk");
        vcsim_no_faults(&server);
        p.attempt = 2;
        ck_assert_int_eq(attempt_vm(&p), 0);
        child_kill(nbd);
        _cleanup_(job_result_freep) JobResult *r = read_result(job_directory(&p));
        ck_assert_int_gt(metric_of(r, "bytes_resumed"), 0);
        assert_same_disk(PATH(dir, "a.raw"), "raw", out, "raw");
        assert_nothing_left(&server);
}
END_TEST

/* A stream that was changed on its way, where no decoder notices it. */
START_TEST(wrong_manifest) {
        BEGIN(.vm = "off");

        vcsim_fault(&server, "{\"on\": \"nfc\", \"kind\": \"corrupt\", \"at\": 20000}");
        assert_fails(&p, OUTCOME_FAILED, "checksum_mismatch", "but the server says");
        vcsim_no_faults(&server);
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        ck_assert_int_eq(metric_of(r, "bytes_resumed"), 0);
}
END_TEST

START_TEST(damaged) {
        BEGIN(.vm = "off");

        vcsim_fault(&server, "{\"on\": \"nfc\", \"kind\": \"corrupt\", \"at\": 600000}");
        assert_fails(&p, OUTCOME_FAILED, "image_damaged", "cannot be");
}
END_TEST

static void interrupt_once(VmPlan *p) {
        vcsim_fault(p->server, interruptions[0]);
        assert_fails(p, OUTCOME_TRANSIENT, "connection_failed", "Hard disk");
        vcsim_no_faults(p->server);
        p->attempt = 2;
}

/* Its disks are not what they were. */
START_TEST(started_between_attempts) {
        BEGIN(.vm = "off");

        interrupt_once(&p);
        vcsim_control(&server, "/vm?name=off&power=on");
        vcsim_control(&server, "/vm?name=off&power=off");
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        ck_assert_int_eq(metric_of(r, "bytes_resumed"), 0);
}
END_TEST

START_TEST(grown_between_attempts) {
        BEGIN(.vm = "off");
        char *path = PATH(dir, "a.raw");

        interrupt_once(&p);
        ck_assert_int_eq(truncate(path, SIZE + MIB), 0);
        _cleanup_free_ char *load = strprintf("/disk/load?vm=off&disk=0&file=%s", path);
        vcsim_control(&server, load);
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        ck_assert_int_eq(metric_of(r, "bytes_resumed"), 0);
}
END_TEST

/* A snapshot is of one attempt only. */
START_TEST(running_between_attempts) {
        BEGIN(.vm = "on");

        interrupt_once(&p);
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        ck_assert_int_eq(metric_of(r, "bytes_resumed"), 0);
        ck_assert_uint_eq(vcsim_calls(&server, "CreateSnapshot_Task"), 2);
}
END_TEST

/* --- by ranges of files ---------------------------------------------------------------------------- */

static unsigned ranges_read(const Vcsim *server) {
        return vcsim_calls(server, "/folder");
}

START_TEST(by_ranges) {
        BEGIN(.vm = "off", .method = "https");
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);

        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(r->outputs, 0), "verified")),
                        "sample");
        ck_assert_uint_eq(vcsim_calls(&server, "HttpNfcLeaseComplete"), 0);
        ck_assert_uint_ge(ranges_read(&server), (SIZE + SMALL) / MIB);
}
END_TEST

/* Only the first link of the chain is read, which the snapshot has made unchanging. */
START_TEST(by_ranges_while_it_is_running) {
        BEGIN(.vm = "on", .method = "https", .full = true);
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);

        ck_assert_uint_eq(vcsim_calls(&server, "CreateSnapshot_Task"), 1);
}
END_TEST

/* What one attempt survives. */
static const char *const hiccups[] = {
        "{\"on\": \"folder\", \"kind\": \"reset\", \"at\": 300000, \"skip\": 9, \"count\": 9}",
        "{\"on\": \"folder\", \"kind\": \"truncate\", \"at\": 300000, \"skip\": 5, \"count\": 5}",
        "{\"on\": \"folder\", \"kind\": \"http\", \"status\": 503, \"skip\": 3, \"count\": 2}",
        "{\"on\": \"folder\", \"kind\": \"http\", \"status\": 503, \"count\": 1}",
};

START_TEST(by_ranges_with_hiccups) {
        BEGIN(.vm = "off", .method = "https");

        vcsim_fault(&server, hiccups[_i]);
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
}
END_TEST

/* It goes on at the watermark. */
START_TEST(by_ranges_resumed) {
        BEGIN(.vm = "off", .method = "https");

        vcsim_fault(&server,
                        "{\"on\": \"folder\", \"kind\": \"http\", \"status\": 404,"
                        " \"skip\": 30}");
        assert_fails(&p, OUTCOME_FAILED, "unsupported", "there is no such file (404)");
        vcsim_no_faults(&server);
        p.attempt = 2;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        ck_assert_int_gt(metric_of(r, "bytes_resumed"), 0);
        ck_assert_int_le(metric_of(r, "bytes_read"),
                        (json_int_t) (SIZE + SMALL) - metric_of(r, "bytes_resumed"));
}
END_TEST

START_TEST(by_ranges_of_a_server_without) {
        BEGIN(.vm = "off", .method = "https");

        vcsim_fault(&server, "{\"on\": \"folder\", \"kind\": \"http\", \"status\": 200}");
        assert_fails(&p, OUTCOME_FAILED, "unsupported", "set parameters.conversion_method to \"nfc\"");
}
END_TEST

/* --- stopped and killed ---------------------------------------------------------------------------- */

static pid_t start_vm_job(const VmPlan *p, FILE **ret_lines) {
        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", p->dir);
        const char *const argv[] = { "env", credentials, "./hyper-job", "run", job_directory(p), NULL };
        pid_t pid;
        int err[2];

        vcsim_fault(p->server, "{\"on\": \"nfc\", \"kind\": \"slow\", \"rate\": 1000000}");
        vcsim_fault(p->server, "{\"on\": \"folder\", \"kind\": \"slow\", \"rate\": 500000}");
        write_vm_plan(p);
        ck_assert_int_eq(run_verb(p, "prepare"), 0);
        ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
        ck_assert_int_eq(child_spawn(argv, &no_limits, -1, -1, err[1], &pid), 0);
        close(err[1]);
        *ret_lines = fdopen(err[0], "r");
        return pid;
}

static void end_vm_job(const VmPlan *p, int signal_number, const char *line) {
        FILE *lines;
        pid_t pid = start_vm_job(p, &lines);
        int status;

        wait_for_line(lines, line);
        ck_assert_int_eq(kill(pid, signal_number), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        fclose(lines);
        if (signal_number == SIGKILL)
                remove_runtime(pid);
        vcsim_no_faults(p->server);
}

START_TEST(stopped) {
        BEGIN(.vm = "on");

        end_vm_job(&p, SIGTERM, "Converting");
        assert_nothing_left(&server);
}
END_TEST

/* What a killed job leaves, "finish" removes. */
START_TEST(killed) {
        BEGIN(.vm = "on");

        end_vm_job(&p, SIGKILL, "Converting");
        ck_assert_uint_eq(vcsim_calls(&server, "RemoveSnapshot_Task"), 0);
        ck_assert_int_eq(run_verb(&p, "finish"), 0);
        ck_assert_uint_eq(vcsim_calls(&server, "RemoveSnapshot_Task"), 1);
        assert_nothing_left(&server);
        p.attempt = 2;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
}
END_TEST

#define HANGS(method) \
        "{\"on\": \"sdk\", \"method\": \"" method "\", \"kind\": \"delay\", \"delay_ms\": 600000}"

/* What a job does when it is killed, and what it has called on the server by then. */
static const struct {
        const char *method, *fault, *call;
} phases[] = {
        { "nfc", HANGS("CreateContainerView"), "CreateContainerView" }, /* it looks for the VM */
        { "nfc", HANGS("HttpNfcLeaseSetManifestChecksumType"), "HttpNfcLeaseSetManifestChecksumType" },
        { "nfc", "{\"on\": \"nfc\", \"kind\": \"slow\", \"rate\": 1000000}", "/nfc" },
        { "nfc", HANGS("HttpNfcLeaseGetManifest"), "HttpNfcLeaseGetManifest" },
        { "nfc", HANGS("HttpNfcLeaseComplete"), "HttpNfcLeaseComplete" },
        { "nfc", HANGS("RemoveSnapshot_Task"), "RemoveSnapshot_Task" },
        { "nfc", HANGS("Logout"), "Logout" },
        { "https", "{\"on\": \"folder\", \"kind\": \"slow\", \"rate\": 500000, \"skip\": 20}", "/folder" },
};

/* What was received is known although there is no result. */
static void assert_counted(const VmPlan *p, bool received) {
        VsphereCounts counts;

        ck_assert_int_eq(vsphere_counts_read(job_directory(p), &counts), 0);
        ck_assert_uint_eq(counts.logins, 1);
        if (!received)
                return;
        ck_assert_uint_eq(counts.leases, 1);
        ck_assert_uint_gt(counts.received[VSPHERE_METHOD_NFC], MIB);
}

/* "finish" ends the lease and the session, and removes the snapshot, whatever the job did when it was
 * killed. */
START_TEST(killed_in_each_phase) {
        BEGIN(.vm = "on", .method = phases[_i].method);
        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", dir);
        const char *const argv[] = { "env", credentials, "./hyper-job", "run", job_directory(&p), NULL };
        pid_t pid;

        vcsim_fault(&server, phases[_i].fault);
        write_vm_plan(&p);
        ck_assert_int_eq(run_verb(&p, "prepare"), 0);
        ck_assert_int_eq(child_spawn(argv, &no_limits, -1, -1, STDERR_FILENO, &pid), 0);
        while (vcsim_calls(&server, phases[_i].call) == 0)
                ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        remove_runtime(pid);
        assert_counted(&p, streq(phases[_i].call, "HttpNfcLeaseGetManifest"));
        vcsim_no_faults(&server);
        ck_assert_int_eq(run_verb(&p, "finish"), 0);
        assert_nothing_left(&server);
        ck_assert(!file_exists(PATH(dir, "result.qcow2")));
        p.attempt = 2;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
}
END_TEST

static void write_data(const char *path, const char *data, size_t size) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite_full(fd, data, size, 0), 0);
        close(fd);
}

/* A cookie is a secret, and only who knows the password can read it, or write one that is used. */
START_TEST(the_note_of_a_session_is_encrypted) {
        BEGIN(.vm = "off");
        _cleanup_free_ char *text = NULL;
        size_t size;

        end_vm_job(&p, SIGKILL, "Converting");
        ck_assert_uint_eq(vcsim_sessions(&server), 1);
        ck_assert_int_eq(job_file_read(job_directory(&p), VSPHERE_SESSION_FILE, 10000, &text, &size), 0);
        ck_assert_ptr_null(memmem(text, size, "vmware_soap_session", strlen("vmware_soap_session")));
        VsphereNoted noted = {};
        ck_assert_int_eq(vsphere_session_read(job_directory(&p), VSPHERE_SESSION_FILE, "wrong", &noted),
                        -EBADMSG);
        ck_assert_int_eq(vsphere_session_read(
                                         job_directory(&p), VSPHERE_SESSION_FILE, VCSIM_PASSWORD, &noted),
                        0);
        ck_assert_ptr_nonnull(strstr(noted.cookie, "vmware_soap_session="));
        ck_assert_ptr_nonnull(noted.lease);
        vsphere_noted_done(&noted);
        char *path = PATH(job_directory(&p), VSPHERE_SESSION_FILE);
        for (size_t i = 0; i < size; i += size / 7) {
                text[i] ^= 1;
                write_data(path, text, size);
                ck_assert_int_eq(vsphere_session_read(job_directory(&p), VSPHERE_SESSION_FILE,
                                                 VCSIM_PASSWORD, &noted),
                                -EBADMSG);
                text[i] ^= 1;
        }
        write_data(path, text, 20);
        ck_assert_int_eq(vsphere_session_read(
                                         job_directory(&p), VSPHERE_SESSION_FILE, VCSIM_PASSWORD, &noted),
                        -EBADMSG);
        /* Then, the session ends by itself, and "finish" does not fail. */
        ck_assert_int_eq(run_verb(&p, "finish"), 0);
        ck_assert(!file_exists(path));
}
END_TEST

/* Its server locks the disks then. */
START_TEST(started_meanwhile) {
        BEGIN(.vm = "off", .method = "https");
        FILE *lines;
        int status;

        pid_t pid = start_vm_job(&p, &lines);
        wait_for_line(lines, "Converting");
        vcsim_control(&server, "/vm?name=off&power=on");
        vcsim_no_faults(&server);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        fclose(lines);
        ck_assert(WIFEXITED(status));
        _cleanup_(job_result_freep) JobResult *result = read_result(job_directory(&p));
        ck_assert_msg(result->outcome == OUTCOME_FAILED && streq_ptr(result->code, "vsphere_changed"),
                        "%s: %s", strna(result->code), strna(result->message));
        ck_assert_int_eq(run_verb(&p, "finish"), 0);
        ck_assert(!file_exists(PATH(dir, "result.qcow2")));
        assert_nothing_left(&server);
}
END_TEST

/* Or the next attempt, as after a power cut. */
START_TEST(killed_and_not_finished) {
        BEGIN(.vm = "on");

        end_vm_job(&p, SIGKILL, "Converting");
        ck_assert_uint_eq(vcsim_sessions(&server), 1);
        p.attempt = 2;
        _cleanup_(job_result_freep) JobResult *r = assert_copies(&p);
        ck_assert_uint_eq(vcsim_calls(&server, "RemoveSnapshot_Task"), 2);
}
END_TEST

/* --- without a server ------------------------------------------------------------------------------ */

/* The progress of each disk is in the details of the events of all. */
START_TEST(progress_of_disks) {
        ConvertSum sum = { .n_disks = 2, .positions = { 5, 7 }, .totals = { 10, 20 } };
        _cleanup_json_ json_t *details = convert_sum_json(&sum);
        json_t *second = json_array_get(json_object_get(details, "disks"), 1);

        ck_assert_uint_eq(json_array_size(json_object_get(details, "disks")), 2);
        ck_assert_int_eq(json_integer_value(json_object_get(second, "bytes_done")), 7);
        ck_assert_int_eq(json_integer_value(json_object_get(second, "bytes_total")), 20);
}
END_TEST

static void check(const VmDisk *disk, bool snapshot, const char *text) {
        VmDetail d = { .disks = (VmDisk *) disk, .n_disks = 1 };
        _cleanup_free_ char *why = NULL;

        int r = vsphere_check_vm(&d, snapshot, &why);
        if (!text)
                ck_assert_msg(r == 0, "%s", strna(why));
        else
                ck_assert_msg(r == -EOPNOTSUPP && strstr(why, text), "%d: %s", r, strna(why));
}

START_TEST(checks) {
        char label[] = "Hard disk 1", independent[] = "independent_persistent", persistent[] = "persistent";
        VmDisk good = { .label = label, .capacity = MIB, .mode = persistent }, d = good;
        _cleanup_free_ char *why = NULL;

        check(&good, true, NULL);
        d.mode = independent;
        check(&d, true, "Hard disk 1 is independent");
        check(&d, false, NULL);
        d = good;
        d.rdm = d.rdm_physical = true;
        check(&d, false, "physical mode");
        d.rdm_physical = false;
        check(&d, true, NULL);
        d = good;
        d.shared = true;
        check(&d, false, "shared with other VMs");
        d = good;
        d.capacity = 511;
        check(&d, false, "511 bytes");
        VmDetail vm = { .disks = &good, .n_disks = 1, .summary.consolidation_needed = true };
        ck_assert_int_eq(vsphere_check_vm(&vm, false, &why), -EOPNOTSUPP);
        ck_assert_ptr_nonnull(strstr(why, "consolidate"));
        why = mfree(why);
        vm.n_disks = 0;
        vm.summary.consolidation_needed = false;
        ck_assert_int_eq(vsphere_check_vm(&vm, false, &why), -EOPNOTSUPP);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("job-vsphere");

        if (!program_exists("nbdkit")) {
                fprintf(stderr, "nbdkit is not installed\n");
                return 77;
        }
        tcase_set_timeout(tcase, 120);
        tcase_add_test(tcase, progress_of_disks);
        tcase_add_test(tcase, checks);
        tcase_add_test(tcase, a_vm_that_is_off);
        tcase_add_test(tcase, a_vm_that_is_running);
        tcase_add_loop_test(tcase, other_servers, 0, 3);
        tcase_add_test(tcase, another_certificate_of_the_host);
        tcase_add_test(tcase, the_lease_is_kept);
        tcase_add_test(tcase, verified_in_full);
        tcase_add_test(tcase, shut_down_first);
        tcase_add_test(tcase, by_ranges);
        tcase_add_test(tcase, by_ranges_while_it_is_running);
        tcase_add_loop_test(tcase, by_ranges_with_hiccups, 0, ELEMENTSOF(hiccups));
        tcase_add_test(tcase, by_ranges_resumed);
        tcase_add_test(tcase, by_ranges_of_a_server_without);
        tcase_add_test(tcase, powered_off_if_asked);
        tcase_add_test(tcase, refused);
        tcase_add_test(tcase, not_permitted);
        tcase_add_test(tcase, snapshot_fails);
        tcase_add_test(tcase, snapshot_that_stays);
        tcase_add_loop_test(tcase, interrupted, 0, ELEMENTSOF(interruptions));
        tcase_add_test(tcase, to_a_server_and_resumed);
        tcase_add_test(tcase, wrong_manifest);
        tcase_add_test(tcase, damaged);
        tcase_add_test(tcase, started_between_attempts);
        tcase_add_test(tcase, grown_between_attempts);
        tcase_add_test(tcase, running_between_attempts);
        tcase_add_test(tcase, stopped);
        tcase_add_test(tcase, started_meanwhile);
        tcase_add_test(tcase, killed);
        tcase_add_loop_test(tcase, killed_in_each_phase, 0, ELEMENTSOF(phases));
        tcase_add_test(tcase, the_note_of_a_session_is_encrypted);
        tcase_add_test(tcase, killed_and_not_finished);
        return test_run("job-vsphere", tcase);
}
