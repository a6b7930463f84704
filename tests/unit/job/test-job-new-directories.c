/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The directories above a destination that hyper-job prepare makes, and finish removes. */

#include "job/new-directories.h"
#include "job/part-directory.h"
#include "unit/lib/job-front.h"

typedef struct Place {
        char *dir; /* the directory that was checked */
        int job_fd;
        char **bound;
} Place;

static Place make_place(void) {
        Place p = { .dir = test_dir() };
        struct stat st;

        ck_assert_int_eq(mkdir(PATH(p.dir, "job"), 0700), 0);
        p.job_fd = open(PATH(p.dir, "job"), O_RDONLY | O_DIRECTORY);
        ck_assert_int_eq(stat(p.dir, &st), 0);
        ck_assert_int_eq(strv_consume(&p.bound, file_identity_text(p.dir, &st)), 0);
        return p;
}

static void place_done(Place *p) {
        close(p->job_fd);
        strv_free(p->bound);
        test_dir_freep(&p->dir);
}
#define _cleanup_place_ _cleanup_(place_done)

static int make(const Place *p, const char *name) {
        struct stat st, made = {};
        const char *path = PATH(p->dir, "%s", name);
        int r = new_directories_make(path, p->bound, p->job_fd, &made);

        if (r < 0)
                return r;
        ck_assert_int_eq(lstat(path, &st), 0);
        ck_assert(S_ISDIR(st.st_mode));
        ck_assert(made.st_dev == st.st_dev && made.st_ino == st.st_ino);
        return r;
}

static int remove_made(const Place *p, const char *name) {
        return new_directories_remove(PATH(p->dir, "%s/.x.qcow2.hyper-part", name), p->job_fd);
}

