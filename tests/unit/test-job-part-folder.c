/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job-front.h"
#include "job/part-folder.h"

typedef struct Place {
        char *dir, *job, *destination, *part;
        int job_fd;
        PartFolder folder;
} Place;

static void place_done(Place *p) {
        part_folder_done(&p->folder);
        close(p->job_fd);
        test_dir_freep(&p->dir);
}
#define _cleanup_place_ _cleanup_(place_done)

static void open_place(Place *p) {
        _cleanup_free_ char *why = NULL;

        part_folder_done(&p->folder);
        int r = part_folder_open(p->part, &p->folder, &why);
        ck_assert_msg(r == 0, "%s %s", strerror(-r), strna(why));
}

static Place make_place(unsigned n_disks) {
        Place p = { .dir = test_dir(), .folder = PART_FOLDER_INIT };

        p.job = PATH(p.dir, "job");
        p.destination = PATH(p.dir, "vm.qcow2");
        p.part = PATH(p.dir, ".vm.qcow2.hyper-part");
        ck_assert_int_eq(mkdir(p.job, 0700), 0);
        p.job_fd = open(p.job, O_RDONLY | O_DIRECTORY);
        open_place(&p);
        ck_assert_int_eq(part_folder_make(&p.folder), 0);
        for (unsigned i = 1; i <= n_disks; i++) {
                char text[2] = { (char) ('0' + i) };
                _cleanup_close_ int fd = -EBADF;
                ck_assert_int_eq(part_folder_disk(p.folder.fd, i, true, &fd), 0);
                write_text(i == 1 ? PATH(p.part, "image") : PATH(p.part, "disk%u/image", i), text);
                write_text(i == 1 ? PATH(p.part, "checkpoint") : PATH(p.part, "disk%u/checkpoint", i), "{}");
        }
        return p;
}

static int publish(Place *p, unsigned n, char **ret_why) {
        *ret_why = NULL;
        return part_folder_publish(&p->folder, p->job_fd, geteuid(), p->destination, n, ret_why);
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
                _cleanup_free_ char *path = output_path(names[i][0], (unsigned) atoi(names[i][1]));
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
        ck_assert_int_eq(part_folder_make(&p.folder), 0);
        _cleanup_close_ int fd = -EBADF;
        ck_assert_int_eq(part_folder_disk(p.folder.fd, 2, true, &fd), 0);
        ck_assert_int_eq(rename(PATH(p.dir, "vm-disk2.qcow2"), PATH(p.part, "disk2/image")), 0);
        _cleanup_free_ char *fourth = NULL;
        ck_assert_int_eq(publish(&p, 3, &fourth), 0);
        assert_content(PATH(p.dir, "vm-disk2.qcow2"), "2");
        ck_assert(!file_exists(p.part));
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

START_TEST(only_known_entries_are_removed) {
        _cleanup_place_ Place p = make_place(2);

        write_text(PATH(p.part, "precious"), "x");
        ck_assert_int_eq(part_folder_remove(&p.folder), -ENOTEMPTY);
        ck_assert(file_exists(PATH(p.part, "precious")));
        ck_assert(!file_exists(PATH(p.part, "image")));
        ck_assert(!file_exists(PATH(p.part, "disk2")));
        ck_assert_int_eq(unlink(PATH(p.part, "precious")), 0);
        ck_assert_int_eq(part_folder_remove(&p.folder), 0);
        ck_assert(!file_exists(p.part));
}
END_TEST

START_TEST(removing_follows_no_symlink) {
        _cleanup_place_ Place p = make_place(1);
        char *other = PATH(p.dir, "other");

        ck_assert_int_eq(mkdir(other, 0700), 0);
        write_text(PATH(other, "image"), "precious");
        ck_assert_int_eq(symlink(other, PATH(p.part, "disk2")), 0);
        ck_assert_int_lt(part_folder_remove(&p.folder), 0);
        assert_content(PATH(other, "image"), "precious");
}
END_TEST

START_TEST(a_folder_of_others_is_not_taken) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *part = PATH(dir, ".vm.hyper-part");
        PartFolder p = PART_FOLDER_INIT;
        _cleanup_free_ char *a = NULL, *b = NULL, *c = NULL;

        ck_assert_int_eq(mkdir(part, 0700), 0);
        ck_assert_int_eq(chmod(part, 0777), 0);
        ck_assert_int_eq(part_folder_open(part, &p, &a), -EPERM);
        ck_assert_int_eq(rmdir(part), 0);
        ck_assert_int_eq(symlink("/tmp", part), 0);
        ck_assert_int_eq(part_folder_open(part, &p, &b), -EPERM);
        ck_assert_int_eq(unlink(part), 0);
        if (geteuid() == 0) {
                ck_assert_int_eq(mkdir(part, 0700), 0);
                ck_assert_int_eq(chown(part, 65534, 65534), 0);
                ck_assert_int_eq(part_folder_open(part, &p, &c), -EPERM);
        }
}
END_TEST

START_TEST(a_symlink_above_is_not_followed) {
        _cleanup_test_dir_ char *dir = test_dir();
        PartFolder p = PART_FOLDER_INIT;
        _cleanup_free_ char *why = NULL;

        ck_assert_int_eq(mkdir(PATH(dir, "real"), 0700), 0);
        ck_assert_int_eq(symlink("real", PATH(dir, "link")), 0);
        ck_assert_int_eq(part_folder_open(PATH(dir, "link/.vm.hyper-part"), &p, &why), -ELOOP);
        ck_assert_int_eq(part_folder_open(PATH(dir, "gone/.vm.hyper-part"), &p, &why), -ENOENT);
}
END_TEST

START_TEST(another_folder_in_its_place_is_noticed) {
        _cleanup_place_ Place p = make_place(0);

        uid_t uid = 0;

        ck_assert_int_eq(part_folder_check_record(p.folder.fd, p.job_fd, NULL), -ENOENT);
        ck_assert_int_eq(part_folder_record(&p.folder, p.job_fd, 61234), 0);
        ck_assert_int_eq(part_folder_check_record(p.folder.fd, p.job_fd, &uid), 0);
        ck_assert_uint_eq(uid, 61234);
        ck_assert_int_eq(rename(p.part, PATH(p.dir, "away")), 0);
        ck_assert_int_eq(mkdir(p.part, 0700), 0);
        open_place(&p);
        ck_assert_int_eq(part_folder_check_record(p.folder.fd, p.job_fd, NULL), -ESTALE);
}
END_TEST

/* Cut off before the image was renamed; then another is there, in the folder or under the name. */
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
        ck_assert_int_eq(publish(&p, 1, &again), -ENOENT);
        ck_assert(!marker_exists(p.job_fd, JOB_MARK_PUBLISHED));
}
END_TEST

TEST_MAIN("part-folder", output_names_are_told_apart, images_get_their_names_once,
                a_publication_that_was_cut_off_is_finished, only_plain_files_are_published,
                a_dangling_symlink_is_in_the_way_too, only_known_entries_are_removed,
                removing_follows_no_symlink, a_folder_of_others_is_not_taken,
                a_symlink_above_is_not_followed, another_folder_in_its_place_is_noticed,
                another_image_in_its_place_is_not_published)
