/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "job/publish.h"
#include "unit/lib/job-front.h"

typedef struct Place {
        char *dir, *job, *destination, *part;
        int job_fd;
        PartDirectory directory;
        JobEndpoint endpoint; /* the destination */
} Place;

static void place_done(Place *p) {
        part_directory_done(&p->directory);
        close(p->job_fd);
        test_dir_freep(&p->dir);
}
#define _cleanup_place_ _cleanup_(place_done)

static void open_place(Place *p) {
        _cleanup_free_ char *why = NULL;

        part_directory_done(&p->directory);
        int r = part_directory_open(p->part, &p->directory, &why);
        ck_assert_msg(r == 0, "%s %s", strerror(-r), strna(why));
}

static Place make_place(unsigned n_disks) {
        Place p = { .dir = test_dir(), .directory = PART_DIRECTORY_INIT };

        p.job = PATH(p.dir, "job");
        p.destination = PATH(p.dir, "vm.qcow2");
        p.endpoint = (JobEndpoint){ .type = ENDPOINT_FILE, .path = p.destination, .format = FORMAT_QCOW2 };
        p.part = PATH(p.dir, ".vm.qcow2.hyper-part");
        ck_assert_int_eq(mkdir(p.job, 0700), 0);
        p.job_fd = open(p.job, O_RDONLY | O_DIRECTORY);
        open_place(&p);
        ck_assert_int_eq(part_directory_make(&p.directory), 0);
        for (unsigned i = 1; i <= n_disks; i++) {
                char text[2] = { (char) ('0' + i) };
                _cleanup_close_ int fd = -EBADF;
                ck_assert_int_eq(part_directory_disk(p.directory.fd, i, true, &fd), 0);
                write_text(i == 1 ? PATH(p.part, "image") : PATH(p.part, "disk%u/image", i), text);
                write_text(i == 1 ? PATH(p.part, "checkpoint") : PATH(p.part, "disk%u/checkpoint", i), "{}");
        }
        return p;
}

static int publish(Place *p, unsigned n, char **ret_why) {
        *ret_why = NULL;
        return outputs_publish(&p->directory, p->job_fd, geteuid(), &p->endpoint, n, NULL, NULL, ret_why);
}

static void assert_content(const char *path, const char *text) {
        _cleanup_free_ char *content = read_text(path, NULL);
        ck_assert_str_eq(content, text);
}

START_TEST(output_names_are_told_apart) {
        static const char *const names[][3] = {
                { "/a/vm.qcow2", "2", "/a/vm-disk2.qcow2" },
                { "/a/vm", "3", "/a/vm-disk3" },
                { "/a.b/vm", "2", "/a.b/vm-disk2" },
                { "/a/.vm", "2", "/a/.vm-disk2" },
                { "/a/vm.tar.raw", "10", "/a/vm.tar-disk10.raw" },
                { "/a/vm.raw", "1", "/a/vm.raw" },
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const JobEndpoint e = { .path = (char *) names[i][0], .format = FORMAT_RAW };
                _cleanup_free_ char *path = layout_path(&e, (unsigned) atoi(names[i][1]));
                ck_assert_str_eq(path, names[i][2]);
        }
}
END_TEST

START_TEST(images_get_their_names_once) {
        _cleanup_place_ Place p = make_place(3);
        _cleanup_free_ char *why = NULL, *again = NULL;

        ck_assert_int_eq(publish(&p, 3, &why), 0);
        assert_content(p.destination, "1");
        assert_content(PATH(p.dir, "vm-disk2.qcow2"), "2");
        assert_content(PATH(p.dir, "vm-disk3.qcow2"), "3");
        ck_assert(!file_exists(p.part));
        ck_assert(marker_exists(p.job_fd, JOB_MARK_PUBLISHED));
        open_place(&p);
        ck_assert_int_eq(publish(&p, 3, &again), 0);
        assert_content(p.destination, "1");
}
END_TEST

