/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A source that another program has: refused, with who it is, unless it is allowed. */

#include <signal.h>

#include "job/in-use.h"
#include "job/lock-holder.h"
#include "spec/job-result.h"
#include "unit/lib/job-servers.h"

#define SIZE (4 * MIB)

/* --- somebody who has the disk --------------------------------------------------------------------- */

/* This program again, as "qemu-system-x86_64 KIND FILE -name guest=…": takes its locks, says so, and
 * stays. */
static int hold(const char *kind, const char *path) {
        static const int running[] = { 100, 101, 201, 203, 0 }, reading[] = { 100, 201, 203, 0 };
        int fd = open(path, O_RDWR | O_CLOEXEC);

        if (streq(kind, "posix")) {
                struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };
                if (fcntl(fd, F_SETLK, &l) < 0)
                        return 1;
        } else
                for (const int *at = streq(kind, "running") ? running : reading; *at; at++) {
                        struct flock l = {
                                .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = *at, .l_len = 1
                        };
                        if (fcntl(fd, F_OFD_SETLK, &l) < 0)
                                return 1;
                }
        if (write(STDOUT_FILENO, "held\n", 5) != 5)
                return 1;
        for (;;)
                pause();
}

static pid_t start_holder(const char *kind, const char *path) {
        char *const argv[] = { (char *) "qemu-system-x86_64", (char *) kind, (char *) path, (char *) "-name",
                (char *) "guest=web,, server,debug-threads=on", NULL };
        char line[8];
        int p[2];

        ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
                dup2(p[1], STDOUT_FILENO);
                execv("/proc/self/exe", argv);
                _exit(127);
        }
        close(p[1]);
        ck_assert_int_eq(read(p[0], line, sizeof(line)), 5);
        close(p[0]);
        return pid;
}

/* --- plans ----------------------------------------------------------------------------------------- */

static Plan plan_from(const char *dir, const char *format) {
        char *raw = PATH(dir, "disk.raw"), *image = PATH(dir, "image.%s", format);

        make_disk(raw, SIZE, 7);
        RUN("qemu-img", "convert", "-f", "raw", "-O", format, raw, image);
        return (Plan){ .directory = PATH(dir, "job"),
                .source = image,
                .source_format = format,
                .destination = PATH(dir, "result"),
                .destination_format = "qcow2" };
}

static const char *message_of(const Plan *p) {
        _cleanup_(job_result_freep) JobResult *r = read_result(p->directory);

        return test_keep(strdup(strna(r->message)));
}

static void assert_in_use(const Plan *p, const char *verb, const char *text) {
        ck_assert_int_eq(hyper_job(verb, p->directory), JOB_EXIT_TRANSIENT);
        assert_ended(p, OUTCOME_TRANSIENT, "source_in_use");
        const char *message = message_of(p);
        ck_assert_msg(strstr(message, text) && strstr(message, "in use") &&
                                        strstr(message, "parameters.in_use"),
                        "\"%s\" is not in: %s", text, message);
}

static void assert_allowed(Plan *p) {
        p->directory = test_keep(strprintf("%s-allowed", p->directory));
        p->in_use = true;
        assert_converts(p);
        _cleanup_(job_result_freep) JobResult *r = read_result(p->directory);
        ck_assert_str_eq(strna(json_string_value(
                                         json_object_get(json_array_get(r->outputs, 0), "source_state"))),
                        "in_use");
}

/* --- locks ----------------------------------------------------------------------------------------- */

START_TEST(the_disk_of_a_running_machine) {
        static const char *const formats[] = { "raw", "qcow2", "vmdk" };
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_from(dir, formats[_i]);
        pid_t holder = start_holder("running", p.source);
        _cleanup_free_ char *who =
                        strprintf("qemu-system-x86_64, process %d (virtual machine web, server)", holder);

        write_plan(&p);
        assert_in_use(&p, "prepare", who);
        assert_allowed(&p);
        child_kill(holder);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, "qcow2");
}
END_TEST

/* It was started between prepare and run. */
START_TEST(a_machine_that_is_started_late) {
        static const char *const formats[] = { "raw", "qcow2" };
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_from(dir, formats[_i]);

        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        pid_t holder = start_holder("running", p.source);
        assert_in_use(&p, "run", p.source);
        child_kill(holder);
}
END_TEST

/* Reading it all the same is no use if it may not change. */
START_TEST(a_source_in_use_may_change) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_from(dir, "raw");
        pid_t holder = start_holder("running", p.source);
        FILE *lines;

        p.in_use = true;
        pid_t server, job;
        char *out = PATH(dir, "out.raw");
        write_text(out, "");
        ck_assert_int_eq(truncate(out, SIZE), 0);
        server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", out, "rate=16M");
        p.destination = test_keep(strprintf("nbd+unix:///?socket=%s/nbd", dir));
        p.destination_format = NULL;
        job = start_job(&p, &lines);
        wait_for_line(lines, "Converting disk format: ");
        _cleanup_close_ int fd = open(p.source, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite_full(fd, "changed", 7, SIZE - 7), 0);
        ck_assert_int_eq(wait_job(job, lines), 0);
        child_kill(holder);
        child_kill(server);
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_str_eq(strna(json_string_value(
                                         json_object_get(json_array_get(r->outputs, 0), "source_state"))),
                        "in_use_changed");
}
END_TEST

START_TEST(whoever_only_reads_is_not_in_the_way) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_from(dir, "raw");
        pid_t holder = start_holder("reading", p.source);

        assert_converts(&p);
        child_kill(holder);
}
END_TEST

