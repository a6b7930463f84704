/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/ovf-names.h"
#include "unit/lib/test.h"

static void assert_names(const char *text, const char *expected) {
        _cleanup_strv_free_ char **names = NULL;
        _cleanup_free_ char *joined = NULL;

        ck_assert_int_eq(ovf_names(text, strlen(text), &names), 0);
        joined = strv_join(names, "|");
        ck_assert_str_eq(joined, expected);
}

START_TEST(names_are_found_however_they_are_written) {
        assert_names("<File ovf:href=\"disk1.vmdk\" id='x'/><File href = 'b c.vmdk'/>",
                        "disk1.vmdk|b c.vmdk");
        assert_names("<File href='My%20Disk%20%231.vmdk'/><File href='a&amp;b'/>", "My Disk #1.vmdk|a&b");
        assert_names("<File href='./x'/><File href='x'/><File href='sub\\y'/><File href='a//./b'/>",
                        "x|sub/y|a/b");
        assert_names("<File href='file:///C:/export/d.vmdk'/>", "C:/export/d.vmdk");
        assert_names("\xef\xbb\xbf<a href='x'/>", "x");
        assert_names("href href= href=\"", "");
}
END_TEST

START_TEST(names_that_lead_elsewhere_are_left_out) {
        assert_names("<File href='../x'/><File href='a/../../x'/><File href='..\\x'/><File "
                     "href='%2e%2e/x'/>",
                        "");
        assert_names("<File href='http://127.0.0.1/x'/><File href='nbd://x'/>", "");
        assert_names("<File href='a%00b'/><File href='a\x01'/><File href='\xff'/><File href=''/><File "
                     "href='x/'/>",
                        "");
        assert_names("<File href='/etc/passwd'/>", "etc/passwd"); /* below the directory */
}
END_TEST

START_TEST(there_is_an_end_to_them) {
        size_t n = 8192, size = n * 20;
        _cleanup_free_ char *text = calloc(1, size + 1);
        _cleanup_strv_free_ char **names = NULL;

        for (size_t i = 0; i < n; i++)
                snprintf(text + i * 12, 13, "href='%05zu'", i);
        ck_assert_int_eq(ovf_names(text, strlen(text), &names), -E2BIG);
}
END_TEST

START_TEST(descriptors_are_told_from_other_files) {
        static const char text[] = "<?xml version='1.0'?><Envelope xmlns:ovf='x'>";
        char wide[2 * sizeof(text)] = "\xff\xfe";

        ck_assert(ovf_is_descriptor(text, strlen(text)));
        for (size_t i = 0; i + 1 < sizeof(text); i++) {
                wide[2 + 2 * i] = text[i];
                wide[3 + 2 * i] = 0;
        }
        ck_assert(ovf_is_descriptor(wide, sizeof(wide)));
        ck_assert(!ovf_is_descriptor("<html>Envelope</html>", 21));
        ck_assert(!ovf_is_descriptor("KDMV", 4));
        ck_assert(!ovf_is_descriptor("", 0));
}
END_TEST

TEST_MAIN("ovf-names", names_are_found_however_they_are_written, names_that_lead_elsewhere_are_left_out,
                there_is_an_end_to_them, descriptors_are_told_from_other_files)
