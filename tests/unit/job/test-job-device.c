/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Block devices at both ends, on loop devices. Without the right to make some there is nothing to test but
 * the plan. */

#include "job/device.h"
#include "spec/job-result.h"
#include "unit/lib/job-servers.h"

#define SIZE (16 * MIB)

/* A loop device for @file; NULL if none can be made. */
static char *loop_for(const char *file) {
        const char *const argv[] = { "losetup", "--find", "--show", file, NULL };
        _cleanup_child_output_ ChildOutput o = {};

        if (geteuid() != 0 || run_argv(argv, &o) != 0)
                return NULL;
        o.output[strcspn(o.output, "\n")] = 0;
        return test_keep(strdup(o.output));
}

START_TEST(only_block_devices_are_devices) {
        int fd = -EBADF;
        struct stat st;

        ck_assert(path_is_device("/dev/sda") && !path_is_device("/devices/sda"));
        ck_assert_int_eq(open_device("/dev/null", &fd, &st), -ENOTBLK);
        ck_assert_int_eq(open_device("/dev/no/such/thing", &fd, &st), -ENOENT);
}
END_TEST

START_TEST(a_device_is_a_source) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw"), *content = PATH(dir, "content");
        /* A raw disk, and a format that is found out. */
        const char *const formats[] = { "raw", "qcow2" };

        make_disk(raw, SIZE, 7);
        RUN("qemu-img", "convert", "-f", "raw", "-O", formats[_i], raw, content);
        ck_assert_int_eq(truncate(content, (off_t) (SIZE + MIB * (uint64_t) _i)), 0);
        char *device = loop_for(content);
        if (!device)
                return;
        Plan p = { .directory = PATH(dir, "job"),
                .source = device,
                .source_format = formats[_i],
                .destination = PATH(dir, "result"),
                .destination_format = "qcow2",
                .verify = true };
        assert_converts(&p);
        RUN("losetup", "-d", device);
        assert_same_disk(raw, "raw", p.destination, "qcow2");
}
END_TEST

START_TEST(a_device_is_a_destination) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw"), *image = PATH(dir, "disk.vmdk"), *target = PATH(dir, "target");
        _cleanup_free_ char *old = malloc(SIZE + 2 * MIB);
        size_t size;

        make_disk(raw, SIZE, 7);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", raw, image);
        memset(old, 'x', SIZE + 2 * MIB);
        write_file(target, old, SIZE + (_i ? 2 * MIB : 0));
        char *device = loop_for(target);
        if (!device)
                return;
        Plan p = { .directory = PATH(dir, "job"),
                .source = image,
                .destination = device,
                .destination_format = "raw",
                .verify_full = true };
        if (_i) {
                ck_assert_int_eq(attempt(&p), JOB_EXIT_FAILED);
                assert_ended(&p, OUTCOME_FAILED, "destination_refused");
                p.directory = PATH(dir, "job2");
                p.allow_larger = true;
        }
        assert_converts(&p);
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        json_t *output = json_array_get(r->outputs, 0);
        ck_assert_str_eq(strna(json_string_value(json_object_get(output, "path"))), device);
        ck_assert_str_eq(strna(json_string_value(json_object_get(output, "read_back"))), "direct");
        RUN("losetup", "-d", device);
        _cleanup_free_ char *now = read_text(target, &size);
        for (size_t i = SIZE; i < size; i++)
                ck_assert_int_eq(now[i], 'x');
        ck_assert_int_eq(truncate(target, SIZE), 0);
        assert_same_disk(raw, "raw", target, "raw");
}
END_TEST

START_TEST(a_device_that_is_too_small_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw"), *target = PATH(dir, "target");

        make_disk(raw, SIZE, 7);
        write_text(target, "");
        ck_assert_int_eq(truncate(target, SIZE - MIB), 0);
        char *device = loop_for(target);
        if (!device)
                return;
        Plan p = { .directory = PATH(dir, "job"),
                .source = raw,
                .source_format = "raw",
                .destination = device,
                .destination_format = "raw" };
        ck_assert_int_eq(attempt(&p), JOB_EXIT_FAILED);
        RUN("losetup", "-d", device);
        assert_ended(&p, OUTCOME_FAILED, "destination_refused");
}
END_TEST

int main(void) {
        const TTest *const tests[] = { only_block_devices_are_devices,
                a_device_that_is_too_small_is_refused };
        TCase *tcase = test_case("job-device", 60, tests, ELEMENTSOF(tests));

        if (!program_exists("qemu-nbd") || !program_exists("losetup"))
                return 77;
        tcase_add_loop_test(tcase, a_device_is_a_source, 0, 2);
        tcase_add_loop_test(tcase, a_device_is_a_destination, 0, 2);
        return test_run("job-device", tcase);
}
