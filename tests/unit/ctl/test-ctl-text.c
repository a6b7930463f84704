/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Nothing that a job says reaches a terminal as a command. */

#include <locale.h>

#include "ctl/text.h"
#include "unit/lib/test.h"

/* wcwidth(3) knows the widths of a UTF-8 locale only. */
__attribute__((__constructor__)) static void use_utf8(void) {
        (void) setlocale(LC_CTYPE, "C.UTF-8");
}

static void assert_escaped(const char *s, bool utf8, const char *expected) {
        _cleanup_free_ char *t = text_escape(s, utf8);

        ck_assert_ptr_nonnull(t);
        ck_assert_str_eq(t, expected);
}

START_TEST(plain_text_stays_as_it_is) {
        assert_escaped("", true, "");
        assert_escaped("/srv/disk 1.vmdk", true, "/srv/disk 1.vmdk");
        assert_escaped("größe → 磁盘", true, "größe → 磁盘");
}
END_TEST

START_TEST(control_characters_are_shown_not_sent) {
        assert_escaped("a\x1b[31mb\x07", true, "a\\x1b[31mb\\x07");
        assert_escaped("one\ntwo\tthree\rfour", true, "one\\ntwo\\tthree\\rfour");
        assert_escaped("\x7f", true, "\\x7f");
        /* C1: U+009B is CSI, as good as ESC [ to a terminal */
        assert_escaped("\xc2\x9b"
                       "31m",
                        true, "\\u009b31m");
}
END_TEST

START_TEST(characters_that_turn_the_direction_of_writing_are_shown) {
        assert_escaped("a\xe2\x80\xae"
                       "b",
                        true, "a\\u202eb");
        assert_escaped("\xe2\x81\xa6", true, "\\u2066");
        assert_escaped("\xe2\x80\xa8", true, "\\u2028");
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_shown) {
        assert_escaped("a\xff"
                       "b",
                        true, "a\\xffb");
        assert_escaped("\xc3", true, "\\xc3"); /* cut off */
        assert_escaped("\xc0\x9b", true, "\\xc0\\x9b"); /* overlong ESC */
        assert_escaped("\xed\xa0\x80", true, "\\xed\\xa0\\x80"); /* a surrogate */
        assert_escaped("\xf5\x80\x80\x80", true, "\\xf5\\x80\\x80\\x80");
}
END_TEST

START_TEST(without_utf8_only_ascii_goes_out) {
        assert_escaped("größe", false, "gr\\u00f6\\u00dfe");
        assert_escaped("\xf0\x9f\x92\xbe", false, "\\U0001f4be");
}
END_TEST

START_TEST(width_counts_columns_not_bytes) {
        ck_assert_uint_eq(text_width("abc"), 3);
        ck_assert_uint_eq(text_width("größe"), 5);
        ck_assert_uint_eq(text_width("磁盘"), 4);
        ck_assert_uint_eq(text_width("e\xcc\x81"), 1);
}
END_TEST

static void assert_fits(const char *s, size_t width, bool utf8, const char *expected) {
        _cleanup_free_ char *t = text_fit(s, width, utf8);

        ck_assert_ptr_nonnull(t);
        ck_assert_str_eq(t, expected);
        ck_assert_uint_le(text_width(t), width);
}

START_TEST(text_is_shortened_to_the_width) {
        assert_fits("abcdef", 6, true, "abcdef");
        assert_fits("abcdef", 5, true, "abcd…");
        assert_fits("abcdef", 5, false, "ab...");
        assert_fits("abcdef", 1, true, "…");
        assert_fits("abcdef", 2, false, "..");
        assert_fits("abcdef", 0, true, "");
        /* a wide character is not cut in half */
        assert_fits("磁盘磁盘", 4, true, "磁…");
}
END_TEST

START_TEST(json_is_the_same_value_and_harmless) {
        _cleanup_(json_decrefp) json_t *o = json_pack("{s:s}", "k",
                                                       "\x1b[2J\xc2\x9b\xe2\x80\xae"
                                                       "ü"),
                                       *back = NULL;
        _cleanup_free_ char *wide = text_json(o, false, true), *narrow = text_json(o, true, false);

        ck_assert_str_eq(wide, "{\"k\":\"\\u001B[2J\\u009b\\u202eü\"}");
        for (const char *p = narrow; *p; p++)
                ck_assert(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
        back = json_loads(narrow, 0, NULL);
        ck_assert(json_equal(o, back));
}
END_TEST

TEST_MAIN("ctl-text", plain_text_stays_as_it_is, control_characters_are_shown_not_sent,
                characters_that_turn_the_direction_of_writing_are_shown, bytes_that_are_not_utf8_are_shown,
                without_utf8_only_ascii_goes_out, width_counts_columns_not_bytes,
                text_is_shortened_to_the_width, json_is_the_same_value_and_harmless)
