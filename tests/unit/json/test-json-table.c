/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/lib/test.h"
#include "json/json-parse.h"
#include "json/json-redact.h"
#include "json/json-table.h"

typedef struct Inner {
        bool flag;
} Inner;

typedef struct Sample {
        char *name;
        unsigned count;
        uint64_t size;
        char **list;
        int colour;
        Inner inner;
        json_t *any;
} Sample;

static int colour_from_string(const char *s) {
        return streq(s, "red") ? 0 : streq(s, "blue") ? 1 : -EINVAL;
}

static const JsonField inner_fields[] = {
        { "flag", JSON_FIELD_BOOLEAN, offsetof(Inner, flag) },
        {},
};

static const JsonField fields[] = {
        { "name", JSON_FIELD_STRING, offsetof(Sample, name), JSON_REQUIRED | JSON_NONEMPTY, .max = 8 },
        { "count", JSON_FIELD_UNSIGNED, offsetof(Sample, count), JSON_NULLABLE, 60, 86400 },
        { "size", JSON_FIELD_UINT64, offsetof(Sample, size) },
        { "list", JSON_FIELD_STRV, offsetof(Sample, list), JSON_NONEMPTY },
        { "colour", JSON_FIELD_ENUM, offsetof(Sample, colour), .from_string = colour_from_string,
                        .expected = "red, blue" },
        { "inner", JSON_FIELD_OBJECT, offsetof(Sample, inner), .nested = inner_fields },
        { "any", JSON_FIELD_ANY, offsetof(Sample, any) },
        { "known", JSON_FIELD_KNOWN },
        {},
};

static json_t *parsed(const char *text) {
        _cleanup_free_ char *error = NULL;
        json_t *value = NULL;

        ck_assert_msg(json_parse_any(text, strlen(text), &value, &error) == 0, "%s: %s", text, strna(error));
        return value;
}

/* Decodes @text and gives all errors as one string. */
static char *decode(const char *text, Sample *sample, JsonErrors *errors) {
        _cleanup_json_ json_t *object = parsed(text);

        ck_assert_int_eq(json_table_decode(fields, object, "", sample, errors), 0);
        return json_errors_text(errors);
}

static void check_error(const char *text, const char *expected) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        Sample sample = {};
        _cleanup_free_ char *found = decode(text, &sample, &errors);

        ck_assert_str_eq(found, expected);
        json_table_done(fields, &sample);
}

START_TEST(fields_land_in_the_struct) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        Sample s = { .count = 7200 };
        _cleanup_free_ char *found = decode("{\"name\":\"x\",\"count\":null,\"size\":9000000000000000000,"
                                            "\"list\":[\"a\",\"b\"],\"colour\":\"blue\","
                                            "\"inner\":{\"flag\":true},\"any\":[1],\"known\":{}}",
                        &s, &errors);

        ck_assert_str_eq(found, "");
        ck_assert_uint_eq(strv_length(errors.unknown), 0);
        ck_assert_str_eq(s.name, "x");
        ck_assert_uint_eq(s.count, 7200); /* null: the default stays */
        ck_assert_uint_eq(s.size, 9000000000000000000u);
        ck_assert_uint_eq(strv_length(s.list), 2);
        ck_assert_int_eq(s.colour, 1);
        ck_assert(s.inner.flag);
        ck_assert(json_is_array(s.any));
        json_table_done(fields, &s);
        ck_assert_ptr_null(s.name);
        ck_assert_ptr_null(s.list);
        ck_assert_ptr_null(s.any);
}
END_TEST

START_TEST(each_wrong_type_is_named) {
        check_error("{}", "name: must be given");
        check_error("{\"name\":null}", "name: must be a string");
        check_error("{\"name\":\"\"}", "name: must not be empty");
        check_error("{\"name\":\"123456789\"}", "name: must be at most 8 bytes long");
        check_error("{\"name\":\"x\",\"count\":\"60\"}", "count: must be a whole number, 60 to 86400");
        check_error("{\"name\":\"x\",\"count\":60.0}", "count: must be a whole number, 60 to 86400");
        check_error("{\"name\":\"x\",\"count\":59}", "count: must be 60 to 86400");
        check_error("{\"name\":\"x\",\"count\":-1}", "count: must be 60 to 86400");
        check_error("{\"name\":\"x\",\"count\":4294967356}", "count: must be 60 to 86400");
        check_error("{\"name\":\"x\",\"list\":\"a\"}", "list: must be a list of strings");
        check_error("{\"name\":\"x\",\"list\":[\"a\",1]}", "list: must be a list of strings");
        check_error("{\"name\":\"x\",\"list\":[]}", "list: must not be empty");
        check_error("{\"name\":\"x\",\"colour\":\"green\"}", "colour: must be one of red, blue");
        check_error("{\"name\":\"x\",\"colour\":1}", "colour: must be a string, one of red, blue");
        check_error("{\"name\":\"x\",\"inner\":[]}", "inner: must be an object");
        check_error("{\"name\":\"x\",\"inner\":{\"flag\":1}}", "inner.flag: must be true or false");
        check_error("[]", "must be an object");
}
END_TEST

