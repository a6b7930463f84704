/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One destination, two jobs: through the same path, or through two mounts of one file system.
 *
 * check: all */

#include <sched.h>
#include <sys/mount.h>
#include <sys/utsname.h>

#include "job/appliance-slot.h"
#include "job/part-lock.h"
#include "spec/job-result.h"
#include "unit/lib/job-servers.h"

#define SIZE (48 * MIB)

/* --- appliances -------------------------------------------------------------------------------------- */

START_TEST(as_many_appliances_run_as_there_are_slots) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_close_ int a = -EBADF, b = -EBADF, c = -EBADF;

        ck_assert_int_eq(appliance_slot_try(dir, 2, &a), -ENOENT);
        for (unsigned i = 0; i < 4; i++) {
                _cleanup_free_ char *path = strprintf("%s/%u", dir, i);
                ck_assert_int_eq(safe_close(open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0444)), -EBADF);
        }
        ck_assert_int_eq(appliance_slot_try(dir, 2, &a), 1);
        ck_assert_int_eq(appliance_slot_try(dir, 2, &b), 1);
        ck_assert_int_eq(appliance_slot_try(dir, 2, &c), 0);
        /* The setting is larger now. */
        ck_assert_int_eq(appliance_slot_try(dir, 64, &c), 1);
        a = safe_close(a);
        ck_assert_int_eq(appliance_slot_try(dir, 1, &a), 1);
        b = safe_close(b);
        ck_assert_int_eq(appliance_slot_try(dir, 1, &b), 0);
}
END_TEST

/* --- the lock itself ------------------------------------------------------------------------------- */

static int lock(const char *directory, const char *id, unsigned flags, int *ret_fd) {
        _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_ge(dir, 0);
        return part_lock(dir, id, flags, ret_fd);
}

START_TEST(one_at_a_time) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_close_ int none = -EBADF, a = -EBADF, b = -EBADF;

        ck_assert_int_eq(lock(dir, "a", 0, &none), 0);
        ck_assert_int_lt(none, 0);
        ck_assert_int_eq(lock(dir, "a", PART_LOCK_TAKE_OVER, &a), 0);
        ck_assert_int_ge(a, 0);
        ck_assert_int_eq(lock(dir, "a", PART_LOCK_TAKE_OVER, &b), -EBUSY);
        ck_assert_int_eq(lock(dir, "a", 0, &b), -EBUSY);
        a = safe_close(a);
        ck_assert_int_eq(lock(dir, "a", 0, &b), 0);
        ck_assert_int_ge(b, 0);
}
END_TEST

START_TEST(the_last_one_to_take_it_has_it) {
        _cleanup_test_dir_ char *dir = test_dir();
        int fd = -EBADF;

        ck_assert_int_eq(lock(dir, "a", PART_LOCK_TAKE_OVER, &fd), 0);
        fd = safe_close(fd);
        ck_assert_int_eq(lock(dir, "b", 0, &fd), -EUSERS);
        ck_assert_int_eq(lock(dir, "b", PART_LOCK_TAKE_OVER, &fd), 0);
        fd = safe_close(fd);
        ck_assert_int_eq(lock(dir, "a", 0, &fd), -EUSERS);
        ck_assert_int_eq(lock(dir, "bb", 0, &fd), -EUSERS);
        ck_assert_int_eq(lock(dir, "b", 0, &fd), 0);
        safe_close(fd);
}
END_TEST

/* The second one is told who has it; whatever ends the first one's process gives the lock free. */
START_TEST(the_lock_ends_with_its_process) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_close_ int fd = -EBADF, part = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct utsname u;
        int tell[2], status;
        char byte;

        ck_assert_int_eq(uname(&u), 0);
        _cleanup_free_ char *nobody = part_lock_owner(part);
        ck_assert_str_eq(nobody, "Another job");
        ck_assert_int_eq(pipe(tell), 0);
        pid_t child = fork();
        if (child == 0) {
                if (lock(dir, "a-1", PART_LOCK_TAKE_OVER, &fd) == 0 && write(tell[1], "x", 1) == 1)
                        for (;;)
                                (void) pause();
                _exit(1);
        }
        ck_assert_int_eq(read(tell[0], &byte, 1), 1);
        ck_assert_int_eq(lock(dir, "b", PART_LOCK_TAKE_OVER, &fd), -EBUSY);
        ck_assert_int_eq(lock(dir, "a-1", 0, &fd), -EBUSY);
        _cleanup_free_ char *owner = part_lock_owner(part),
                            *expected = strprintf("Job a-1 on %s", u.nodename);
        ck_assert_str_eq(owner, expected);

        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(lock(dir, "a", 0, &fd), -EUSERS);
        ck_assert_int_eq(lock(dir, "b", PART_LOCK_TAKE_OVER, &fd), 0);
        (void) close(tell[0]);
        (void) close(tell[1]);
}
END_TEST

