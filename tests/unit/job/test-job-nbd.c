/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NBD at both ends, and everything that can go wrong in mid-copy: servers that fail, are slow or go away, a
 * job that is killed or stopped, a disk that is full. Servers are nbdkit's; 77 (skipped) without it.
 *
 * check: all */

#include <endian.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include "engine/qcow2-layout.h"
#include "job/convert.h"
#include "job/report.h"
#include "spec/job-result.h"
#include "unit/lib/job-servers.h"

#define SIZE (48 * MIB)

static char *uri_of(const char *dir) {
        return test_keep(strprintf("nbd+unix:///?socket=%s/nbd", dir));
}

static Plan nbd_to_file(const char *dir) {
        make_disk(PATH(dir, "disk.raw"), SIZE, 7);
        return (Plan){ .directory = PATH(dir, "job"),
                .source = uri_of(dir),
                .destination = PATH(dir, "result"),
                .destination_format = "qcow2" };
}

static Plan file_to_nbd(const char *dir, uint64_t size) {
        char *raw = PATH(dir, "disk.raw"), *image = PATH(dir, "disk.vmdk");

        make_disk(raw, size, 7);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", raw, image);
        return (Plan){ .directory = PATH(dir, "job"), .source = image, .destination = uri_of(dir) };
}

/* --- it works -------------------------------------------------------------------------------------- */

START_TEST(from_a_server) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);
        pid_t server = SERVE(PATH(dir, "nbd"), "file", PATH(dir, "disk.raw"));

        p.verify = true;
        assert_converts(&p);
        child_kill(server);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, "qcow2");
}
END_TEST

START_TEST(to_a_server) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = file_to_nbd(dir, SIZE);
        char *out = PATH(dir, "out.raw");

        write_text(out, "old content that must be gone");
        ck_assert_int_eq(truncate(out, SIZE), 0);
        pid_t server = SERVE(PATH(dir, "nbd"), "file", out);
        p.verify = true;
        assert_converts(&p);
        child_kill(server);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", out, "raw");
}
END_TEST

START_TEST(with_a_pre_shared_key) {
        static const char key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        static const char *const users[] = { "hyper", "alice" };
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);
        _cleanup_free_ char *keys = strprintf("%s:%s\n", users[_i], key);
        _cleanup_free_ char *option = strprintf("--tls-psk=%s/keys", dir);
        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", dir);
        _cleanup_free_ char *uri = strprintf("nbds+unix:///?socket=%s/nbd", dir);
        const char *const run[] = { "env", credentials, "./hyper-job", "run", p.directory, NULL };
        _cleanup_child_output_ ChildOutput o = {};

        write_text(PATH(dir, "keys"), keys);
        pid_t server = SERVE(PATH(dir, "nbd"), "--tls=require", option, "file", PATH(dir, "disk.raw"));
        /* A bare key goes with the user "hyper", a key file brings its user along. */
        write_text(PATH(dir, "source.tls_psk"), _i == 0 ? key : keys);
        p.source = uri;
        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(run_argv(run, &o), 0);
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        ck_assert_ptr_null(strstr(o.errors, "0011"));
        child_kill(server);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, "qcow2");
}
END_TEST

/* --- it does not ----------------------------------------------------------------------------------- */

START_TEST(no_server_is_transient) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);

        ck_assert_int_eq(attempt(&p), JOB_EXIT_TRANSIENT);
        assert_ended(&p, OUTCOME_TRANSIENT, "connection_failed");
}
END_TEST

START_TEST(a_disk_that_is_too_small_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = file_to_nbd(dir, SIZE);
        pid_t server = SERVE(PATH(dir, "nbd"), "memory", "size=1M");

        ck_assert_int_eq(attempt(&p), JOB_EXIT_FAILED);
        child_kill(server);
        assert_ended(&p, OUTCOME_FAILED, "destination_refused");
}
END_TEST

START_TEST(a_read_only_disk_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = file_to_nbd(dir, SIZE);
        pid_t server = SERVE(PATH(dir, "nbd"), "-r", "memory", "size=64M");

        ck_assert_int_eq(attempt(&p), JOB_EXIT_FAILED);
        child_kill(server);
        assert_ended(&p, OUTCOME_FAILED, "destination_refused");
}
END_TEST