START_TEST(all_wrong_fields_are_told_at_once) {
        check_error("{\"count\":1,\"size\":true,\"inner\":{\"flag\":null}}",
                        "name: must be given; count: must be 60 to 86400; "
                        "size: must be a whole number, 0 to 9223372036854775807; "
                        "inner.flag: must be true or false");
}
END_TEST

START_TEST(unknown_keys_are_kept_in_mind_and_harmless) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        Sample s = {};
        _cleanup_free_ char *found =
                        decode("{\"name\":\"x\",\"inner\":{\"colo\\nur\":1},\"extra\":{}}", &s, &errors);

        ck_assert_str_eq(found, "");
        ck_assert_uint_eq(strv_length(errors.unknown), 2);
        ck_assert_str_eq(errors.unknown[0], "inner.colo?ur");
        ck_assert_str_eq(errors.unknown[1], "extra");
        json_table_done(fields, &s);
}
END_TEST

/* Nothing has to look for a colon: fields and texts may have some. */
START_TEST(an_error_is_a_field_and_a_text) {
        _cleanup_(json_errors_done) JsonErrors errors = {};

        ck_assert_int_eq(json_errors_add(&errors, "a: b", "must not be %s", "c: d"), 0);
        ck_assert_int_eq(json_errors_add(&errors, "", "no object: line 1"), 0);
        ck_assert_uint_eq(errors.n_errors, 2);
        ck_assert_str_eq(errors.errors[0].field, "a: b");
        ck_assert_str_eq(errors.errors[0].text, "must not be c: d");
        ck_assert_str_eq(errors.errors[1].field, "");
        ck_assert_str_eq(errors.errors[1].text, "no object: line 1");
        ck_assert(json_errors_has(&errors, "a: b") && !json_errors_has(&errors, "a"));
        _cleanup_free_ char *text = json_errors_text(&errors);
        ck_assert_str_eq(text, "a: b: must not be c: d; no object: line 1");
}
END_TEST

START_TEST(a_flood_of_errors_stays_small) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = json_object();
        _cleanup_free_ char *long_key = malloc(100001);
        Sample s = {};

        memset(long_key, 'k', 100000);
        long_key[100000] = 0;
        json_object_set_new(object, long_key, json_true());
        for (int i = 0; i < 10000; i++) {
                char key[16];
                snprintf(key, sizeof(key), "k%d", i);
                json_object_set_new(object, key, json_true());
                ck_assert_int_eq(json_errors_add(&errors, key, "is wrong"), 0);
        }
        ck_assert_int_eq(json_table_decode(fields, object, "", &s, &errors), 0);
        ck_assert_uint_eq(errors.n_errors, JSON_ERRORS_MAX);
        ck_assert_uint_eq(strv_length(errors.unknown), JSON_ERRORS_MAX);
        ck_assert_uint_eq(strlen(errors.unknown[0]), 1024);
}
END_TEST

static void check_parse_error(const char *text, size_t size, const char *expected) {
        _cleanup_free_ char *error = NULL;
        json_t *value = NULL;

        ck_assert_int_eq(json_parse_object(text, size, &value, &error), -EBADMSG);
        ck_assert_msg(strstr(error, expected) != NULL, "%s", error);
        ck_assert_ptr_null(value);
}

START_TEST(text_that_is_no_object_is_refused_with_its_place) {
        check_parse_error("", 0, "line 1");
        check_parse_error("[1]", 3, "must be a JSON object");
        check_parse_error("{\n\"a\":}", 7, "line 2, column 5: ");
        check_parse_error("{\"a\":1,\"a\":2}", 13, "duplicate");
        check_parse_error("{\"a\":\"\xff\"}", 9, "line 1");
        check_parse_error("{\"a\":\"\\u0000\"}", 14, "line 1");
        check_parse_error("{\"a\":\"x\0y\"}", 11, "line 1");
        check_parse_error("{} x", 4, "line 1");
}
END_TEST

START_TEST(an_error_does_not_quote_what_may_be_a_secret) {
        static const char text[] = "{\"password\":\"hunter2\" \"x\"}";
        _cleanup_free_ char *error = NULL;
        json_t *value = NULL;

        ck_assert_int_eq(json_parse_object(text, strlen(text), &value, &error), -EBADMSG);
        ck_assert_ptr_null(strstr(error, "hunter2"));
        ck_assert_ptr_null(strstr(error, "near"));
}
END_TEST