/* Cut off after the first of three renames, and after the last one. */
START_TEST(a_publication_that_was_cut_off_is_finished) {
        _cleanup_place_ Place p = make_place(3);
        _cleanup_free_ char *why = NULL, *again = NULL;

        write_text(PATH(p.dir, "vm-disk2.qcow2"), "in the way");
        ck_assert_int_eq(publish(&p, 3, &why), -EEXIST);
        ck_assert(!file_exists(p.destination));
        ck_assert_ptr_nonnull(strstr(why, "vm-disk2.qcow2"));
        ck_assert(!marker_exists(p.job_fd, RECORD_PUBLISHING));
        ck_assert_int_eq(unlink(PATH(p.dir, "vm-disk2.qcow2")), 0);
        ck_assert_int_eq(publish(&p, 3, &again), 0);

        /* As if the marker had not been reached. */
        ck_assert_int_eq(unlinkat(p.job_fd, JOB_MARK_PUBLISHED, 0), 0);
        open_place(&p);
        _cleanup_free_ char *third = NULL;
        ck_assert_int_eq(publish(&p, 3, &third), 0);
        ck_assert(marker_exists(p.job_fd, JOB_MARK_PUBLISHED));

        /* As if only the first had been renamed. */
        ck_assert_int_eq(unlinkat(p.job_fd, JOB_MARK_PUBLISHED, 0), 0);
        ck_assert_int_eq(part_directory_make(&p.directory), 0);
        _cleanup_close_ int fd = -EBADF;
        ck_assert_int_eq(part_directory_disk(p.directory.fd, 2, true, &fd), 0);
        ck_assert_int_eq(rename(PATH(p.dir, "vm-disk2.qcow2"), PATH(p.part, "disk2/image")), 0);
        _cleanup_free_ char *fourth = NULL;
        ck_assert_int_eq(publish(&p, 3, &fourth), 0);
        assert_content(PATH(p.dir, "vm-disk2.qcow2"), "2");
        ck_assert(!file_exists(p.part));
}
END_TEST

/* --- killed at each step --------------------------------------------------------------------------- */

/* Runs publish() in a child that is killed when it enters its @n-th system call. True if it got to its
 * end. */
static bool publish_killed_at(Place *p, unsigned n) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                char *why = NULL;
                if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
                        _exit(3);
                _exit(publish(p, 3, &why) == 0 ? 0 : 2);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSTOPPED(status));
        ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *) PTRACE_O_TRACESYSGOOD), 0);
        for (unsigned i = 0; i < 2 * n; i++) {
                ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
                ck_assert_int_eq(waitpid(pid, &status, 0), pid);
                if (WIFEXITED(status)) {
                        ck_assert_int_eq(WEXITSTATUS(status), 0);
                        return true;
                }
        }
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        return false;
}

static unsigned count_outputs(Place *p) {
        return (unsigned) file_exists(p->destination) +
                        (unsigned) file_exists(PATH(p->dir, "vm-disk2.qcow2")) +
                        (unsigned) file_exists(PATH(p->dir, "vm-disk3.qcow2"));
}

/* A restart finishes it, whatever the step. */
START_TEST(a_killed_publication_is_finished) {
        bool ended = false, half = false;

        for (unsigned n = 1; !ended; n++) {
                _cleanup_place_ Place p = make_place(3);
                _cleanup_free_ char *why = NULL;
                ended = publish_killed_at(&p, n);
                half = half || (count_outputs(&p) > 0 && count_outputs(&p) < 3);
                open_place(&p);
                int r = publish(&p, 3, &why);
                ck_assert_msg(r == 0, "step %u: %s", n, strna(why));
                assert_content(p.destination, "1");
                assert_content(PATH(p.dir, "vm-disk2.qcow2"), "2");
                assert_content(PATH(p.dir, "vm-disk3.qcow2"), "3");
                ck_assert(marker_exists(p.job_fd, JOB_MARK_PUBLISHED));
        }
        ck_assert(half);
}
END_TEST