START_TEST(a_disk_that_forgets_is_found_out) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = file_to_nbd(dir, SIZE);
        pid_t server = SERVE(PATH(dir, "nbd"), "null", "size=48M");

        p.verify = true;
        ck_assert_int_eq(attempt(&p), JOB_EXIT_FAILED);
        child_kill(server);
        assert_ended(&p, OUTCOME_FAILED, "verification_failed");
}
END_TEST

START_TEST(read_errors_are_transient_and_the_next_attempt_is_right) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);

        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=error", "file", PATH(dir, "disk.raw"),
                        "error-pread=EIO", "error-pread-rate=20%");
        ck_assert_int_eq(attempt(&p), JOB_EXIT_TRANSIENT);
        assert_ended(&p, OUTCOME_TRANSIENT, "io_error");
        ck_assert(!file_exists(p.destination));
        child_kill(server);
        server = SERVE(PATH(dir, "nbd"), "file", PATH(dir, "disk.raw"));
        p.attempt = 2;
        assert_converts(&p);
        child_kill(server);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, "qcow2");
}
END_TEST

START_TEST(write_errors_are_transient) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = file_to_nbd(dir, SIZE);
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=error", "memory", "size=48M", "error-pwrite=ENOSPC",
                        "error-pwrite-rate=50%");

        ck_assert_int_eq(attempt(&p), JOB_EXIT_TRANSIENT);
        child_kill(server);
        assert_ended(&p, OUTCOME_TRANSIENT, "no_space");
}
END_TEST

START_TEST(a_server_that_goes_away_is_transient) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", PATH(dir, "disk.raw"), "rate=16M");
        FILE *lines;

        pid_t job = start_job(&p, &lines);
        wait_for_progress(lines);
        child_kill(server);
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_TRANSIENT);
        assert_ended(&p, OUTCOME_TRANSIENT, "connection_failed");
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        ck_assert(!file_exists(p.destination));
}
END_TEST

START_TEST(a_local_server_that_dies_is_transient) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = file_to_nbd(dir, 6 * SIZE); /* more than is read ahead */
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "memory", "size=288M", "rate=16M");
        FILE *lines;

        pid_t job = start_job(&p, &lines);
        wait_for_progress(lines);
        _cleanup_free_ char *path = strprintf("/proc/%d/task/%d/children", job, job), *children = NULL;
        ck_assert_int_eq(read_file_at(AT_FDCWD, path, 4096, &children, NULL), 0);
        for (char *s = children, *end; *s; s = end) {
                long pid = strtol(s, &end, 10);
                if (pid > 0)
                        ck_assert_int_eq(kill((pid_t) pid, SIGKILL), 0);
                end += strspn(end, " \n");
        }
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_TRANSIENT);
        child_kill(server);
        assert_ended(&p, OUTCOME_TRANSIENT, "server_died");
}
END_TEST

/* --- interrupted jobs ------------------------------------------------------------------------------ */

START_TEST(a_killed_job_goes_on_from_its_checkpoint) {
        static const char *const formats[] = { "qcow2", "raw", "vmdk" };
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);
        char *part = test_keep(part_dir(p.destination));
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", PATH(dir, "disk.raw"), "rate=16M");
        FILE *lines;

        p.destination_format = formats[_i];
        pid_t job = start_job(&p, &lines);
        wait_for_checkpoint(part);
        ck_assert_int_eq(kill(job, SIGKILL), 0);
        ck_assert_int_eq(wait_job(job, lines), -SIGKILL);
        remove_runtime(job);
        child_kill(server);
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        ck_assert(!file_exists(p.destination));
        ck_assert(file_exists(part));

        server = SERVE(PATH(dir, "nbd"), "file", PATH(dir, "disk.raw"));
        p.attempt = 2;
        p.verify = true;
        assert_converts(&p);
        child_kill(server);
        ck_assert_int_gt(metric(&p, "bytes_resumed"), 0);
        ck_assert_int_lt(metric(&p, "bytes_read"), SIZE / 3);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, formats[_i]);
}
END_TEST