/* libvirt's lock manager, VirtualBox and others. */
START_TEST(a_lock_for_writing_of_any_kind) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_from(dir, "raw");
        pid_t holder = start_holder("posix", p.source);
        _cleanup_free_ char *who = strprintf("process %d", holder);

        write_plan(&p);
        assert_in_use(&p, "prepare", who);
        child_kill(holder);
}
END_TEST

START_TEST(names_of_guests) {
        static const struct {
                const char *line;
                size_t size;
                const char *name;
        } cases[] = {
#define LINE(text) text, sizeof(text)
                { LINE("qemu\0-name\0web"), "web" },
                { LINE("qemu\0-name\0guest=a,,b,debug-threads=on\0-m\0"
                       "1"),
                                "a,b" },
                { LINE("qemu\0-name\0debug-threads=on"), NULL },
                { LINE("qemu\0-m\0"
                       "1"),
                                NULL },
                { LINE("qemu\0-name"), NULL },
#undef LINE
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *name = qemu_guest_name(cases[i].line, cases[i].size);
                ck_assert_msg(streq_ptr(name, cases[i].name), "%zu: %s", i, strna(name));
        }
}
END_TEST

/* --- lock files ------------------------------------------------------------------------------------ */

START_TEST(vmwares_lock_directories) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_from(dir, "vmdk");
        char *beside = PATH(dir, "image.vmdk.lck"), *plain = PATH(dir, ".lck");

        write_plan(&p);
        ck_assert_int_eq(mkdir(beside, 0700), 0);
        assert_in_use(&p, "prepare", beside); /* also when it is empty */
        write_text(PATH(beside, "M12345.lck"), "esx-7.example\0 \x1b[31m 4711-0815");
        assert_in_use(&p, "prepare", "esx-7.example");
        RUN("rm", "-r", beside);

        ck_assert_int_eq(mkdir(plain, 0700), 0);
        assert_in_use(&p, "prepare", plain);
        ck_assert_int_eq(rmdir(plain), 0);

        write_text(beside, "a file as lock");
        assert_in_use(&p, "prepare", "a file as lock");
        assert_allowed(&p);
}
END_TEST

START_TEST(esxis_lock_files_on_nfs) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_from(dir, "vmdk");
        char name[32] = ".lck-";
        struct stat st;

        ck_assert_int_eq(stat(p.source, &st), 0);
        for (unsigned i = 0; i < 8; i++)
                sprintf(name + 5 + 2 * i, "%02x", (unsigned) (st.st_ino >> 8 * i) & 0xff);
        write_text(PATH(dir, ".lck-3409000000000000"), ""); /* of another file */
        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        write_text(PATH(dir, "%s", name), "");
        assert_in_use(&p, "prepare", name);
}
END_TEST

START_TEST(each_file_of_a_disk_counts) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw");
        Plan p = { .directory = PATH(dir, "job"),
                .source = PATH(dir, "image.vmdk"),
                .extents = { PATH(dir, "image-flat.vmdk") },
                .destination = PATH(dir, "result"),
                .destination_format = "qcow2" };

        make_disk(raw, SIZE, 7);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=monolithicFlat", raw,
                        p.source);
        write_plan(&p);
        pid_t holder = start_holder("running", p.extents[0]);
        assert_in_use(&p, "prepare", p.extents[0]);
        assert_allowed(&p);
        child_kill(holder);
        assert_same_disk(raw, "raw", p.destination, "qcow2");

        p.directory = PATH(dir, "job2");
        p.in_use = false;
        p.destination = PATH(dir, "result2");
        write_plan(&p);
        ck_assert_int_eq(mkdir(PATH(dir, "image-flat.vmdk.lck"), 0700), 0);
        assert_in_use(&p, "prepare", "image-flat.vmdk.lck");
}
END_TEST

/* As long as we read a file ourselves, it is locked as by a reader of qemu's. */
START_TEST(no_machine_can_start_while_we_read) {
        static const int kept_from_writers[] = { 201, 203 };
        _cleanup_test_dir_ char *dir = test_dir();
        const char *raw = PATH(dir, "disk.raw");

        make_disk(raw, SIZE, 1);
        int ours = open(raw, O_RDONLY | O_CLOEXEC), again = open(raw, O_RDONLY | O_CLOEXEC);
        int writer = open(raw, O_RDWR | O_CLOEXEC);
        ck_assert_int_eq(in_use_hold(ours), 0);
        ck_assert_int_eq(in_use_hold(again), 0); /* other readers are not in the way */
        close(again);
        for (size_t i = 0; i < ELEMENTSOF(kept_from_writers); i++) {
                struct flock l = {
                        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = kept_from_writers[i], .l_len = 1
                };
                ck_assert_int_eq(fcntl(writer, F_OFD_GETLK, &l), 0);
                ck_assert_int_eq(l.l_type, F_RDLCK);
        }
        close(ours);
        close(writer);

        pid_t machine = start_holder("running", raw);
        int late = open(raw, O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(in_use_hold(late), -EBUSY);
        close(late);
        kill(machine, SIGKILL);
        waitpid(machine, NULL, 0);
}
END_TEST

int main(int argc, char **argv) {
        const TTest *const tests[] = { a_source_in_use_may_change, whoever_only_reads_is_not_in_the_way,
                a_lock_for_writing_of_any_kind, names_of_guests, vmwares_lock_directories,
                esxis_lock_files_on_nfs, each_file_of_a_disk_counts, no_machine_can_start_while_we_read };
        TCase *tcase = test_case("job-in-use", 60, tests, ELEMENTSOF(tests));

        if (argc > 2)
                return hold(argv[1], argv[2]);
        if (!program_exists("qemu-nbd"))
                return 77;
        tcase_add_loop_test(tcase, the_disk_of_a_running_machine, 0, 3);
        tcase_add_loop_test(tcase, a_machine_that_is_started_late, 0, 2);
        return test_run("job-in-use", tcase);
}