/* A cancel takes all of it back, whatever the step, unless it was complete. */
START_TEST(a_killed_publication_is_taken_back) {
        bool ended = false, half = false;

        for (unsigned n = 1; !ended; n++) {
                _cleanup_place_ Place p = make_place(3);
                ended = publish_killed_at(&p, n);
                half = half || (count_outputs(&p) > 0 && count_outputs(&p) < 3);
                if (marker_exists(p.job_fd, JOB_MARK_PUBLISHED))
                        continue;
                open_place(&p);
                ck_assert_int_eq(outputs_unpublish(&p.directory, p.job_fd, &p.endpoint), 0);
                ck_assert_uint_eq(count_outputs(&p), 0);
                assert_content(PATH(p.part, "image"), "1");
                assert_content(PATH(p.part, "disk3/image"), "3");
                ck_assert(!marker_exists(p.job_fd, RECORD_PUBLISHING));
                ck_assert_int_eq(outputs_unpublish(&p.directory, p.job_fd, &p.endpoint), 0);
        }
        ck_assert(half);
}
END_TEST

/* Another program takes the name of the second image after all names were found free. */
START_TEST(a_failure_takes_the_first_image_back) {
        _cleanup_place_ Place p = make_place(3);
        _cleanup_free_ char *why = NULL, *again = NULL, *record = NULL;
        struct stat st[3];

        ck_assert_int_eq(stat(PATH(p.part, "image"), &st[0]), 0);
        ck_assert_int_eq(stat(PATH(p.part, "disk2/image"), &st[1]), 0);
        ck_assert_int_eq(stat(PATH(p.part, "disk3/image"), &st[2]), 0);
        record = strprintf("%ju %ju %ju\n", (uintmax_t) st[0].st_ino, (uintmax_t) st[1].st_ino,
                        (uintmax_t) st[2].st_ino);
        write_text(PATH(p.job, RECORD_PUBLISHING), record);
        write_text(PATH(p.dir, "vm-disk2.qcow2"), "in the way");
        ck_assert_int_eq(publish(&p, 3, &why), -EEXIST);
        ck_assert(!file_exists(p.destination));
        ck_assert(!file_exists(PATH(p.dir, "vm-disk3.qcow2")));
        assert_content(PATH(p.dir, "vm-disk2.qcow2"), "in the way");
        ck_assert(!marker_exists(p.job_fd, RECORD_PUBLISHING));
        ck_assert_int_eq(unlink(PATH(p.dir, "vm-disk2.qcow2")), 0);
        open_place(&p);
        ck_assert_int_eq(publish(&p, 3, &again), 0);
        assert_content(p.destination, "1");
}
END_TEST

/* A file system without RENAME_NOREPLACE gives an image a second name first, and may be cut off then. */
START_TEST(an_image_with_both_names_loses_one) {
        _cleanup_place_ Place p = make_place(1), q = make_place(1);
        _cleanup_free_ char *why = NULL, *a = NULL, *b = NULL;
        struct stat st;

        ck_assert_int_eq(stat(PATH(p.part, "image"), &st), 0);
        a = strprintf("%ju\n", (uintmax_t) st.st_ino);
        write_text(PATH(p.job, RECORD_PUBLISHING), a);
        ck_assert_int_eq(link(PATH(p.part, "image"), p.destination), 0);
        ck_assert_int_eq(publish(&p, 1, &why), 0);
        assert_content(p.destination, "1");
        ck_assert(!file_exists(p.part));

        ck_assert_int_eq(stat(PATH(q.part, "image"), &st), 0);
        b = strprintf("%ju\n", (uintmax_t) st.st_ino);
        write_text(PATH(q.job, RECORD_PUBLISHING), b);
        ck_assert_int_eq(link(PATH(q.part, "image"), q.destination), 0);
        ck_assert_int_eq(outputs_unpublish(&q.directory, q.job_fd, &q.endpoint), 0);
        ck_assert(!file_exists(q.destination));
        assert_content(PATH(q.part, "image"), "1");
}
END_TEST