/* Nothing but the disks of the job tells whether a checkpoint may be used. */
START_TEST(a_checkpoint_of_another_source_is_not_used) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", PATH(dir, "disk.raw"), "rate=16M");
        FILE *lines;

        pid_t job = start_job(&p, &lines);
        wait_for_progress(lines);
        ck_assert_int_eq(kill(job, SIGTERM), 0);
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_CANCELLED);
        child_kill(server);
        make_disk(PATH(dir, "other.raw"), SIZE, 8);
        p.source = PATH(dir, "other.raw");
        p.attempt = 2;
        assert_converts(&p);
        ck_assert_int_eq(metric(&p, "bytes_resumed"), 0);
        assert_same_disk(PATH(dir, "other.raw"), "raw", p.destination, "qcow2");
}
END_TEST

/* The first attempt is stopped in the middle. */
static Plan interrupted(const char *dir) {
        Plan p = nbd_to_file(dir);
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", PATH(dir, "disk.raw"), "rate=16M");
        FILE *lines;
        pid_t job = start_job(&p, &lines);

        wait_for_checkpoint(test_keep(part_dir(p.destination)));
        ck_assert_int_eq(kill(job, SIGTERM), 0);
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_CANCELLED);
        child_kill(server);
        SERVE(PATH(dir, "nbd"), "file", PATH(dir, "disk.raw"));
        p.attempt = 2;
        return p;
}

START_TEST(a_checkpoint_that_cannot_be_read_is_not_used) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = interrupted(dir);
        _cleanup_free_ char *part = part_dir(p.destination);
        FILE *lines;

        write_text(PATH(part, "checkpoint"), "{\"version\": 1, \"size");
        pid_t job = start_job(&p, &lines);
        wait_for_line(lines, "What an earlier attempt left is not used: its checkpoint cannot be read");
        ck_assert_int_eq(wait_job(job, lines), 0);
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        ck_assert_int_eq(metric(&p, "bytes_resumed"), 0);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, "qcow2");
}
END_TEST

START_TEST(an_unfinished_image_that_was_damaged_is_transient_and_begun_anew) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = interrupted(dir);
        _cleanup_free_ char *part = part_dir(p.destination);
        _cleanup_close_ int fd = open(PATH(part, "image"), O_RDWR | O_CLOEXEC);
        uint64_t l2, entry;
        Qcow2Layout l;

        /* Two clusters in one place, which is found only when all tables are gone through in the end. */
        ck_assert_int_eq(qcow2_layout(SIZE, &l), 0);
        ck_assert_int_eq(pread(fd, &l2, sizeof(l2), (off_t) l.l1), sizeof(l2));
        off_t at = (off_t) (be64toh(l2) & QCOW2_OFFSET_MASK);
        ck_assert_int_eq(pread(fd, &entry, sizeof(entry), at), sizeof(entry));
        ck_assert_int_eq(pwrite(fd, &entry, sizeof(entry), at + 8), sizeof(entry));

        ck_assert_int_eq(attempt(&p), JOB_EXIT_TRANSIENT);
        assert_ended(&p, OUTCOME_TRANSIENT, "output_damaged");
        p.attempt = 3;
        assert_converts(&p);
        ck_assert_int_eq(metric(&p, "bytes_resumed"), 0);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, "qcow2");
}
END_TEST

START_TEST(a_cancelled_job_leaves_nothing) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);
        char *part = test_keep(part_dir(p.destination));
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", PATH(dir, "disk.raw"), "rate=16M");
        FILE *lines;

        pid_t job = start_job(&p, &lines);
        wait_for_progress(lines);
        write_text(PATH(p.directory, "cancelled"), "");
        ck_assert_int_eq(kill(job, SIGTERM), 0);
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_CANCELLED);
        assert_ended(&p, OUTCOME_CANCELLED, "cancelled");
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        child_kill(server);
        ck_assert(!file_exists(part));
        ck_assert(!file_exists(p.destination));
}
END_TEST

