/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How tables and progress look on terminals of all widths, and on none. */

#include <locale.h>

#include "ctl/progress-bar.h"
#include "ctl/table.h"
#include "ctl/text.h"
#include "unit/lib/test.h"

__attribute__((__constructor__)) static void use_utf8(void) {
        (void) setlocale(LC_CTYPE, "C.UTF-8");
}

static const TableColumn columns[] = { { .title = "ID", .shrink_to = 4 }, { .title = "DONE", .right = true },
        { .title = "REASON", .shrink_to = 3 } };

static char *print(const Terminal *terminal, bool legend, const char *id, const char *reason) {
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        ck_assert_int_ge(table_add(t, id, COLOUR_NONE), 0);
        ck_assert_int_ge(table_addf(t, COLOUR_RED, "%d%%", 7), 0);
        ck_assert_int_ge(table_add(t, reason, COLOUR_NONE), 0);
        ck_assert_uint_eq(table_rows(t), 1);
        ck_assert_int_eq(table_print(t, f, terminal, legend), 0);
        fclose(f);
        return text;
}

START_TEST(columns_are_as_wide_as_they_need_to_be) {
        _cleanup_free_ char *s = print(&(Terminal){ .utf8 = true }, true, "größe", "none");

        ck_assert_str_eq(s, "ID    DONE REASON\ngröße   7% none\n");
}
END_TEST

START_TEST(without_legend_there_is_no_line_of_titles) {
        _cleanup_free_ char *s = print(&(Terminal){ .utf8 = true }, false, "a", "b");

        ck_assert_str_eq(s, "a 7% b\n");
}
END_TEST

START_TEST(a_pipe_gets_everything) {
        _cleanup_free_ char *s = print(&(Terminal){ .utf8 = true }, true, "a-very-long-identifier-of-a-job",
                        "and a reason that is much too long for a line of a terminal");

        ck_assert_ptr_nonnull(strstr(s,
                        "a-very-long-identifier-of-a-job   7% and a reason that is much too long for "
                        "a line of a terminal\n"));
        ck_assert_ptr_null(strstr(s, "…"));
        ck_assert_ptr_null(strchr(s, '\x1b'));
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal) {
        for (size_t width = 16; width < 120; width++)
                for (int utf8 = 0; utf8 < 2; utf8++) {
                        Terminal terminal = { .tty = true, .utf8 = utf8, .width = width };
                        _cleanup_free_ char *s = print(&terminal, true, "a-very-long-identifier-of-a-job",
                                                            "磁盘 and a reason that is too long for a line"),
                                            *rest = s ? strdup(s) : NULL;
                        char *p = rest;

                        for (const char *line; (line = strsep(&p, "\n"));)
                                ck_assert_uint_le(text_width(line), width);
                        if (width < 60)
                                ck_assert_ptr_nonnull(strstr(s, utf8 ? "…" : "..."));
                }
}
END_TEST

START_TEST(what_may_not_shrink_stays_whole) {
        _cleanup_free_ char *s = print(
                        &(Terminal){ .tty = true, .utf8 = true, .width = 5 }, true, "abcdefgh", "reasons");

        /* narrower than that is impossible: ID 4, DONE whole, REASON 3 */
        ck_assert_str_eq(s, "ID   DONE RE…\nabc…   7% re…\n");
}
END_TEST

START_TEST(cells_cannot_break_out_of_their_line) {
        _cleanup_free_ char *s = print(&(Terminal){ .utf8 = true }, false, "a", "x\ny\x1b[2J");

        ck_assert_str_eq(s, "a 7% x\\ny\\x1b[2J\n");
}
END_TEST

START_TEST(colours_only_where_they_are_wanted) {
        _cleanup_free_ char *s =
                        print(&(Terminal){ .tty = true, .colour = true, .utf8 = true }, false, "a", "b");

        ck_assert_str_eq(s, "a \x1b[0;1;31m7%\x1b[0m b\n");
}
END_TEST

static const Progress half = { .phase = "conversion",
        .percent = 50,
        .done = UINT64_C(2) << 30,
        .total = UINT64_C(4) << 30,
        .rate = UINT64_C(512) << 20 };

static void assert_line(const Progress *p, size_t width, bool utf8, const char *expected) {
        _cleanup_free_ char *s = progress_line(p, width, utf8);

        ck_assert_str_eq(s, expected);
}

START_TEST(a_wide_line_tells_everything) {
        assert_line(&half, 100, true,
                        "conversion     [█████████████████                 ]  50.0%  2.0 GiB of 4.0 GiB  "
                        "512.0 MiB/s  4s left");
        assert_line(&half, 100, false,
                        "conversion     [#################.................]  50.0%  2.0 GiB of 4.0 GiB  "
                        "512.0 MiB/s  4s left");
}
END_TEST

START_TEST(a_narrow_line_leaves_the_least_important_out) {
        assert_line(&half, 60, false, "conversion     [########........]  50.0%  2.0 GiB of 4.0 GiB");
}
END_TEST

START_TEST(a_line_is_never_wider_than_asked) {
        for (size_t width = 0; width < 130; width++)
                for (double percent = -1; percent <= 100; percent += 12.5) {
                        Progress p = half;
                        _cleanup_free_ char *a = NULL, *b = NULL;

                        p.percent = percent;
                        a = progress_line(&p, width, true);
                        p.label = "a-job";
                        b = progress_line(&p, width, false);
                        ck_assert_uint_le(text_width(a), width);
                        ck_assert_uint_le(text_width(b), width);
                }
}
END_TEST

START_TEST(a_full_bar_is_full_and_an_empty_one_empty) {
        Progress p = { .phase = "verification", .percent = 100 };

        assert_line(&p, 42, false, "verification   [##################] 100.0%");
        assert_line(&p, 42, true, "verification   [██████████████████] 100.0%");
        p.percent = 0;
        assert_line(&p, 42, true, "verification   [                  ]   0.0%");
        p.percent = 250; /* nonsense from outside */
        assert_line(&p, 42, false, "verification   [##################] 100.0%");
}
END_TEST

START_TEST(an_unknown_percentage_has_no_bar) {
        Progress p = { .phase = "inspection", .percent = -1 };

        assert_line(&p, 80, true, "inspection        ...");
}
END_TEST

START_TEST(time_left_is_known_only_when_it_can_be) {
        ck_assert_uint_eq(progress_time_left(&half), 4 * USEC_PER_SEC);
        ck_assert_uint_eq(progress_time_left(&(Progress){ .done = 1, .total = 2 }), USEC_INFINITY);
        ck_assert_uint_eq(progress_time_left(&(Progress){ .done = 1, .rate = 2 }), USEC_INFINITY);
        ck_assert_uint_eq(
                        progress_time_left(&(Progress){ .done = 3, .total = 2, .rate = 1 }), USEC_INFINITY);
        ck_assert_uint_eq(progress_time_left(&(Progress){ .total = UINT64_MAX, .rate = 1 }), USEC_INFINITY);
}
END_TEST

TEST_MAIN("ctl-table", columns_are_as_wide_as_they_need_to_be, without_legend_there_is_no_line_of_titles,
                a_pipe_gets_everything, no_line_is_wider_than_the_terminal, what_may_not_shrink_stays_whole,
                cells_cannot_break_out_of_their_line, colours_only_where_they_are_wanted,
                a_wide_line_tells_everything, a_narrow_line_leaves_the_least_important_out,
                a_line_is_never_wider_than_asked, a_full_bar_is_full_and_an_empty_one_empty,
                an_unknown_percentage_has_no_bar, time_left_is_known_only_when_it_can_be)
