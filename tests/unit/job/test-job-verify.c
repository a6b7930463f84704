/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Verification: what is read, from where, and what the result says of it.
 *
 * check: all */

#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "job/read-back.h"
#include "spec/job-result.h"
#include "unit/lib/job-servers.h"

#define SIZE (24 * MIB)

static const char *const formats[] = { "qcow2", "raw", "vmdk" };

static json_int_t output_number(const Plan *p, const char *key) {
        _cleanup_(job_result_freep) JobResult *r = read_result(p->directory);
        json_t *value = json_object_get(json_array_get(r->outputs, 0), key);

        ck_assert_msg(json_is_integer(value), "%s", key);
        return json_integer_value(value);
}

static const char *output_word(const Plan *p, const char *key) {
        _cleanup_(job_result_freep) JobResult *r = read_result(p->directory);
        const char *word = json_string_value(json_object_get(json_array_get(r->outputs, 0), key));

        return word ? test_keep(strdup(word)) : "";
}

static Plan file_to_file(const char *dir, const char *format) {
        make_disk(PATH(dir, "disk.raw"), SIZE, 7);
        return (Plan){ .directory = PATH(dir, "job"),
                .source = PATH(dir, "disk.raw"),
                .source_format = "raw",
                .destination = PATH(dir, "result"),
                .destination_format = format };
}

START_TEST(the_result_says_what_was_compared) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = file_to_file(dir, formats[_i]);

        assert_converts(&p);
        ck_assert_str_eq(output_word(&p, "verified"), "");

        ck_assert_int_eq(unlink(p.destination), 0);
        p.directory = PATH(dir, "job2");
        p.verify = true;
        assert_converts(&p);
        ck_assert_str_eq(output_word(&p, "verified"), "sample");
        ck_assert_int_gt(output_number(&p, "bytes_data_compared"), 0);
        ck_assert_int_gt(output_number(&p, "bytes_zero_compared"), 0);
        ck_assert_int_gt(output_number(&p, "bytes_zero_not_read"), 0);
        ck_assert_int_eq(output_number(&p, "bytes_data_compared") +
                                        output_number(&p, "bytes_zero_compared") +
                                        output_number(&p, "bytes_zero_not_read"),
                        SIZE);
        const char *from = output_word(&p, "read_back");
        ck_assert_msg(streq(from, "direct") || streq(from, "dropped") || streq(from, "cached"), "%s", from);

        ck_assert_int_eq(unlink(p.destination), 0);
        p.directory = PATH(dir, "job3");
        p.verify_full = true;
        assert_converts(&p);
        ck_assert_str_eq(output_word(&p, "verified"), "full");
        ck_assert_int_eq(output_number(&p, "bytes_zero_not_read"), 0);
        ck_assert_int_eq(output_number(&p, "bytes_data_compared") + output_number(&p, "bytes_zero_compared"),
                        SIZE);
}
END_TEST

/* --- the disk, not the page cache ------------------------------------------------------------------ */

/* An ext4 file system in a file, so that what is "on the disk" can be changed behind the kernel's back. */
static bool mount_disk(const char *image, const char *at) {
        ck_assert_int_eq(mkdir(at, 0700), 0);
        if (geteuid() != 0 || !program_exists("mkfs.ext4") || unshare(CLONE_NEWNS) < 0 ||
                        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return false;
        RUN("truncate", "-s", "96M", image);
        RUN("mkfs.ext4", "-q", "-F", image);
        return RUN_STATUS("mount", "-o", "loop", image, at) == 0;
}

/* Changes a byte of the only place in @image that holds what @disk does at @offset. */
static void spoil(const char *image, const char *disk, uint64_t offset) {
        size_t size;
        _cleanup_free_ char *all = read_text(image, &size), *block = malloc(4096);
        _cleanup_close_ int source = open(disk, O_RDONLY | O_CLOEXEC), fd = open(image, O_RDWR | O_CLOEXEC);

        ck_assert_int_eq(pread_full(source, block, 4096, offset), 0);
        char *found = memmem(all, size, block, 4096);
        ck_assert_ptr_nonnull(found);
        found[100] = (char) ~found[100];
        ck_assert_int_eq(pwrite_full(fd, found + 100, 1, (uint64_t) (found + 100 - all)), 0);
}

START_TEST(what_the_disk_lost_is_found) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "disk.img"), *at = PATH(dir, "disk");
        FILE *lines;

        if (!mount_disk(image, at))
                return;
        make_disk(PATH(dir, "disk.raw"), SIZE, 7);
        Plan p = { .directory = PATH(dir, "job"),
                .source = test_keep(strprintf("nbd+unix:///?socket=%s/nbd", dir)),
                .destination = PATH(at, "result"),
                .destination_format = formats[_i],
                .verify = true };
        /* Each new client waits: there is time between the copy's end and the comparison. */
        pid_t server = SERVE(
                        PATH(dir, "nbd"), "--filter=delay", "file", PATH(dir, "disk.raw"), "delay-open=3");
        pid_t job = start_job(&p, &lines);
        wait_for_line(lines, "Comparing the result with the source");
        spoil(image, PATH(dir, "disk.raw"), 3 * MIB);
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_FAILED);
        child_kill(server);
        assert_ended(&p, OUTCOME_FAILED, "verification_failed");
        ck_assert_int_eq(hyper_job("finish", p.directory), 0);
        ck_assert(!file_exists(p.destination));
        ck_assert_int_eq(umount2(at, MNT_DETACH), 0);
}
END_TEST