START_TEST(what_is_missing_is_made_and_removed) {
        _cleanup_place_ Place p = make_place();
        struct stat st;

        umask(077);
        ck_assert_int_eq(make(&p, "a/b/c"), 0);
        ck_assert_int_eq(stat(PATH(p.dir, "a/b/c"), &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0755);
        ck_assert_uint_eq(st.st_uid, geteuid());
        ck_assert_int_eq(make(&p, "a/b/c"), 0); /* another attempt */
        ck_assert_int_eq(remove_made(&p, "a/b/c"), 1);
        ck_assert(!file_exists(PATH(p.dir, "a")));
        ck_assert(file_exists(p.dir));
        ck_assert(!file_exists(PATH(p.dir, "job/" RECORD_DIRECTORIES)));
        ck_assert_int_eq(remove_made(&p, "a/b/c"), 0);
}
END_TEST

START_TEST(the_group_is_inherited) {
        _cleanup_place_ Place p = make_place();
        struct stat st;

        ck_assert_int_eq(chmod(p.dir, 02755), 0);
        ck_assert_int_eq(make(&p, "a/b"), 0);
        ck_assert_int_eq(stat(PATH(p.dir, "a/b"), &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 02755);
}
END_TEST

START_TEST(what_exists_stays) {
        _cleanup_place_ Place p = make_place();

        ck_assert_int_eq(mkdir(PATH(p.dir, "a"), 0700), 0);
        ck_assert_int_eq(make(&p, "a/b/c"), 0);
        write_text(PATH(p.dir, "a/b/other"), "x");
        ck_assert_int_eq(remove_made(&p, "a/b/c"), 1);
        ck_assert(!file_exists(PATH(p.dir, "a/b/c")));
        ck_assert(file_exists(PATH(p.dir, "a/b/other")));
        ck_assert_int_eq(remove_made(&p, "a/b/c"), 0);
        ck_assert_int_eq(unlink(PATH(p.dir, "a/b/other")), 0);
        ck_assert_int_eq(remove_made(&p, "a/b/c"), 1);
        ck_assert(!file_exists(PATH(p.dir, "a/b")));
        ck_assert(file_exists(PATH(p.dir, "a")));
}
END_TEST

/* Another job ends while this one begins. */
START_TEST(what_was_removed_is_made_again) {
        _cleanup_place_ Place p = make_place();

        ck_assert_int_eq(make(&p, "a/b"), 0);
        ck_assert_int_eq(rmdir(PATH(p.dir, "a/b")), 0);
        ck_assert_int_eq(make(&p, "a/b"), 0);
        ck_assert_int_eq(remove_made(&p, "a/b"), 1);
        ck_assert(!file_exists(PATH(p.dir, "a")));
}
END_TEST

START_TEST(what_replaced_a_made_one_stays) {
        _cleanup_place_ Place p = make_place();

        ck_assert_int_eq(make(&p, "a/b"), 0);
        ck_assert_int_eq(rename(PATH(p.dir, "a/b"), PATH(p.dir, "a/kept")), 0);
        ck_assert_int_eq(mkdir(PATH(p.dir, "a/b"), 0755), 0);
        ck_assert_int_eq(remove_made(&p, "a/b"), -ESTALE);
        ck_assert(file_exists(PATH(p.dir, "a/b")));
}
END_TEST

START_TEST(links_and_strangers_are_refused) {
        _cleanup_place_ Place p = make_place();

        ck_assert_int_eq(mkdir(PATH(p.dir, "target"), 0755), 0);
        ck_assert_int_eq(symlink("target", PATH(p.dir, "link")), 0);
        ck_assert_int_eq(make(&p, "link/b"), -ELOOP);
        ck_assert_int_eq(symlink("nothing", PATH(p.dir, "dangling")), 0);
        ck_assert_int_lt(make(&p, "dangling/b"), 0);
        ck_assert(!file_exists(PATH(p.dir, "target/b")));
        ck_assert(!file_exists(PATH(p.dir, "nothing")));
        write_text(PATH(p.dir, "file"), "x");
        ck_assert_int_eq(make(&p, "file/b"), -ENOTDIR);
        if (geteuid() == 0) {
                ck_assert_int_eq(mkdir(PATH(p.dir, "theirs"), 0755), 0);
                ck_assert_int_eq(chown(PATH(p.dir, "theirs"), 65534, 65534), 0);
                ck_assert_int_eq(make(&p, "theirs/b"), -EPERM);
                ck_assert(!file_exists(PATH(p.dir, "theirs/b")));
                /* Unless they own the start, too: then they decide what is in it. */
                ck_assert_int_eq(chown(p.dir, 65534, 65534), 0);
                ck_assert_int_eq(make(&p, "theirs/b"), 0);
        }
}
END_TEST

START_TEST(only_what_was_checked_is_a_start) {
        _cleanup_place_ Place p = make_place();
        _cleanup_test_dir_ char *other = test_dir();
        struct stat st;

        ck_assert_int_eq(new_directories_make(PATH(other, "a/b"), p.bound, p.job_fd, &st), -ENOENT);
        ck_assert(!file_exists(PATH(other, "a")));
        ck_assert_int_eq(new_directories_make(PATH(p.dir, "../x/y"), p.bound, p.job_fd, &st), -EINVAL);
        /* Another directory under the same name. */
        ck_assert_int_eq(rename(p.dir, PATH(other, "moved")), 0);
        ck_assert_int_eq(mkdir(p.dir, 0755), 0);
        ck_assert_int_eq(make(&p, "a/b"), -ESTALE);
        ck_assert(!file_exists(PATH(p.dir, "a")));
}
END_TEST

START_TEST(there_is_a_limit) {
        _cleanup_place_ Place p = make_place();
        _cleanup_free_ char *path = strdup("x");

        for (unsigned i = 1; i < JOB_NEW_DIRECTORIES_MAX + 1; i++) {
                char *longer = strprintf("%s/x", path);
                free(path);
                path = longer;
        }
        ck_assert_int_eq(make(&p, path), -E2BIG);
        path[strlen(path) - 2] = '\0';
        ck_assert_int_eq(make(&p, path), 0);
        ck_assert_int_eq(remove_made(&p, path), 1);
        ck_assert(!file_exists(PATH(p.dir, "x")));
}
END_TEST

/* A record is root's own, but what it says is checked all the same. */
START_TEST(a_broken_record_removes_nothing) {
        static const char *const records[] = { "x\n", "1 2\n", "1 2 0\n", "1 2 99999\n", "1 2 3\n" };
        _cleanup_place_ Place p = make_place();

        for (size_t i = 0; i < ELEMENTSOF(records); i++) {
                write_text(PATH(p.dir, "job/" RECORD_DIRECTORIES), records[i]);
                ck_assert_int_lt(remove_made(&p, "a"), 0);
        }
}
END_TEST

/* --- the program ----------------------------------------------------------------------------------- */

static void add_bound(json_t *bound, const char *path) {
        struct stat st;

        ck_assert_int_eq(stat(path, &st), 0);
        _cleanup_free_ char *text = file_identity_text(path, &st);
        json_array_append_new(bound, json_string(text));
}

/* A plan of the manager's: it says what was checked. */
static void write_checked_plan(const Plan *p, const char *directory) {
        _cleanup_free_ char *path = strprintf("%s/job.json", p->directory);
        json_t *bound = json_array();

        write_plan(p);
        _cleanup_json_ json_t *plan = json_load_file(path, 0, NULL);
        add_bound(bound, p->source);
        add_bound(bound, directory);
        json_object_set_new(plan, "bound", bound);
        ck_assert_int_eq(json_dump_file(plan, path, 0), 0);
}

static Plan plan_for(const char *dir) {
        make_disk(PATH(dir, "disk.raw"), 1 * MIB, 7);
        return (Plan){ .directory = PATH(dir, "job"),
                .source = PATH(dir, "disk.raw"),
                .source_format = "raw",
                .destination = PATH(dir, "new/deep/vm.qcow2"),
                .destination_format = "qcow2" };
}

START_TEST(a_job_makes_its_directories) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);

        write_checked_plan(&p, dir);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert(file_exists(PATH(dir, "new/deep/.vm.qcow2.hyper-part")));
        ck_assert_int_eq(hyper_job("run", p.directory), 0);
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        assert_same_disk(p.source, "raw", p.destination, "qcow2");
}
END_TEST