START_TEST(a_cancel_after_the_last_byte_still_counts) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);
        char *part = test_keep(part_dir(p.destination));

        p.source = PATH(dir, "disk.raw");
        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(hyper_job("run", p.directory), 0);
        write_text(PATH(p.directory, "cancelled"), "");
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        ck_assert(!file_exists(part));
        ck_assert(!file_exists(p.destination));
}
END_TEST

/* Whoever claims the end first has it. */
START_TEST(a_cancel_and_the_publishing_exclude_each_other) {
        for (unsigned cancelled = 0; cancelled < 2; cancelled++) {
                _cleanup_test_dir_ char *dir = test_dir();
                Plan p = nbd_to_file(dir);
                char *part = test_keep(part_dir(p.destination));

                p.source = PATH(dir, "disk.raw");
                write_plan(&p);
                ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
                ck_assert_int_eq(hyper_job("run", p.directory), 0);
                if (cancelled)
                        ck_assert_int_eq(job_mark_claim(p.directory, JOB_MARK_CANCELLED), 0);
                ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
                ck_assert_int_eq(job_mark_is_claimed(p.directory, JOB_MARK_PUBLISHED), !cancelled);
                ck_assert_int_eq(job_mark_is_set(p.directory, JOB_MARK_PUBLISHED), !cancelled);
                ck_assert_int_eq(file_exists(p.destination), !cancelled);
                ck_assert(!file_exists(part));
                if (!cancelled)
                        ck_assert_int_eq(job_mark_claim(p.directory, JOB_MARK_CANCELLED), -EALREADY);
        }
}
END_TEST

START_TEST(a_stopped_job_that_was_not_cancelled_goes_on_later) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", PATH(dir, "disk.raw"), "rate=16M");
        FILE *lines;

        pid_t job = start_job(&p, &lines);
        wait_for_progress(lines);
        ck_assert_int_eq(kill(job, SIGTERM), 0);
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_CANCELLED);
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        child_kill(server);
        server = SERVE(PATH(dir, "nbd"), "file", PATH(dir, "disk.raw"));
        p.attempt = 2;
        assert_converts(&p);
        child_kill(server);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, "qcow2");
}
END_TEST

START_TEST(a_unit_that_did_not_succeed_publishes_nothing) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);
        const char *finish = "./hyper-job";

        p.source = PATH(dir, "disk.raw");
        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(hyper_job("run", p.directory), 0);
        RUN("env", "SERVICE_RESULT=timeout", "EXIT_CODE=killed", "EXIT_STATUS=TERM", finish, "finish",
                        p.directory);
        ck_assert(!file_exists(p.destination));
        /* What systemd does not say is no success either. */
        RUN("env", "SERVICE_RESULT=success", "EXIT_CODE=exited", finish, "finish", p.directory);
        ck_assert_int_eq(hyper_job("finish", p.directory), 0);
        ck_assert(!file_exists(p.destination));
        p.attempt = 2;
        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(hyper_job("run", p.directory), 0);
        RUN("env", "SERVICE_RESULT=success", "EXIT_CODE=exited", "EXIT_STATUS=0", finish, "finish",
                        p.directory);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, "qcow2");
}
END_TEST

/* --- a full disk ----------------------------------------------------------------------------------- */

/* False if this process may not mount: then there is nothing to test. */
static bool mount_small(const char *path) {
        ck_assert_int_eq(mkdir(path, 0700), 0);
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
                return false;
        return mount("tmpfs", path, "tmpfs", 0, "size=8M") == 0;
}

START_TEST(a_full_disk_is_transient) {
        static const char *const formats[] = { "qcow2", "raw", "vmdk" };
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = nbd_to_file(dir);
        char *small = PATH(dir, "small");

        if (!mount_small(small))
                return;
        p.source = PATH(dir, "disk.raw");
        p.destination = PATH(small, "result");
        p.destination_format = formats[_i];
        ck_assert_int_eq(attempt(&p), JOB_EXIT_TRANSIENT);
        assert_ended(&p, OUTCOME_TRANSIENT, "no_space");
        ck_assert(!file_exists(p.destination));
        ck_assert_int_eq(mount("none", small, "none", MS_REMOUNT, "size=64M"), 0);
        p.attempt = 2;
        p.verify = true;
        assert_converts(&p);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, formats[_i]);
        ck_assert_int_eq(umount2(small, MNT_DETACH), 0);
}
END_TEST

