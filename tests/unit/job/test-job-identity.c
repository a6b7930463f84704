/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When a copy may go on: only from what was read of the very same source.
 *
 * check: all */

#include "job/identity.h"
#include "spec/job-result.h"
#include "unit/lib/job-servers.h"

#define SIZE (48 * MIB)

static struct stat file_stat(void) {
        return (struct stat){ .st_mode = S_IFREG | 0644,
                .st_dev = 1,
                .st_ino = 2,
                .st_size = 3,
                .st_mtim = { 4, 5 },
                .st_ctim = { 6, 7 } };
}

static char *identity_of(const struct stat *st, const char *job_id) {
        _cleanup_strv_free_ char **lines = NULL;

        ck_assert_int_eq(identity_add_file(&lines, "/srv/a", st, job_id), 0);
        ck_assert_uint_eq(strv_length(lines), 1);
        return test_keep(strdup(lines[0]));
}

START_TEST(each_property_of_a_file_counts) {
        struct stat st = file_stat();
        const char *before = identity_of(&st, "a");

        ck_assert_str_eq(identity_of(&st, "b"), before);
        st.st_dev++;
        ck_assert_str_ne(identity_of(&st, "a"), before);
        st = file_stat(), st.st_ino++;
        ck_assert_str_ne(identity_of(&st, "a"), before);
        st = file_stat(), st.st_size++;
        ck_assert_str_ne(identity_of(&st, "a"), before);
        st = file_stat(), st.st_mtim.tv_nsec++;
        ck_assert_str_ne(identity_of(&st, "a"), before);
        st = file_stat(), st.st_ctim.tv_nsec++;
        ck_assert_str_ne(identity_of(&st, "a"), before);
}
END_TEST

START_TEST(a_device_is_known_within_a_job_only) {
        struct stat st = file_stat();

        st.st_mode = S_IFBLK | 0600;
        const char *before = identity_of(&st, "a");
        st.st_mtim.tv_sec++;
        ck_assert_str_eq(identity_of(&st, "a"), before);
        ck_assert_str_ne(identity_of(&st, "b"), before);
        st.st_rdev++;
        ck_assert_str_ne(identity_of(&st, "a"), before);
}
END_TEST

START_TEST(long_identities_are_shortened) {
        _cleanup_free_ char *same = identity_shortened("12345678", 8);
        _cleanup_free_ char *a = identity_shortened("123456789", 8), *b = identity_shortened("123456780", 8);

        ck_assert_str_eq(same, "12345678");
        ck_assert_uint_eq(strlen(a), strlen("sha256:") + 64);
        ck_assert_str_ne(a, b);
}
END_TEST

/* The job is stopped in the middle, at a checkpoint. */
static void interrupt_at_a_checkpoint(const Plan *p) {
        _cleanup_free_ char *part = part_dir(p->destination);
        FILE *lines;
        pid_t job = start_job(p, &lines);

        wait_for_checkpoint(part);
        ck_assert_int_eq(kill(job, SIGTERM), 0);
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_CANCELLED);
}

/* The same URI, the same size, another disk: only the job itself could know that it is still the one it
 * began with. */
START_TEST(another_job_does_not_go_on_from_a_server) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = { .directory = PATH(dir, "job"),
                .source = test_keep(strprintf("nbd+unix:///?socket=%s/nbd", dir)),
                .destination = PATH(dir, "result"),
                .destination_format = "qcow2",
                .job_id = "monday" };

        make_disk(PATH(dir, "disk.raw"), SIZE, 7);
        make_disk(PATH(dir, "other.raw"), SIZE, 8);
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", PATH(dir, "disk.raw"), "rate=16M");
        interrupt_at_a_checkpoint(&p);
        child_kill(server);

        server = SERVE(PATH(dir, "nbd"), "file", PATH(dir, "other.raw"));
        p.directory = PATH(dir, "job2");
        p.job_id = "tuesday";
        assert_converts(&p);
        child_kill(server);
        ck_assert_int_eq(metric(&p, "bytes_resumed"), 0);
        assert_same_disk(PATH(dir, "other.raw"), "raw", p.destination, "qcow2");
}
END_TEST