START_TEST(the_page_cache_is_emptied) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "disk.img"), *at = PATH(dir, "disk");
        ReadBack how;
        uint64_t resident = 0;

        if (!mount_disk(image, at))
                return;
        make_disk(PATH(at, "file"), SIZE, 7);
        int fd = open(PATH(at, "file"), O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(read_back_resident(fd, &resident), 0);
        ck_assert_uint_gt(resident, MIB);
        ck_assert_int_eq(read_back_prepare(PATH(at, "file"), &how), 0);
        ck_assert_int_eq(how, READ_BACK_DIRECT);
        ck_assert_int_eq(read_back_resident(fd, &resident), 0);
        ck_assert_uint_le(resident, 65536); /* what direct_works() may have read ahead */
        close(fd);
        ck_assert_int_eq(umount2(at, MNT_DETACH), 0);
}
END_TEST

START_TEST(what_stays_in_memory_is_said) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *at = PATH(dir, "memory");

        ck_assert_int_eq(mkdir(at, 0700), 0);
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                        mount("tmpfs", at, "tmpfs", 0, "size=64M") < 0)
                return;
        Plan p = file_to_file(dir, "raw");
        p.destination = PATH(at, "result");
        p.verify = true;
        assert_converts(&p);
        ck_assert_str_ne(output_word(&p, "read_back"), "dropped");
        ck_assert_int_eq(umount2(at, MNT_DETACH), 0);
}
END_TEST

/* --- a source that calls zero what is not ---------------------------------------------------------- */

/* The data is in the block of 64 KiB that is given; all of it is called a hole. */
static pid_t serve_liar(const char *dir, unsigned block) {
        char *disk = PATH(dir, "liar.raw");
        _cleanup_free_ char *extents = strprintf("extents=echo 0 %" PRIu64 " hole,zero", SIZE),
                            *size = strprintf("get_size=echo %" PRIu64, SIZE),
                            *pread = strprintf(
                                            "pread=dd if=%s skip=$4 count=$3 iflag=count_bytes,skip_bytes",
                                            disk);

        write_text(disk, "");
        ck_assert_int_eq(truncate(disk, (off_t) SIZE), 0);
        _cleanup_close_ int fd = open(disk, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite_full(fd, "data", 4, block * UINT64_C(65536)), 0);
        return SERVE(PATH(dir, "nbd"), "eval", size, "can_extents=exit 0", extents, pread);
}

START_TEST(zeroes_of_the_source_are_read) {
        static const struct {
                unsigned block;
                bool full;
                const char *code; /* NULL: not found */
        } cases[] = {
                { 0, false, "verification_failed" },
                { 64, false, "verification_failed" },
                { 65, false, NULL },
                { 65, true, "verification_failed" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_test_dir_ char *dir = test_dir();
                Plan p = { .directory = PATH(dir, "job"),
                        .source = test_keep(strprintf("nbd+unix:///?socket=%s/nbd", dir)),
                        .destination = PATH(dir, "result"),
                        .destination_format = "qcow2",
                        .verify = true,
                        .verify_full = cases[i].full };
                pid_t server = serve_liar(dir, cases[i].block);

                ck_assert_int_eq(attempt(&p), cases[i].code ? JOB_EXIT_FAILED : 0);
                child_kill(server);
                assert_ended(&p, cases[i].code ? OUTCOME_FAILED : OUTCOME_COMPLETED, cases[i].code);
        }
}
END_TEST

int main(void) {
        const TTest *const tests[] = { the_page_cache_is_emptied, what_stays_in_memory_is_said,
                zeroes_of_the_source_are_read };
        TCase *tcase = test_case("job-verify", 120, tests, ELEMENTSOF(tests));

        if (!program_exists("nbdkit") || !program_exists("qemu-nbd"))
                return 77;
        tcase_add_loop_test(tcase, the_result_says_what_was_compared, 0, 3);
        tcase_add_loop_test(tcase, what_the_disk_lost_is_found, 0, 3);
        return test_run("job-verify", tcase);
}