START_TEST(a_cancelled_job_leaves_no_directories) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);

        write_checked_plan(&p, dir);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(job_mark_set(p.directory, JOB_MARK_CANCELLED), 0);
        for (unsigned i = 0; i < 2; i++) {
                ck_assert_int_eq(hyper_job("finish", p.directory), 0);
                ck_assert(!file_exists(PATH(dir, "new")));
        }
}
END_TEST

/* The source is refused before there is a directory; finish adds no failure of its own. */
START_TEST(a_refused_job_makes_none) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);

        write_checked_plan(&p, dir);
        ck_assert_int_eq(symlink("/tmp", PATH(dir, "new")), 0);
        ck_assert_int_eq(hyper_job("prepare", p.directory), JOB_EXIT_FAILED);
        ck_assert_int_eq(unlink(PATH(dir, "new")), 0);
        ck_assert_int_eq(hyper_job("finish", p.directory), 0);
        ck_assert(!file_exists(PATH(dir, "new")));
        _cleanup_(job_result_freep) JobResult *result = read_result(p.directory);
        ck_assert_str_eq(result->code, "destination_refused");
        ck_assert_ptr_nonnull(strstr(result->message, "symbolic link"));
}
END_TEST

/* It may be in a file system that is not mounted now. */
START_TEST(what_an_earlier_attempt_had_is_not_made_again) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);

        ck_assert_int_eq(mkdir(PATH(dir, "new"), 0755), 0);
        ck_assert_int_eq(mkdir(PATH(dir, "new/deep"), 0755), 0);
        write_checked_plan(&p, dir);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(rename(PATH(dir, "new"), PATH(dir, "away")), 0);
        ck_assert_int_eq(hyper_job("prepare", p.directory), JOB_EXIT_FAILED);
        ck_assert(!file_exists(PATH(dir, "new")));
}
END_TEST

TEST_MAIN("job-new-directories", what_is_missing_is_made_and_removed, the_group_is_inherited,
                what_exists_stays, what_was_removed_is_made_again, what_replaced_a_made_one_stays,
                links_and_strangers_are_refused, only_what_was_checked_is_a_start, there_is_a_limit,
                a_broken_record_removes_nothing, a_job_makes_its_directories,
                a_cancelled_job_leaves_no_directories, a_refused_job_makes_none,
                what_an_earlier_attempt_had_is_not_made_again)
