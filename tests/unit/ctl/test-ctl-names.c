/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words: which one was meant, and what an output file is called. */

#include "ctl/output-name.h"
#include "ctl/similar.h"
#include "unit/lib/test.h"

START_TEST(the_distance_counts_single_mistakes) {
        static const struct {
                const char *a, *b;
                size_t distance;
        } cases[] = {
                { "", "", 0 },
                { "list", "list", 0 },
                { "lis", "list", 1 },
                { "llist", "list", 1 },
                { "lost", "list", 1 },
                { "lsit", "list", 1 }, /* two neighbours swapped */
                { "", "list", 4 },
                { "submit", "watch", 6 },
                { "destinatoin", "destination", 1 },
                { "ca", "abc", 3 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ck_assert_uint_eq(similar_distance(cases[i].a, cases[i].b), cases[i].distance);
                ck_assert_uint_eq(similar_distance(cases[i].b, cases[i].a), cases[i].distance);
        }
}
END_TEST

START_TEST(words_that_are_too_long_are_like_no_other) {
        char word[4096];

        memset(word, 'a', sizeof(word) - 1);
        word[sizeof(word) - 1] = 0;
        ck_assert_uint_eq(similar_distance(word, "a"), SIZE_MAX);
        ck_assert_uint_eq(similar_distance("a", word), SIZE_MAX);
}
END_TEST

static const char *suggest(const char *word) {
        static const char *const candidates[] = { "list", "status", "cancel", "config", "rm", "vm" };
        Similar s = { .word = word };

        for (size_t i = 0; i < ELEMENTSOF(candidates); i++)
                similar_offer(&s, candidates[i]);
        return s.best;
}

START_TEST(only_what_is_similar_is_suggested) {
        ck_assert_str_eq(suggest("lsit"), "list");
        ck_assert_str_eq(suggest("stauts"), "status");
        ck_assert_str_eq(suggest("canel"), "cancel");
        ck_assert_str_eq(suggest("conf"), "config"); /* an abbreviation */
        ck_assert_str_eq(suggest("rn"), "rm");
        ck_assert_ptr_null(suggest("x"));
        ck_assert_ptr_null(suggest(""));
        ck_assert_ptr_null(suggest("frobnicate"));
}
END_TEST

START_TEST(a_name_tells_a_format) {
        ck_assert_str_eq(output_format_of_name("/a/b.qcow2"), "qcow2");
        ck_assert_str_eq(output_format_of_name("b.img"), "raw");
        ck_assert_str_eq(output_format_of_name("b.raw"), "raw");
        ck_assert_str_eq(output_format_of_name("b.vmdk"), "vmdk");
        ck_assert_ptr_null(output_format_of_name("b.vdi"));
        ck_assert_ptr_null(output_format_of_name("/dev/vg0/disk"));
}
END_TEST

START_TEST(an_output_in_a_directory_is_named_after_the_source) {
        static const struct {
                const char *directory, *source, *tail, *format, *expected;
        } cases[] = {
                { "/vms/", "/mnt/web.vmdk", "", "qcow2", "/vms/web.qcow2" },
                { "/vms", "/mnt/web.vmdk", "", "raw", "/vms/web.raw" },
                { "/vms/", "web.OVA", "", "vmdk", "/vms/web.vmdk" },
                { "/vms/", "/mnt/web.vmdk.gz", "", "qcow2", "/vms/web.qcow2" },
                { "/vms/", "/mnt/web.hdd/", "", "qcow2", "/vms/web.qcow2" },
                { "/vms/", "/mnt/web.v2", "", "qcow2", "/vms/web.v2.qcow2" },
                { "/vms/", "/mnt/.vmdk", "", "qcow2", "/vms/.vmdk.qcow2" },
                { "/vms/", "/mnt/web.img", "-{job_id}", "qcow2", "/vms/web-{job_id}.qcow2" },
                { "/", "/dev/vg0/web", "", "qcow2", "/web.qcow2" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *path = NULL;

                ck_assert_int_eq(output_name(cases[i].directory, cases[i].source, cases[i].tail,
                                                 cases[i].format, &path),
                                0);
                ck_assert_str_eq(path, cases[i].expected);
        }
}
END_TEST

START_TEST(without_a_name_or_a_format_there_is_no_output) {
        _cleanup_free_ char *path = NULL;

        ck_assert_int_eq(output_name("/vms/", "/", "", "qcow2", &path), -ENODATA);
        ck_assert_int_eq(output_name("/vms/", "", "", "qcow2", &path), -ENODATA);
        ck_assert_int_eq(output_name("/vms/", "/mnt/..", "", "qcow2", &path), -ENODATA);
        ck_assert_int_eq(output_name("/vms/", "/mnt/.", "", "qcow2", &path), -ENODATA);
        ck_assert_int_eq(output_name("/vms/", "/mnt/a.vmdk", "", "vdi", &path), -EINVAL);
        ck_assert_ptr_null(path);
}
END_TEST

TEST_MAIN("ctl-names", the_distance_counts_single_mistakes, words_that_are_too_long_are_like_no_other,
                only_what_is_similar_is_suggested, a_name_tells_a_format,
                an_output_in_a_directory_is_named_after_the_source,
                without_a_name_or_a_format_there_is_no_output)