START_TEST(only_plain_files_are_published) {
        _cleanup_place_ Place p = make_place(1);
        char *image = PATH(p.part, "image");
        _cleanup_free_ char *a = NULL, *b = NULL, *c = NULL;

        ck_assert_int_eq(unlink(image), 0);
        ck_assert_int_eq(publish(&p, 1, &a), -ENOENT);
        ck_assert_int_eq(symlink("/etc/passwd", image), 0);
        ck_assert_int_lt(publish(&p, 1, &b), 0);
        ck_assert_int_eq(unlink(image), 0);
        write_text(PATH(p.dir, "other"), "x");
        ck_assert_int_eq(link(PATH(p.dir, "other"), image), 0);
        ck_assert_int_eq(publish(&p, 1, &c), -EPERM);
        ck_assert(!file_exists(p.destination));
}
END_TEST

START_TEST(a_dangling_symlink_is_in_the_way_too) {
        _cleanup_place_ Place p = make_place(1);
        _cleanup_free_ char *why = NULL;

        ck_assert_int_eq(symlink("/nowhere/at/all", p.destination), 0);
        ck_assert_int_eq(publish(&p, 1, &why), -EEXIST);
        assert_content(PATH(p.part, "image"), "1");
}
END_TEST

START_TEST(an_empty_directory_is_removed) {
        _cleanup_place_ Place empty = make_place(0), used = make_place(1);

        part_directory_remove_empty(&empty.directory);
        ck_assert_int_lt(access(empty.part, F_OK), 0);
        part_directory_remove_empty(&used.directory);
        assert_content(PATH(used.part, "image"), "1");
}
END_TEST

START_TEST(only_known_entries_are_removed) {
        _cleanup_place_ Place p = make_place(2);

        write_text(PATH(p.part, "precious"), "x");
        ck_assert_int_eq(part_directory_remove(&p.directory), -ENOTEMPTY);
        ck_assert(file_exists(PATH(p.part, "precious")));
        ck_assert(!file_exists(PATH(p.part, "image")));
        ck_assert(!file_exists(PATH(p.part, "disk2")));
        ck_assert_int_eq(unlink(PATH(p.part, "precious")), 0);
        ck_assert_int_eq(part_directory_remove(&p.directory), 0);
        ck_assert(!file_exists(p.part));
}
END_TEST

START_TEST(removing_follows_no_symlink) {
        _cleanup_place_ Place p = make_place(1);
        char *other = PATH(p.dir, "other");

        ck_assert_int_eq(mkdir(other, 0700), 0);
        write_text(PATH(other, "image"), "precious");
        ck_assert_int_eq(symlink(other, PATH(p.part, "disk2")), 0);
        ck_assert_int_lt(part_directory_remove(&p.directory), 0);
        assert_content(PATH(other, "image"), "precious");
}
END_TEST

START_TEST(a_directory_of_others_is_not_taken) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *part = PATH(dir, ".vm.hyper-part");
        PartDirectory p = PART_DIRECTORY_INIT;
        _cleanup_free_ char *a = NULL, *b = NULL, *c = NULL;

        ck_assert_int_eq(mkdir(part, 0700), 0);
        ck_assert_int_eq(chmod(part, 0777), 0);
        ck_assert_int_eq(part_directory_open(part, &p, &a), -EPERM);
        ck_assert_int_eq(rmdir(part), 0);
        ck_assert_int_eq(symlink("/tmp", part), 0);
        ck_assert_int_eq(part_directory_open(part, &p, &b), -EPERM);
        ck_assert_int_eq(unlink(part), 0);
        if (geteuid() == 0) {
                ck_assert_int_eq(mkdir(part, 0700), 0);
                ck_assert_int_eq(chown(part, 65534, 65534), 0);
                ck_assert_int_eq(part_directory_open(part, &p, &c), -EPERM);
        }
}
END_TEST

