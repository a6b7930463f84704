/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/utf8.h"
#include "unit/lib/test.h"

#define BAD "\xef\xbf\xbd"

static void check_valid(const char *data, size_t size, size_t max, const char *expected) {
        _cleanup_free_ char *s = utf8_make_valid(data, size, max);

        ck_assert_ptr_nonnull(s);
        ck_assert_str_eq(s, expected);
        ck_assert(utf8_is_valid(s));
}

START_TEST(good_text_stays_as_it_is) {
        check_valid("", 0, 10, "");
        check_valid("a \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", 13, 100,
                        "a \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
}
END_TEST

START_TEST(each_bad_byte_is_replaced) {
        check_valid("a\xff"
                    "b",
                        3, 100, "a" BAD "b");
        check_valid("a\0b", 3, 100, "a" BAD "b");
        check_valid("\xc3", 1, 100, BAD); /* cut off */
        check_valid("\xc0\xaf", 2, 100, BAD BAD); /* overlong */
        check_valid("\xed\xa0\x80", 3, 100, BAD BAD BAD); /* surrogate */
        check_valid("\xf4\x90\x80\x80", 4, 100, BAD BAD BAD BAD); /* above U+10FFFF */
}
END_TEST

START_TEST(long_text_is_cut_between_characters) {
        check_valid("abcdef", 6, 3, "abc");
        check_valid("a\xe2\x82\xac", 4, 3, "a");
        check_valid("\xff\xff", 2, 5, BAD);
        check_valid("abc", 3, 0, "");
}
END_TEST

START_TEST(control_characters_are_found_and_replaced) {
        char s[] = "a\n\x1b[31m\x7f\t";

        ck_assert(utf8_has_control(s));
        ck_assert_str_eq(utf8_replace_control(s, '?'), "a??[31m??");
        ck_assert(!utf8_has_control(s));
        char csi[] = "\xc2\x9b"
                     "31m\xc2\xa0\xc2";
        ck_assert_str_eq(utf8_replace_control(csi, '?'), "?31m\xc2\xa0\xc2");
        ck_assert(utf8_has_control("\xc2\x9b"));
        ck_assert(!utf8_has_control("\xc2\xa0\xc3\x9b"));
}
END_TEST

TEST_MAIN("utf8", good_text_stays_as_it_is, each_bad_byte_is_replaced, long_text_is_cut_between_characters,
                control_characters_are_found_and_replaced)