/* A server of NFS compares the locks of its own processes with those of its clients, if they are of this
 * kind, which flock(2) is not. */
START_TEST(the_lock_is_one_of_bytes) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_close_ int fd = -EBADF, other = -EBADF;
        struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

        ck_assert_int_eq(lock(dir, "a", PART_LOCK_TAKE_OVER, &fd), 0);
        other = open(PATH(dir, PART_LOCK_FILE), O_RDWR | O_CLOEXEC);
        ck_assert_int_eq(fcntl(other, F_SETLK, &l), -1);
        ck_assert(errno == EAGAIN || errno == EACCES);
}
END_TEST

START_TEST(an_owner_is_as_good_as_its_file) {
        static const struct {
                const char *content, *owner;
        } cases[] = {
                { "", "Another job" },
                { "web-1", "Job web-1" }, /* as earlier versions wrote it */
                { "web-1\nnode-2.example.com", "Job web-1 on node-2.example.com" },
                { "web-1\n", "Job web-1" },
                { "web-1\nnode 2", "Job web-1" },
                { "web-1\n\033[2J", "Job web-1" },
                { "../web", "Another job" },
                { "\nnode-2", "Another job" },
        };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_close_ int part = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                write_text(PATH(dir, PART_LOCK_FILE), cases[i].content);
                _cleanup_free_ char *owner = part_lock_owner(part);
                ck_assert_str_eq(owner, cases[i].owner);
        }
        /* Longer than any */
        _cleanup_free_ char *text = malloc(100001);
        memset(text, 'a', 100000);
        text[100000] = 0;
        write_text(PATH(dir, PART_LOCK_FILE), text);
        _cleanup_free_ char *owner = part_lock_owner(part);
        ck_assert_str_eq(owner, "Another job");
}
END_TEST

START_TEST(only_a_plain_file_is_a_lock) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *path = PATH(dir, PART_LOCK_FILE);
        int fd = -EBADF;

        ck_assert_int_eq(symlink("/etc/passwd", path), 0);
        ck_assert_int_eq(lock(dir, "a", PART_LOCK_TAKE_OVER, &fd), -ELOOP);
        ck_assert_int_eq(unlink(path), 0);
        write_text(PATH(dir, "other"), "precious");
        ck_assert_int_eq(link(PATH(dir, "other"), path), 0);
        ck_assert_int_eq(lock(dir, "a", PART_LOCK_TAKE_OVER, &fd), -EMLINK);
        _cleanup_free_ char *content = read_text(path, NULL);
        ck_assert_str_eq(content, "precious");
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        ck_assert_int_eq(lock(dir, "a", PART_LOCK_TAKE_OVER, &fd), -EBADFD);
}
END_TEST

/* --- jobs ------------------------------------------------------------------------------------------ */

/* The same directory under a second name; false if this process may not mount. */
static bool mount_again(const char *from, const char *to) {
        ck_assert_int_eq(mkdir(to, 0700), 0);
        return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                        mount(from, to, NULL, MS_BIND, NULL) == 0;
}

static Plan plan_to(const char *dir, const char *id, const char *source, const char *destination,
                const char *format) {
        return (Plan){ .directory = PATH(dir, "job-%s", id),
                .job_id = test_keep(strdup(id)),
                .source = source,
                .source_format = source[0] == '/' ? "raw" : NULL,
                .destination = destination,
                .destination_format = format };
}

static const char *const formats[] = { "qcow2", "raw", "vmdk" };

/* Whatever the formats of the two are: the second one is told, and the first one's image is whole. */
START_TEST(two_mounts_are_one_destination) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *out = PATH(dir, "out"), *again = PATH(dir, "again");
        const char *first = formats[_i / 3], *second = formats[_i % 3];
        FILE *lines;

        ck_assert_int_eq(mkdir(out, 0700), 0);
        if (!mount_again(out, again))
                return;
        make_disk(PATH(dir, "disk.raw"), SIZE, 7);
        make_disk(PATH(dir, "other.raw"), 4 * MIB, 8);
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", PATH(dir, "disk.raw"), "rate=32M");
        Plan a = plan_to(dir, "a", test_keep(strprintf("nbd+unix:///?socket=%s/nbd", dir)), PATH(out, "vm"),
                        first);
        Plan b = plan_to(dir, "b", PATH(dir, "other.raw"), PATH(again, "vm"), second);

        pid_t job = start_job(&a, &lines);
        wait_for_progress(lines);
        ck_assert_int_eq(kill(server, SIGSTOP), 0); /* the first job stays in the middle */
        write_plan(&b);
        ck_assert_int_eq(hyper_job("prepare", b.directory), JOB_EXIT_TRANSIENT);
        assert_ended(&b, OUTCOME_TRANSIENT, "destination_busy");
        /* And if prepare was before the other one took the lock: */
        _cleanup_free_ char *record = strprintf("%s/prepared", a.directory);
        RUN("cp", record, b.directory);
        ck_assert_int_eq(hyper_job("run", b.directory), JOB_EXIT_TRANSIENT);
        assert_ended(&b, OUTCOME_TRANSIENT, "destination_busy");
        ck_assert_int_eq(hyper_job("finish-later", b.directory), 0);

        ck_assert_int_eq(kill(server, SIGCONT), 0);
        ck_assert_int_eq(wait_job(job, lines), 0);
        ck_assert_int_eq(hyper_job("finish-later", a.directory), 0);
        child_kill(server);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", a.destination, first);
}
END_TEST

