/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An NBD server as destination: its size, its block limits, and going on.
 *
 * check: all */

#include "spec/job-result.h"
#include "unit/lib/job-servers.h"

#define SIZE (8 * MIB)

#define OPTION(name, value) test_keep(strprintf(name "=%" PRIu64, value))

static void fill(const char *path, char c, uint64_t size) {
        _cleanup_free_ char *data = malloc(size);

        memset(data, c, size);
        write_file(path, data, size);
}

static Plan plan_for(const char *dir) {
        make_disk(PATH(dir, "disk.raw"), SIZE, 7);
        return (Plan){ .directory = PATH(dir, "job"),
                .source = PATH(dir, "disk.raw"),
                .source_format = "raw",
                .destination = test_keep(strprintf("nbd+unix:///?socket=%s/nbd", dir)),
                .verify_full = true };
}

static char *message_of(const Plan *p) {
        _cleanup_(job_result_freep) JobResult *r = read_result(p->directory);

        return test_keep(strdup(strna(r->message)));
}

/* --- size ------------------------------------------------------------------------------------------ */

START_TEST(a_larger_disk_is_another_disk) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);
        char *out = PATH(dir, "out.raw");
        size_t size;

        fill(out, 'x', SIZE + 3 * 65536 + 512);
        pid_t server = SERVE(PATH(dir, "nbd"), "file", out);
        ck_assert_int_eq(attempt(&p), JOB_EXIT_FAILED);
        assert_ended(&p, OUTCOME_FAILED, "destination_refused");
        ck_assert_ptr_nonnull(strstr(message_of(&p), "parameters.allow_larger"));
        _cleanup_free_ char *before = read_text(out, &size);
        for (size_t i = 0; i < size; i++)
                ck_assert_int_eq(before[i], 'x');

        p.directory = PATH(dir, "job2");
        p.allow_larger = true;
        assert_converts(&p);
        child_kill(server);
        _cleanup_free_ char *after = read_text(out, &size);
        ck_assert_uint_eq(size, SIZE + 3 * 65536 + 512);
        for (size_t i = SIZE; i < size; i++)
                ck_assert_msg(after[i] == 'x', "byte %zu behind the end was changed", i - SIZE);
        ck_assert_int_eq(truncate(out, SIZE), 0);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", out, "raw");
}
END_TEST

/* Nothing can be written of the last block without the rest of it. */
START_TEST(the_end_must_fit_the_servers_blocks) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);

        ck_assert_int_eq(truncate(p.source, SIZE - 512), 0);
        p.allow_larger = true;
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=blocksize-policy", "memory", "size=8M",
                        "blocksize-minimum=4096", "blocksize-error-policy=error");
        ck_assert_int_eq(attempt(&p), JOB_EXIT_FAILED);
        child_kill(server);
        assert_ended(&p, OUTCOME_FAILED, "destination_refused");
        ck_assert_ptr_nonnull(strstr(message_of(&p), "whole blocks of 4096 bytes"));
}
END_TEST

/* --- block limits ---------------------------------------------------------------------------------- */

static const struct {
        uint64_t minimum, preferred, maximum;
} limits[] = {
        { 1, 4096, 32768 },
        { 512, 4096, 65536 },
        { 4096, 32768, 32768 },
        { 4096, 65536, 98304 },
        { 65536, 65536, 65536 },
        { 65536, 1048576, 1048576 },
        { 1, 4096, 33554432 },
        { 65536, 4194304, 33554432 },
};

static pid_t serve_with_limits(const char *socket, const char *file, unsigned i, bool zeroes) {
        char *minimum = OPTION("blocksize-minimum", limits[i].minimum),
             *preferred = OPTION("blocksize-preferred", limits[i].preferred),
             *maximum = OPTION("blocksize-maximum", limits[i].maximum);

        return SERVE(socket, "--filter=blocksize-policy", zeroes ? "--filter=stats" : "--filter=nozero",
                        "file", file, minimum, preferred, maximum, "blocksize-error-policy=error",
                        zeroes ? "statsfile=/dev/null" : "zeromode=none");
}

START_TEST(block_limits_of_both_ends_are_kept) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);
        char *out = PATH(dir, "out.raw"), *from = PATH(dir, "from");

        fill(out, 'x', SIZE);
        p.source = test_keep(strprintf("nbd+unix:///?socket=%s", from));
        p.source_format = NULL;
        pid_t source = serve_with_limits(from, PATH(dir, "disk.raw"), (unsigned) _i / 2, true);
        pid_t server = serve_with_limits(PATH(dir, "nbd"), out, (unsigned) _i / 2, _i % 2);
        assert_converts(&p);
        child_kill(server);
        child_kill(source);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", out, "raw");
}
END_TEST

/* One end with the smallest maximum, the other with the largest minimum. */
START_TEST(limits_may_differ) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);
        char *out = PATH(dir, "out.raw"), *from = PATH(dir, "from");

        fill(out, 'x', SIZE);
        p.source = test_keep(strprintf("nbd+unix:///?socket=%s", from));
        p.source_format = NULL;
        pid_t source = serve_with_limits(from, PATH(dir, "disk.raw"), _i ? 0 : 7, true);
        pid_t server = serve_with_limits(PATH(dir, "nbd"), out, _i ? 7 : 0, true);
        assert_converts(&p);
        child_kill(server);
        child_kill(source);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", out, "raw");
}
END_TEST

/* --- going on -------------------------------------------------------------------------------------- */

/* The server comes back with an empty disk of the same size: what was copied is not there. */
START_TEST(a_server_that_forgot_is_begun_anew) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir);
        char *out = PATH(dir, "out.raw");
        FILE *lines;

        make_disk(p.source, 6 * SIZE, 7);
        fill(out, 0, 6 * SIZE);
        pid_t server = SERVE(PATH(dir, "nbd"), "--filter=rate", "file", out, "rate=16M");
        pid_t job = start_job(&p, &lines);
        wait_for_line(lines, "Converting 1 disk"); /* its directory is there now */
        wait_for_checkpoint(test_keep(strprintf("%s/results/part", p.directory)));
        ck_assert_int_eq(kill(job, SIGTERM), 0);
        ck_assert_int_eq(wait_job(job, lines), JOB_EXIT_CANCELLED);
        child_kill(server);

        ck_assert_int_eq(truncate(out, 0), 0);
        ck_assert_int_eq(truncate(out, (off_t) (6 * SIZE)), 0);
        /* (nbdkit 1.32 may abort when a client goes away in the middle of a request.) */
        server = serve(PATH(dir, "nbd"),
                        (const char *const[]){
                                        "qemu-nbd", "--persistent", "--shared=8", "-f", "raw", out, NULL });
        p.attempt = 2;
        p.verify_full = false;
        assert_converts(&p);
        child_kill(server);
        ck_assert_int_eq(metric(&p, "bytes_resumed"), 0);
        assert_same_disk(p.source, "raw", out, "raw");
}
END_TEST

int main(void) {
        const TTest *const tests[] = { a_larger_disk_is_another_disk, the_end_must_fit_the_servers_blocks,
                a_server_that_forgot_is_begun_anew };
        TCase *tcase = test_case("job-destination", 120, tests, ELEMENTSOF(tests));

        if (!program_exists("nbdkit"))
                return 77;
        tcase_add_loop_test(tcase, block_limits_of_both_ends_are_kept, 0, 2 * (int) ELEMENTSOF(limits));
        tcase_add_loop_test(tcase, limits_may_differ, 0, 2);
        return test_run("job-destination", tcase);
}
