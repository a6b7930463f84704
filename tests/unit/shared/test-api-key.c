/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/api-key.h"
#include "unit/lib/test.h"

START_TEST(a_key_has_its_form_and_no_two_are_alike) {
        enum { N = 200 };
        ApiKey keys[N];

        for (size_t i = 0; i < N; i++) {
                ApiKeyId id;

                ck_assert_int_eq(api_key_make(&keys[i]), 0);
                ck_assert_uint_eq(strlen(keys[i].text), API_KEY_LENGTH);
                ck_assert_int_eq(api_key_parse(keys[i].text, &id), 0);
                ck_assert_str_eq(id.text, keys[i].id.text);
                ck_assert_ptr_eq(startswith(keys[i].text, "hyper_") + 8, strchr(keys[i].text + 6, '_'));
                for (size_t j = 0; j < i; j++)
                        ck_assert_str_ne(keys[i].text + 15, keys[j].text + 15);
        }
}
END_TEST

/* Each of the secret's characters takes many values over many keys: none stands still. */
START_TEST(all_of_the_secret_is_random) {
        uint64_t seen[SECRET_LENGTH][2] = {};

        for (size_t i = 0; i < 400; i++) {
                ApiKey key;

                ck_assert_int_eq(api_key_make(&key), 0);
                for (size_t k = 0; k < SECRET_LENGTH; k++) {
                        unsigned c = (unsigned char) key.text[15 + k] & 127;

                        seen[k][c / 64] |= UINT64_C(1) << c % 64;
                }
        }
        for (size_t k = 0; k < SECRET_LENGTH; k++)
                /* the last one holds four bits only: 256 is 42 times 6 and 4 */
                ck_assert_int_ge(__builtin_popcountll(seen[k][0]) + __builtin_popcountll(seen[k][1]),
                                k + 1 < SECRET_LENGTH ? 40 : 12);
}
END_TEST

START_TEST(what_is_no_key_is_refused) {
        static const char good[] = "hyper_0123abcd_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop-";
        static const char *const bad[] = {
                "",
                "hyper_",
                "hyper_0123abcd",
                "hyper_0123abcd_",
                "hyper_0123abcd_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop", /* one too short */
                "hyper_0123abcd_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop-x",
                "hyper_0123abc_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop-x",
                "hyper_0123abcde_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop",
                "hyper_0123ABCD_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop-",
                "hyper_0123abcd-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop-",
                "Hyper_0123abcd_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop-",
                "hyper_0123abcd_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno+-",
                "hyper_0123abcd_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop=",
                " hyper_0123abcd_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop-",
                "hyper_0123abcd_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop-\n",
        };
        ApiKeyId id = { "untouchd" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                ck_assert_msg(api_key_parse(bad[i], &id) == -EINVAL, "\"%s\" was taken", bad[i]);
                ck_assert_str_eq(id.text, "untouchd");
        }
        ck_assert_int_eq(api_key_parse(good, &id), 0);
        ck_assert_str_eq(id.text, "0123abcd");
}
END_TEST

/* FIPS 180-2, appendix B. */
START_TEST(the_hash_is_sha_256) {
        static const ApiKeyHash abc = { { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4,
                        0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad } };
        ApiKeyHash hash;

        api_key_hash("abc", 3, &hash);
        ck_assert(api_key_hash_equal(&hash, &abc));
        for (size_t i = 0; i < sizeof(hash.bytes) * 8; i++) {
                ApiKeyHash other = hash;

                other.bytes[i / 8] ^= (uint8_t) (1u << i % 8);
                ck_assert(!api_key_hash_equal(&hash, &other));
        }
}
END_TEST

START_TEST(scopes_are_words) {
        static const char *const bad[] = { "", "public", "write", "read,", ",read", "read submit", "READ",
                "read,,work", "read,root" };
        uint32_t scopes = 77;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(scopes_from_text(bad[i], &scopes) == -EINVAL, "\"%s\" was taken", bad[i]);
        ck_assert_uint_eq(scopes, 77);
        for (uint32_t set = 2; set < 16; set += 2) {
                _cleanup_free_ char *text = scopes_to_text(set);

                ck_assert_int_eq(scopes_from_text(text, &scopes), 0);
                ck_assert_uint_eq(scopes, set);
        }
        ck_assert_int_eq(scopes_from_text("work,read,work", &scopes), 0);
        ck_assert_uint_eq(scopes, 1u << SCOPE_WORK | 1u << SCOPE_READ);
        ck_assert_ptr_null(scope_to_string(SCOPE_PUBLIC));
}
END_TEST

START_TEST(each_scope_allows_itself_and_to_look) {
        for (Scope has = SCOPE_READ; has < _SCOPE_MAX; has++)
                for (Scope needs = SCOPE_PUBLIC; needs < _SCOPE_MAX; needs++)
                        ck_assert_int_eq(scopes_allow(1u << has, needs),
                                        needs <= SCOPE_READ || needs == has || has == SCOPE_ADMIN);
        ck_assert(scopes_allow(0, SCOPE_PUBLIC));
        ck_assert(!scopes_allow(0, SCOPE_READ));
}
END_TEST

START_TEST(names_are_plain) {
        static const char *const good[] = { "a", "node-2.example", "7", "A_b" };
        static const char *const bad[] = { "", "-a", ".a", "a b", "a/b", "a\n", "ä", "a:b" };
        char longest[API_KEY_NAME_MAX + 2];

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                ck_assert(api_key_name_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert(!api_key_name_is_valid(bad[i]));
        memset(longest, 'x', sizeof(longest));
        longest[API_KEY_NAME_MAX + 1] = '\0';
        ck_assert(!api_key_name_is_valid(longest));
        longest[API_KEY_NAME_MAX] = '\0';
        ck_assert(api_key_name_is_valid(longest));
}
END_TEST

TEST_MAIN("api-key", a_key_has_its_form_and_no_two_are_alike, all_of_the_secret_is_random,
                what_is_no_key_is_refused, the_hash_is_sha_256, scopes_are_words,
                each_scope_allows_itself_and_to_look, names_are_plain)
