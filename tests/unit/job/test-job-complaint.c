/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Failures say why, in the words of the program that knows. */

#include "job/complaint.h"
#include "spec/job-result.h"
#include "unit/lib/job-servers.h"

static void check(const char *errors, const char *expected) {
        _cleanup_free_ char *text = complaint_text(errors);

        ck_assert_msg(streq_ptr(text, expected), "%s\nis not\n%s", strna(text), strna(expected));
}

START_TEST(the_whole_complaint_is_told) {
        check("", NULL);
        check("\n\n", NULL);
        check("qemu-img: one\n", "one");
        check("qemu-nbd: Failed to get shared \"write\" lock\nIs another process using the image [/a]?\n",
                        "Failed to get shared \"write\" lock; Is another process using the image [/a]?");
        check("nbdkit: error: a\nnbdkit: vddk[2]: error: b\nnbdkit: vddk[x] c\n", "a; b; vddk[x] c");
        check("ERROR: a\nERROR: b\nERROR: a\n", "ERROR: a; ERROR: b");
        check("qemu-img: bad option\nTry 'qemu-img --help' for more information\n", "bad option");
}
END_TEST

START_TEST(options_that_nobody_wrote_are_left_out) {
        check("qemu-img: Could not open 'json:{\"driver\":\"vmdk\",\"file\":{\"filename\":\"/a}'b\"}}': "
              "Invalid footer\n",
                        "Could not open the image: Invalid footer");
        check("qemu-img: Could not open 'json:{\"a\":1\n", "Could not open 'json:{\"a\":1");
}
END_TEST

START_TEST(a_flood_keeps_both_ends) {
        _cleanup_free_ char *flood = malloc(100000), *text = NULL;

        strcpy(flood, "the cause\n");
        for (unsigned i = 0; i < 2000; i++)
                sprintf(flood + strlen(flood), "\xc3\xa4 line %u\n", i);
        strcat(flood, "the end\n");
        text = complaint_text(flood);
        ck_assert_ptr_nonnull(text);
        ck_assert_uint_le(strlen(text), COMPLAINT_MAX);
        ck_assert(utf8_is_valid(text));
        ck_assert(startswith(text, "the cause; ") && endswith(text, "; the end"));
}
END_TEST

static char *message_of(const Plan *p, const char *code) {
        _cleanup_(job_result_freep) JobResult *r = read_result(p->directory);

        ck_assert_msg(streq_ptr(r->code, code), "%s: %s", strna(r->code), strna(r->message));
        return test_keep(strdup(strna(r->message)));
}

/* All tables are right and the data is not: only qemu-nbd knows, and hangs up. */
START_TEST(a_source_that_cannot_be_read_is_not_a_lost_connection) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw"), *image = PATH(dir, "disk.qcow2");
        Plan p = { .directory = PATH(dir, "job"),
                .source = image,
                .destination = PATH(dir, "result"),
                .destination_format = "raw" };
        char text[MIB];

        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = (char) ('a' + i % 7);
        write_file(raw, text, sizeof(text));
        RUN("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", raw, image);
        /* Compressed clusters are the last thing in the file. */
        _cleanup_close_ int fd = open(image, O_WRONLY | O_CLOEXEC);
        for (uint64_t at = 5 * 65536; at + 8 < file_size(image); at += 8)
                ck_assert_int_eq(pwrite_full(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, at), 0);

        ck_assert_int_eq(attempt(&p), JOB_EXIT_TRANSIENT);
        const char *message = message_of(&p, "io_error");
        ck_assert_msg(strstr(message, "Input/output error") && strstr(message, image), "%s", message);
        ck_assert_msg(!strstr(message, "onnection reset"), "%s", message);
}
END_TEST

int main(void) {
        const TTest *const tests[] = { the_whole_complaint_is_told, options_that_nobody_wrote_are_left_out,
                a_flood_keeps_both_ends, a_source_that_cannot_be_read_is_not_a_lost_connection };
        TCase *tcase = test_case("job-complaint", 60, tests, ELEMENTSOF(tests));

        if (!program_exists("qemu-nbd"))
                return 77;
        return test_run("job-complaint", tcase);
}