START_TEST(a_symlink_above_is_not_followed) {
        _cleanup_test_dir_ char *dir = test_dir();
        PartDirectory p = PART_DIRECTORY_INIT;
        _cleanup_free_ char *why = NULL;

        ck_assert_int_eq(mkdir(PATH(dir, "real"), 0700), 0);
        ck_assert_int_eq(symlink("real", PATH(dir, "link")), 0);
        ck_assert_int_eq(part_directory_open(PATH(dir, "link/.vm.hyper-part"), &p, &why), -ELOOP);
        ck_assert_int_eq(part_directory_open(PATH(dir, "gone/.vm.hyper-part"), &p, &why), -ENOENT);
}
END_TEST

START_TEST(another_directory_in_its_place_is_noticed) {
        _cleanup_place_ Place p = make_place(0);

        uid_t uid = 0;

        ck_assert_int_eq(part_directory_check_record(p.directory.fd, p.job_fd, NULL), -ENOENT);
        ck_assert_int_eq(part_directory_record(&p.directory, p.job_fd, 61234), 0);
        ck_assert_int_eq(part_directory_check_record(p.directory.fd, p.job_fd, &uid), 0);
        ck_assert_uint_eq(uid, 61234);
        ck_assert_int_eq(rename(p.part, PATH(p.dir, "away")), 0);
        ck_assert_int_eq(mkdir(p.part, 0700), 0);
        open_place(&p);
        ck_assert_int_eq(part_directory_check_record(p.directory.fd, p.job_fd, NULL), -ESTALE);
}
END_TEST

/* Devices are numbered anew at each boot. */
START_TEST(the_device_is_compared_within_a_boot) {
        static const struct {
                const char *boot;
                int r;
        } cases[] = {
                { "", -ESTALE },
                { " rubbish", -ESTALE },
                { " 00112233445566778899aabbccddeeff", 0 },
        };
        _cleanup_place_ Place p = make_place(0);
        struct stat st;

        ck_assert_int_eq(fstat(p.directory.fd, &st), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = strprintf("%ju %ju 61234%s\n", (uintmax_t) st.st_dev + 1,
                                (uintmax_t) st.st_ino, cases[i].boot);

                ck_assert_int_eq(write_file_atomic_at(p.job_fd, RECORD_PREPARED, text, strlen(text), 0644),
                                0);
                ck_assert_int_eq(part_directory_check_record(p.directory.fd, p.job_fd, NULL), cases[i].r);
        }
}
END_TEST

/* Cut off before the image was renamed; then another is there, in the directory or under the name. */
START_TEST(another_image_in_its_place_is_not_published) {
        _cleanup_place_ Place p = make_place(1);
        _cleanup_free_ char *why = NULL, *again = NULL, *inode = NULL;
        struct stat st;

        ck_assert_int_eq(stat(PATH(p.part, "image"), &st), 0);
        inode = strprintf("%ju\n", (uintmax_t) st.st_ino);
        write_text(PATH(p.job, RECORD_PUBLISHING), inode);
        write_text(PATH(p.dir, "other"), "of another job");
        ck_assert_int_eq(rename(PATH(p.dir, "other"), PATH(p.part, "image")), 0);
        ck_assert_int_eq(publish(&p, 1, &why), -ENOENT);
        ck_assert(!file_exists(p.destination));

        ck_assert_int_eq(rename(PATH(p.part, "image"), p.destination), 0);
        open_place(&p);
        ck_assert_int_eq(publish(&p, 1, &again), -EEXIST);
        assert_content(p.destination, "of another job");
        ck_assert(!marker_exists(p.job_fd, JOB_MARK_PUBLISHED));
}
END_TEST

TEST_MAIN("part-directory", output_names_are_told_apart, images_get_their_names_once,
                a_publication_that_was_cut_off_is_finished, only_plain_files_are_published,
                a_dangling_symlink_is_in_the_way_too, an_empty_directory_is_removed,
                only_known_entries_are_removed, removing_follows_no_symlink,
                a_directory_of_others_is_not_taken, a_symlink_above_is_not_followed,
                another_directory_in_its_place_is_noticed, the_device_is_compared_within_a_boot,
                another_image_in_its_place_is_not_published, a_killed_publication_is_finished,
                a_killed_publication_is_taken_back, a_failure_takes_the_first_image_back,
                an_image_with_both_names_loses_one)