/* A file to a server that is slow; what the job knows of the copy is in its own directory. */
static Plan file_to_slow_server(const char *dir, pid_t *ret_server) {
        char *disk = PATH(dir, "disk.raw");

        make_disk(disk, SIZE, 7);
        write_text(PATH(dir, "out.raw"), "old content that must be gone");
        ck_assert_int_eq(truncate(PATH(dir, "out.raw"), SIZE), 0);
        *ret_server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", PATH(dir, "out.raw"), "rate=16M");
        return (Plan){ .directory = PATH(dir, "job"),
                .source = disk,
                .source_format = "raw",
                .destination = test_keep(strprintf("nbd+unix:///?socket=%s/nbd", dir)) };
}

static void interrupt_at_its_own_checkpoint(const Plan *p) {
        FILE *lines;
        pid_t job = start_job(p, &lines);

        wait_for_line(lines, "Converting 1 disk"); /* its directory is there now */
        wait_for_checkpoint(test_keep(strprintf("%s/results/part", p->directory)));
        ck_assert_int_eq(kill(job, SIGTERM), 0);
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_CANCELLED);
}

START_TEST(a_server_as_destination_is_gone_on_with) {
        _cleanup_test_dir_ char *dir = test_dir();
        pid_t server;
        Plan p = file_to_slow_server(dir, &server);

        interrupt_at_its_own_checkpoint(&p);
        child_kill(server);
        server = SERVE(PATH(dir, "nbd"), "file", PATH(dir, "out.raw"));
        p.attempt = 2;
        p.verify = true;
        assert_converts(&p);
        child_kill(server);
        ck_assert_int_gt(metric(&p, "bytes_resumed"), 0);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", PATH(dir, "out.raw"), "raw");
}
END_TEST

/* Nothing but ctime tells: a program that sets mtime back, as rsync and cp -p do. */
START_TEST(content_that_changed_under_an_old_mtime_is_begun_anew) {
        _cleanup_test_dir_ char *dir = test_dir();
        pid_t server;
        Plan p = file_to_slow_server(dir, &server);
        struct stat st;

        interrupt_at_its_own_checkpoint(&p);
        child_kill(server);
        ck_assert_int_eq(stat(p.source, &st), 0);
        const struct timespec times[] = { st.st_atim, st.st_mtim };
        make_disk(PATH(dir, "other.raw"), SIZE, 8);
        RUN("dd", "status=none", "conv=notrunc", test_keep(strprintf("if=%s/other.raw", dir)),
                        test_keep(strprintf("of=%s", p.source)));
        ck_assert_int_eq(utimensat(AT_FDCWD, p.source, times, 0), 0);

        server = SERVE(PATH(dir, "nbd"), "file", PATH(dir, "out.raw"));
        p.attempt = 2;
        assert_converts(&p);
        child_kill(server);
        ck_assert_int_eq(metric(&p, "bytes_resumed"), 0);
        assert_same_disk(PATH(dir, "other.raw"), "raw", PATH(dir, "out.raw"), "raw");
}
END_TEST

/* The same while the job runs. */
START_TEST(a_source_whose_mtime_was_set_back_is_noticed) {
        _cleanup_test_dir_ char *dir = test_dir();
        pid_t server;
        Plan p = file_to_slow_server(dir, &server);
        struct stat st;
        FILE *lines;

        pid_t job = start_job(&p, &lines);
        wait_for_progress(lines);
        ck_assert_int_eq(stat(p.source, &st), 0);
        const struct timespec times[] = { st.st_atim, st.st_mtim };
        _cleanup_close_ int fd = open(p.source, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite_full(fd, "changed", 7, 0), 0);
        ck_assert_int_eq(futimens(fd, times), 0);
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_FAILED);
        child_kill(server);
        assert_ended(&p, OUTCOME_FAILED, "source_changed");
}
END_TEST

int main(void) {
        const TTest *const tests[] = { each_property_of_a_file_counts, a_device_is_known_within_a_job_only,
                long_identities_are_shortened, another_job_does_not_go_on_from_a_server,
                a_server_as_destination_is_gone_on_with,
                content_that_changed_under_an_old_mtime_is_begun_anew,
                a_source_whose_mtime_was_set_back_is_noticed };
        TCase *tcase = test_case("job-identity", 120, tests, ELEMENTSOF(tests));

        if (!program_exists("nbdkit") || !program_exists("qemu-nbd"))
                return 77;
        return test_run("job-identity", tcase);
}