START_TEST(depth_is_limited_but_brackets_in_strings_do_not_count) {
        char deep[2 * (JSON_DEPTH_MAX + 1) + 1];
        _cleanup_free_ char *error = NULL;
        json_t *value = NULL;

        for (int extra = 0; extra < 2; extra++) {
                int n = JSON_DEPTH_MAX + extra;

                memset(deep, '[', (size_t) n);
                memset(deep + n, ']', (size_t) n);
                deep[2 * n] = 0;
                ck_assert_int_eq(json_parse_any(deep, strlen(deep), &value, &error), extra ? -EBADMSG : 0);
                if (!extra)
                        json_decref(value);
        }
        ck_assert_msg(strstr(error, "nested too deeply") != NULL, "%s", error);

        memset(deep, '[', sizeof(deep) - 1);
        deep[sizeof(deep) - 1] = 0;
        _cleanup_free_ char *quoted = strprintf("[\"\\\"%s\\\\\"]", deep);
        json_decref(parsed(quoted));
}
END_TEST

START_TEST(secret_keys_are_known_in_every_spelling) {
        static const char *const secret[] = { "password", "Passwd", "vcenter_password", "vcenterPassword",
                "Authorization", "X-Api-Key", "apiKey", "api_key", "token", "access_token", "SECRET",
                "tls_psk", "client-secret", "aws_secret_access_key", "pass", "Cookie" };
        static const char *const plain[] = { "path", "tokens_used", "bypass", "passport", "key", "disk",
                "secretary", "checksum", "author", "", "password_policy" };

        for (size_t i = 0; i < ELEMENTSOF(secret); i++)
                ck_assert_msg(json_key_is_secret(secret[i]), "%s", secret[i]);
        for (size_t i = 0; i < ELEMENTSOF(plain); i++)
                ck_assert_msg(!json_key_is_secret(plain[i]), "%s", plain[i]);
}
END_TEST

static void check_redacted(const char *text, const char *expected) {
        _cleanup_json_ json_t *value = parsed(text), *clean = json_redact(value);
        _cleanup_free_ char *found = json_dumps(clean, JSON_COMPACT | JSON_ENCODE_ANY);

        ck_assert_str_eq(found, expected);
}

START_TEST(secrets_do_not_go_out_again) {
        check_redacted("{\"a\":1,\"password\":\"x\"}", "{\"a\":1,\"password\":\"***\"}");
        check_redacted("{\"token\":{\"deep\":[1]}}", "{\"token\":\"***\"}");
        check_redacted("{\"token\":null}", "{\"token\":null}");
        check_redacted("[{\"list\":[{\"api_key\":7}]}]", "[{\"list\":[{\"api_key\":\"***\"}]}]");
        check_redacted("\"https://u:p@h/x\"", "\"https://***@h/x\"");
        check_redacted("\"see https://u:p@h and ftp://q@r/\"", "\"see https://***@h and ftp://***@r/\"");
        check_redacted("\"https://h/x?token=abc&a=b#password=q\"",
                        "\"https://h/x?token=***&a=b#password=***\"");
        check_redacted("\"https://h/?to=https://u:p@i/&x=1\"", "\"https://h/?to=https://***@i/&x=1\"");
        check_redacted("\"https://a@b@c/\"", "\"https://***@c/\"");
        check_redacted("\"https://h/a@b?c@d\"", "\"https://h/a@b?c@d\"");
        check_redacted("\"://\"", "\"://\"");
        check_redacted("\"mail a@b ?token=1\"", "\"mail a@b ?token=1\"");
        check_redacted("[true,1.5,null,\"\"]", "[true,1.5,null,\"\"]");
}
END_TEST

START_TEST(redaction_leaves_the_original_alone) {
        _cleanup_json_ json_t *value = parsed("{\"a\":{\"password\":\"x\"}}"), *clean = json_redact(value);

        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(value, "a"), "password")), "x");
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(clean, "a"), "password")), "***");
}
END_TEST

TEST_MAIN("json-table", fields_land_in_the_struct, each_wrong_type_is_named,
                all_wrong_fields_are_told_at_once, unknown_keys_are_kept_in_mind_and_harmless,
                an_error_is_a_field_and_a_text, a_flood_of_errors_stays_small,
                text_that_is_no_object_is_refused_with_its_place,
                an_error_does_not_quote_what_may_be_a_secret,
                depth_is_limited_but_brackets_in_strings_do_not_count,
                secret_keys_are_known_in_every_spelling, secrets_do_not_go_out_again,
                redaction_leaves_the_original_alone)
