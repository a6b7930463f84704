/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Destinations on file systems that can do less than ext4. What they lack is taken from this process by a
 * filter of system calls, which its children inherit. */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "job/part-directory.h"
#include "job/rename.h"
#include "spec/job-result.h"
#include "unit/lib/job-servers.h"

#define SIZE (4 * MIB)

/* From here on @call fails with @error in this process and all that it starts. */
static void take_away(int call, int error) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) call, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = ELEMENTSOF(filter), .filter = filter };

        ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* 0: all is there, 1: no RENAME_NOREPLACE (NFS), 2: nor hard links (exFAT, some FUSE). */
static void weaken(int level) {
        if (level >= 1)
                take_away(SYS_renameat2, EINVAL);
        if (level >= 2)
                take_away(SYS_linkat, EPERM);
}

static int rename_in(const char *dir, const char *from, const char *to) {
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return rename_noreplace(fd, from, fd, to);
}

static void assert_content(const char *path, const char *text) {
        _cleanup_free_ char *content = read_text(path, NULL);
        ck_assert_str_eq(content, text);
}

START_TEST(nothing_is_ever_replaced) {
        _cleanup_test_dir_ char *dir = test_dir();

        write_text(PATH(dir, "a"), "a");
        write_text(PATH(dir, "taken"), "precious");
        write_text(PATH(dir, "empty"), "");
        ck_assert_int_eq(symlink("/nowhere", PATH(dir, "link")), 0);
        weaken(_i);
        ck_assert_int_eq(rename_in(dir, "a", "taken"), -EEXIST);
        ck_assert_int_eq(rename_in(dir, "a", "empty"), -EEXIST);
        ck_assert_int_eq(rename_in(dir, "a", "link"), -EEXIST);
        assert_content(PATH(dir, "taken"), "precious");
        assert_content(PATH(dir, "a"), "a");
        ck_assert_int_eq(rename_in(dir, "a", "b"), 0);
        assert_content(PATH(dir, "b"), "a");
        ck_assert(!file_exists(PATH(dir, "a")));
        ck_assert_int_eq(rename_in(dir, "gone", "c"), -ENOENT);
        ck_assert(!file_exists(PATH(dir, "c")));
}
END_TEST

/* The power went between taking the name and the rename. */
START_TEST(a_rename_that_was_cut_off_is_done_again) {
        _cleanup_test_dir_ char *dir = test_dir();

        write_text(PATH(dir, "a"), "a");
        write_text(PATH(dir, "b"), "");
        ck_assert_int_eq(chmod(PATH(dir, "b"), 0), 0);
        weaken(2);
        ck_assert_int_eq(rename_in(dir, "a", "b"), 0);
        assert_content(PATH(dir, "b"), "a");
}
END_TEST

static Plan plan_for(const char *dir) {
        make_disk(PATH(dir, "disk.raw"), SIZE, 7);
        return (Plan){ .directory = PATH(dir, "job"),
                .source = PATH(dir, "disk.raw"),
                .source_format = "raw",
                .destination = PATH(dir, "result"),
                .destination_format = "qcow2" };
}

START_TEST(images_get_their_names_everywhere) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);

        weaken(_i);
        assert_converts(&p);
        assert_same_disk(p.source, "raw", p.destination, "qcow2");

        /* And what appears meanwhile is not replaced. */
        p.directory = PATH(dir, "job2");
        p.destination = PATH(dir, "other");
        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(hyper_job("run", p.directory), 0);
        write_text(p.destination, "precious");
        ck_assert_int_eq(hyper_job("finish-later", p.directory), JOB_EXIT_FAILED);
        assert_ended(&p, OUTCOME_FAILED, "destination_exists");
        assert_content(p.destination, "precious");
}
END_TEST

static const struct {
        int call, error;
        const char *text;
} lacks[] = {
        { SYS_flock, ENOLCK, "cannot lock files" },
        { SYS_fchmod, EPERM, "does not keep permissions" },
        { SYS_pwrite64, EDQUOT, "nothing can be written" },
};

START_TEST(what_cannot_be_done_is_said) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *why = NULL;

        take_away(lacks[_i].call, lacks[_i].error);
        ck_assert_int_eq(probe_file_system(fd, &why), -lacks[_i].error);
        ck_assert_msg(strstr(strna(why), lacks[_i].text) != NULL, "%s", strna(why));
        ck_assert(!file_exists(PATH(dir, ".probe")));
        ck_assert(!file_exists(PATH(dir, ".probe-renamed")));
}
END_TEST

/* Before anything is read, and nothing is left. */
START_TEST(prepare_finds_it_out) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);
        _cleanup_free_ char *part = part_dir(p.destination);

        write_plan(&p);
        take_away(SYS_flock, ENOLCK);
        ck_assert_int_eq(hyper_job("prepare", p.directory), JOB_EXIT_FAILED);
        assert_ended(&p, OUTCOME_FAILED, "destination_refused");
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_ptr_nonnull(strstr(r->message, "cannot lock files"));
        ck_assert(!file_exists(part));
}
END_TEST

int main(void) {
        const TTest *const tests[] = { a_rename_that_was_cut_off_is_done_again, prepare_finds_it_out };
        TCase *tcase = test_case("job-file-system", 60, tests, ELEMENTSOF(tests));

        if (!program_exists("qemu-nbd"))
                return 77;
        tcase_add_loop_test(tcase, nothing_is_ever_replaced, 0, 3);
        tcase_add_loop_test(tcase, images_get_their_names_everywhere, 0, 3);
        tcase_add_loop_test(tcase, what_cannot_be_done_is_said, 0, (int) ELEMENTSOF(lacks));
        return test_run("job-file-system", tcase);
}
