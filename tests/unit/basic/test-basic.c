/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/prioq.h"
#include "unit/lib/test.h"

START_TEST(numbers_must_be_digits_and_fit) {
        uint64_t n;
        unsigned u;

        ck_assert_int_eq(parse_uint64("18446744073709551615", &n), 0);
        ck_assert_uint_eq(n, UINT64_MAX);
        ck_assert_int_eq(parse_uint64("18446744073709551616", &n), -ERANGE);
        ck_assert_int_eq(parse_uint64("", &n), -EINVAL);
        ck_assert_int_eq(parse_uint64("-1", &n), -EINVAL);
        ck_assert_int_eq(parse_uint64(" 1", &n), -EINVAL);
        ck_assert_int_eq(parse_uint64("1x", &n), -EINVAL);
        ck_assert_int_eq(parse_unsigned("4294967296", &u), -ERANGE);
}
END_TEST

START_TEST(booleans_are_words) {
        bool b = false;

        ck_assert_int_eq(parse_boolean("Yes", &b), 0);
        ck_assert(b);
        ck_assert_int_eq(parse_boolean("off", &b), 0);
        ck_assert(!b);
        ck_assert_int_eq(parse_boolean("maybe", &b), -EINVAL);
        ck_assert_int_eq(parse_boolean("", &b), -EINVAL);
}
END_TEST

START_TEST(byte_counts_read_well) {
        char buf[BYTES_SIZE];

        ck_assert_str_eq(format_bytes(buf, 0), "0 B");
        ck_assert_str_eq(format_bytes(buf, 1023), "1023 B");
        ck_assert_str_eq(format_bytes(buf, 1536), "1.5 KiB");
        ck_assert_str_eq(format_bytes(buf, UINT64_MAX), "16.0 EiB");
}
END_TEST

START_TEST(utf8_follows_rfc3629) {
        ck_assert(utf8_is_valid("plain"));
        ck_assert(utf8_is_valid("B\xc3\xbcro \xf0\x9f\x92\xbe"));
        ck_assert(!utf8_is_valid("\xc0\x80"));
        ck_assert(!utf8_is_valid("\xed\xa0\x80"));
        ck_assert(!utf8_is_valid("\xf4\x90\x80\x80"));
        ck_assert(!utf8_is_valid("\xc3"));
}
END_TEST

START_TEST(lists_of_strings_grow_and_join) {
        _cleanup_strv_free_ char **l = NULL;
        _cleanup_free_ char *joined = NULL, *empty = strv_join(NULL, ", ");

        ck_assert_int_eq(strv_extend(&l, "a"), 0);
        ck_assert_int_eq(strv_extendf(&l, "%d", 7), 0);
        joined = strv_join(l, ", ");
        ck_assert_str_eq(joined, "a, 7");
        ck_assert_str_eq(empty, "");
        ck_assert(strv_contains(l, "7"));
        ck_assert(!strv_contains(l, "8"));
}
END_TEST

START_TEST(an_atomic_write_replaces_the_whole_file) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/file", dir), *leftover = strprintf("%s/file.new", dir),
                            *data = NULL;
        struct stat st;

        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path, "a longer text", 13, 0640), 0);
        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path, "short", 5, 0600), 0);
        ck_assert_int_eq(read_file_at(AT_FDCWD, path, 100, &data, NULL), 0);
        ck_assert_str_eq(data, "short");
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        ck_assert_int_eq(access(leftover, F_OK), -1);
}
END_TEST

START_TEST(reading_keeps_to_its_limit) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/file", dir), *data = NULL;

        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path, "12345", 5, 0600), 0);
        ck_assert_int_eq(read_file_at(AT_FDCWD, path, 4, &data, NULL), -EFBIG);
        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path,
                                         "1\0"
                                         "2",
                                         3, 0600),
                        0);
        ck_assert_int_eq(read_file_at(AT_FDCWD, path, 4, &data, NULL), -EBADMSG);
}
END_TEST

typedef struct Number {
        unsigned value;
        size_t index;
        bool queued;
} Number;

static bool number_before(const void *a, const void *b) {
        return ((const Number *) a)->value < ((const Number *) b)->value;
}

/* The smallest that is queued, or NULL. */
static Number *smallest(Number *numbers, size_t n) {
        Number *best = NULL;

        for (size_t i = 0; i < n; i++)
                if (numbers[i].queued && (!best || numbers[i].value < best->value))
                        best = &numbers[i];
        return best;
}

START_TEST(a_priority_queue_gives_the_first_whatever_is_done_to_it) {
        Number numbers[64] = {};
        Prioq q;

        prioq_init(&q, number_before, offsetof(Number, index));
        ck_assert_ptr_null(prioq_first(&q));
        srand(1);
        for (unsigned step = 0; step < 20000; step++) {
                Number *n = &numbers[(unsigned) rand() % ELEMENTSOF(numbers)], *first;
                bool moves = rand() % 3 == 0;

                if (!n->queued) {
                        n->value = (unsigned) rand() % 100;
                        ck_assert_int_eq(prioq_reserve(&q, q.n + 1), 0);
                        prioq_put(&q, n);
                        n->queued = true;
                } else if (moves) {
                        n->value = (unsigned) rand() % 100;
                        prioq_moved(&q, n);
                } else {
                        prioq_remove(&q, n);
                        n->queued = false;
                }
                first = smallest(numbers, ELEMENTSOF(numbers));
                ck_assert_int_eq(first == NULL, prioq_first(&q) == NULL);
                if (first)
                        ck_assert_uint_eq(((Number *) prioq_first(&q))->value, first->value);
        }
        prioq_done(&q);
        ck_assert_ptr_null(prioq_first(&q));
}
END_TEST

TEST_MAIN("basic", numbers_must_be_digits_and_fit, booleans_are_words, byte_counts_read_well,
                utf8_follows_rfc3629, lists_of_strings_grow_and_join,
                an_atomic_write_replaces_the_whole_file, reading_keeps_to_its_limit,
                a_priority_queue_gives_the_first_whatever_is_done_to_it)