START_TEST(a_disk_that_cannot_hold_it_is_found_out_early) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = file_to_nbd(dir, SIZE);
        char *small = PATH(dir, "small");

        if (!mount_small(small))
                return;
        p.destination = PATH(small, "result");
        p.destination_format = "qcow2";
        ck_assert_int_eq(attempt(&p), JOB_EXIT_TRANSIENT);
        assert_ended(&p, OUTCOME_TRANSIENT, "no_space");
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_ptr_nonnull(strstr(r->message, "more must be free"));
        ck_assert_int_eq(umount2(small, MNT_DETACH), 0);
}
END_TEST

START_TEST(what_is_written_already_is_no_part_of_the_shortage) {
        static const struct {
                uint64_t source, written, available;
                bool sure;
                const char *text;
        } cases[] = {
                { 10 * MIB, 0, 4 * MIB, true,
                                "The file system of /d cannot hold the disk: the source takes 10.0 MiB, and "
                                "6.0 MiB more "
                                "must be free" },
                { 10 * MIB, 5 * MIB, 4 * MIB, false,
                                "The file system of /d may be too small: the source takes 10.0 MiB, of "
                                "which 5.0 MiB are "
                                "written already, and 1.0 MiB more must be free" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = convert_space_text(
                                "/d", cases[i].source, cases[i].written, cases[i].available, cases[i].sure);
                ck_assert_str_eq(text, cases[i].text);
        }
}
END_TEST

START_TEST(the_bar_waits_for_the_flush) {
        Report r;

        report_init(&r, "bar");
        r.print = false;
        r.work_total = 2 * SIZE; /* two disks */
        report_progress(&r, "Converting disk 1", SIZE, SIZE, 0, true);
        ck_assert_double_eq_tol(r.percent, 49.5, 1e-6);
        report_flush(&r, SIZE, 812 * MIB);
        ck_assert_double_eq_tol(r.percent, 49.5, 1e-6);
        report_step_done(&r, SIZE);
        report_progress(&r, "Converting disk 2", SIZE, SIZE, 0, true);
        report_flush(&r, SIZE, MIB);
        ck_assert_double_eq_tol(r.percent, 99.5, 1e-6);
        report_complete(&r);
        report_phase(&r, PHASE_FINALIZATION, "Finishing");
        ck_assert_double_eq_tol(r.percent, 100, 1e-6);
}
END_TEST

#define LOOP(test, n) tcase_add_loop_test(tcase, test, 0, (int) (n))

int main(void) {
        const TTest *const tests[] = { from_a_server, to_a_server, no_server_is_transient,
                a_disk_that_is_too_small_is_refused, a_read_only_disk_is_refused,
                the_bar_waits_for_the_flush, what_is_written_already_is_no_part_of_the_shortage,
                a_disk_that_forgets_is_found_out, read_errors_are_transient_and_the_next_attempt_is_right,
                write_errors_are_transient, a_server_that_goes_away_is_transient,
                a_local_server_that_dies_is_transient, a_checkpoint_of_another_source_is_not_used,
                a_checkpoint_that_cannot_be_read_is_not_used,
                an_unfinished_image_that_was_damaged_is_transient_and_begun_anew,
                a_cancelled_job_leaves_nothing, a_cancel_after_the_last_byte_still_counts,
                a_cancel_and_the_publishing_exclude_each_other,
                a_stopped_job_that_was_not_cancelled_goes_on_later,
                a_unit_that_did_not_succeed_publishes_nothing,
                a_disk_that_cannot_hold_it_is_found_out_early };
        TCase *tcase = test_case("nbd", 120, tests, ELEMENTSOF(tests));

        if (!program_exists("nbdkit")) {
                fprintf(stderr, "nbdkit is not installed\n");
                return 77;
        }
        LOOP(with_a_pre_shared_key, 2);
        LOOP(a_killed_job_goes_on_from_its_checkpoint, 3);
        LOOP(a_full_disk_is_transient, 3);
        return test_run("nbd", tcase);
}