/* The first job's image is complete, and the second begins before it gets its name. */
START_TEST(an_image_that_another_job_took_over_is_not_published) {
        _cleanup_test_dir_ char *dir = test_dir();
        FILE *lines;

        make_disk(PATH(dir, "disk.raw"), 4 * MIB, 7);
        make_disk(PATH(dir, "other.raw"), SIZE, 8);
        Plan a = plan_to(dir, "a", PATH(dir, "disk.raw"), PATH(dir, "vm"), formats[_i]);
        Plan b = plan_to(dir, "b", test_keep(strprintf("nbd+unix:///?socket=%s/nbd", dir)), PATH(dir, "vm"),
                        formats[_i]);
        write_plan(&a);
        ck_assert_int_eq(hyper_job("prepare", a.directory), 0);
        ck_assert_int_eq(hyper_job("run", a.directory), 0);

        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", PATH(dir, "other.raw"), "rate=16M");
        pid_t job = start_job(&b, &lines);
        wait_for_progress(lines);
        ck_assert_int_eq(hyper_job("finish-later", a.directory), JOB_EXIT_TRANSIENT);
        assert_ended(&a, OUTCOME_TRANSIENT, "destination_busy");
        ck_assert(!file_exists(a.destination));

        /* Also when the second one is gone again, in the middle. */
        ck_assert_int_eq(kill(job, SIGKILL), 0);
        ck_assert_int_eq(wait_job(job, lines), -SIGKILL);
        remove_runtime(job);
        child_kill(server);
        write_plan(&a);
        ck_assert_int_eq(hyper_job("finish-later", a.directory), 0); /* its result is a failure by now */
        ck_assert(!file_exists(a.destination));

        server = SERVE(PATH(dir, "nbd"), "file", PATH(dir, "other.raw"));
        b.attempt = 2;
        assert_converts(&b);
        child_kill(server);
        assert_same_disk(PATH(dir, "other.raw"), "raw", b.destination, formats[_i]);
}
END_TEST

/* A job that is cancelled after another one took the directory over removes nothing of it. */
START_TEST(a_cancel_does_not_remove_what_another_job_took_over) {
        _cleanup_test_dir_ char *dir = test_dir();

        make_disk(PATH(dir, "disk.raw"), 4 * MIB, 7);
        make_disk(PATH(dir, "other.raw"), 4 * MIB, 8);
        Plan a = plan_to(dir, "a", PATH(dir, "disk.raw"), PATH(dir, "vm"), "qcow2");
        Plan b = plan_to(dir, "b", PATH(dir, "other.raw"), PATH(dir, "vm"), "qcow2");
        const Plan *const both[] = { &a, &b };
        for (size_t i = 0; i < 2; i++) {
                write_plan(both[i]);
                ck_assert_int_eq(hyper_job("prepare", both[i]->directory), 0);
                ck_assert_int_eq(hyper_job("run", both[i]->directory), 0);
        }
        ck_assert_int_eq(job_mark_set(a.directory, JOB_MARK_CANCELLED), 0);
        ck_assert_int_eq(hyper_job("finish-later", a.directory), 0);
        ck_assert_int_eq(hyper_job("finish-later", b.directory), 0);
        assert_same_disk(PATH(dir, "other.raw"), "raw", b.destination, "qcow2");
}
END_TEST

int main(void) {
        const TTest *const tests[] = { as_many_appliances_run_as_there_are_slots, one_at_a_time,
                the_last_one_to_take_it_has_it, the_lock_ends_with_its_process, the_lock_is_one_of_bytes,
                an_owner_is_as_good_as_its_file, only_a_plain_file_is_a_lock,
                a_cancel_does_not_remove_what_another_job_took_over };
        TCase *tcase = test_case("job-lock", 120, tests, ELEMENTSOF(tests));

        if (!program_exists("nbdkit") || !program_exists("qemu-nbd"))
                return 77;
        tcase_add_loop_test(tcase, two_mounts_are_one_destination, 0, 9);
        tcase_add_loop_test(tcase, an_image_that_another_job_took_over_is_not_published, 0, 3);
        return test_run("job-lock", tcase);
}
