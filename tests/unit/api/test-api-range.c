/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Headers about parts of files and digests of bodies, as clients send them. */

#include "api/http/content-digest.h"
#include "api/http/range.h"
#include "unit/lib/test.h"

START_TEST(a_range_is_a_part_of_the_file) {
        static const struct {
                const char *value;
                RangeKind kind;
                uint64_t offset, length;
        } cases[] = {
                { NULL, RANGE_WHOLE, 0, 1000 },
                { "bytes=0-499", RANGE_PART, 0, 500 },
                { "bytes=500-", RANGE_PART, 500, 500 },
                { "bytes=-500", RANGE_PART, 500, 500 },
                { "bytes=-5000", RANGE_PART, 0, 1000 },
                { "bytes=999-999", RANGE_PART, 999, 1 },
                { "Bytes=900-9000000000", RANGE_PART, 900, 100 },
                { "bytes=0-0 ", RANGE_PART, 0, 1 },
                { "bytes=1000-", RANGE_UNSATISFIABLE, 0, 1000 },
                { "bytes=-0", RANGE_UNSATISFIABLE, 0, 1000 },
                /* these are ignored */
                { "bytes=0-1,5-6", RANGE_WHOLE, 0, 1000 },
                { "bytes=5-4", RANGE_WHOLE, 0, 1000 },
                { "bytes=", RANGE_WHOLE, 0, 1000 },
                { "bytes=-", RANGE_WHOLE, 0, 1000 },
                { "bytes=a-b", RANGE_WHOLE, 0, 1000 },
                { "bytes=+1-2", RANGE_WHOLE, 0, 1000 },
                { "bytes=99999999999999999999-", RANGE_WHOLE, 0, 1000 },
                { "lines=0-1", RANGE_WHOLE, 0, 1000 },
                { "", RANGE_WHOLE, 0, 1000 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t offset, length;

                ck_assert_msg(range_decode(cases[i].value, 1000, &offset, &length) == cases[i].kind, "%s",
                                cases[i].value);
                ck_assert_msg(offset == cases[i].offset && length == cases[i].length, "%s", cases[i].value);
        }
        uint64_t offset, length;
        ck_assert_int_eq(range_decode("bytes=-1", 0, &offset, &length), RANGE_UNSATISFIABLE);
        ck_assert_int_eq(range_decode("bytes=0-", 0, &offset, &length), RANGE_UNSATISFIABLE);
}
END_TEST

START_TEST(tags_are_found_in_lists) {
        ck_assert(etag_list_contains("\"a\"", "\"a\"", false));
        ck_assert(etag_list_contains("\"x\", \"a\"", "\"a\"", false));
        ck_assert(etag_list_contains("*", "\"a\"", false));
        ck_assert(etag_list_contains("W/\"a\"", "\"a\"", true));
        ck_assert(!etag_list_contains("W/\"a\"", "\"a\"", false));
        ck_assert(!etag_list_contains("\"ab\"", "\"a\"", false));
        ck_assert(!etag_list_contains("a", "\"a\"", false));
        ck_assert(!etag_list_contains("\"a", "\"a\"", false));
        ck_assert(!etag_list_contains("", "\"a\"", false));
}
END_TEST

START_TEST(dates_are_read_in_one_form_only) {
        static const char *const bad[] = { "", "Sun, 06 Nov 1994 08:49:37 CET",
                "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
                "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
                "Sun,  6 Nov 1994 08:49:37 GMT" };
        char buf[HTTP_DATE_SIZE];
        usec_t t;

        ck_assert_int_eq(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &t), 0);
        ck_assert_uint_eq(t, 784111777 * USEC_PER_SEC);
        ck_assert_str_eq(format_http_date(buf, t + 999999), "Sun, 06 Nov 1994 08:49:37 GMT");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(parse_http_date(bad[i], &t) == -EINVAL, "%s", bad[i]);
}
END_TEST

START_TEST(the_name_of_a_download_has_no_quotes_or_controls) {
        _cleanup_free_ char *plain = attachment_header("web.vmdk"),
                            *odd = attachment_header("a \"b\\c\r\n\xc3\xa9.raw");

        ck_assert_str_eq(plain, "attachment; filename=\"web.vmdk\"; filename*=UTF-8''web.vmdk");
        ck_assert_str_eq(odd,
                        "attachment; filename=\"a _b_c____.raw\"; filename*=UTF-8''"
                        "a%20%22b%5Cc%0D%0A%C3%A9.raw");
}
END_TEST

/* Of "hello world", from RFC 9530 and sha256sum. */
#define BASE64 "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="
#define DIGITS "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"

START_TEST(digests_are_read_in_both_forms) {
        static const char *const bad[] = { "sha-256=:" BASE64,
                "sha-256=::", "sha-256=:%%%:", "sha-256=:" BASE64 "A:" };
        uint8_t a[SHA256_SIZE], b[SHA256_SIZE];

        ck_assert_int_eq(content_digest_decode("sha-256=:" BASE64 ":", a), 1);
        ck_assert_int_eq(sha256_from_hex(DIGITS, b), 0);
        ck_assert_mem_eq(a, b, SHA256_SIZE);
        ck_assert_int_eq(content_digest_decode("sha-512=:abc=:, SHA-256=:" BASE64 ":", a), 1);
        ck_assert_int_eq(content_digest_decode("sha-512=:abc=:", a), 0);
        ck_assert_int_eq(content_digest_decode("", a), 0);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(content_digest_decode(bad[i], a) == -EINVAL, "%s", bad[i]);
        ck_assert_int_eq(sha256_from_hex("b94d", b), -EINVAL);
        ck_assert_int_eq(sha256_from_hex("g94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
                                         b),
                        -EINVAL);
}
END_TEST

TEST_MAIN("api-range", a_range_is_a_part_of_the_file, tags_are_found_in_lists,
                dates_are_read_in_one_form_only, the_name_of_a_download_has_no_quotes_or_controls,
                digests_are_read_in_both_forms)
