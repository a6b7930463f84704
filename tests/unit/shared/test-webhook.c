/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/webhook.h"
#include "unit/lib/test.h"

/* What decoding a definition gave. */
typedef struct Decoded {
        WebhookSpec *spec;
        JsonErrors errors;
        char *text; /* the errors, "" without any */
        int r;
} Decoded;

static void decoded_done(Decoded *d) {
        webhook_spec_free(d->spec);
        json_errors_done(&d->errors);
        free(d->text);
}
#define _cleanup_decoded_ _cleanup_(decoded_done)

static Decoded decode(const char *text, const char *beside) {
        _cleanup_json_ json_t *definition = json_loads(text, 0, NULL),
                              *secrets = beside ? json_loads(beside, 0, NULL) : NULL;
        Decoded d = {};

        ck_assert_ptr_nonnull(definition);
        d.r = webhook_spec_decode(definition, secrets, &d.spec, &d.errors);
        d.text = json_errors_text(&d.errors);
        ck_assert_ptr_nonnull(d.text);
        ck_assert_int_eq(d.r == 0, !*d.text);
        return d;
}

static void assert_refused(const char *text, const char *why) {
        _cleanup_decoded_ Decoded d = decode(text, NULL);

        ck_assert_int_eq(d.r, -EBADMSG);
        ck_assert_msg(strstr(d.text, why), "%s: %s", text, d.text);
}

START_TEST(a_url_is_enough) {
        _cleanup_decoded_ Decoded d = decode("{\"url\":\"https://hooks.example.com/notify\"}", NULL);

        ck_assert_int_eq(d.r, 0);
        ck_assert_str_eq(d.spec->url, "https://hooks.example.com/notify");
        ck_assert(d.spec->enabled);
        ck_assert_uint_eq(d.spec->timeout, 30);
        ck_assert_uint_eq(d.spec->retry_count, 3);
        ck_assert_uint_eq(d.spec->event_mask, UINT32_MAX);
        ck_assert_uint_eq(strv_length(d.spec->events), 0);
        ck_assert_ptr_null(d.spec->secrets);
}
END_TEST

START_TEST(the_published_definition_is_understood) {
        _cleanup_decoded_ Decoded d = decode("{\"url\":\"https://hooks.example.com/"
                                             "notify\",\"events\":[\"job.completed\",\"job.failed\"],"
                                             "\"enabled\":false,\"timeout\":10,\"retry_count\":0,"
                                             "\"headers\":{\"Authorization\":\"Bearer token123\"}}",
                        NULL);
        WebhookSecrets secrets;

        ck_assert_int_eq(d.r, 0);
        ck_assert(!d.spec->enabled);
        ck_assert_uint_eq(d.spec->timeout, 10);
        ck_assert_uint_eq(d.spec->retry_count, 0);
        ck_assert_uint_eq(d.spec->event_mask, 1u << WEBHOOK_JOB_COMPLETED | 1u << WEBHOOK_JOB_FAILED);
        ck_assert_str_eq(d.spec->headers[0], "Authorization");
        ck_assert_int_eq(webhook_secrets_parse(d.spec->secrets, strlen(d.spec->secrets), &secrets), 0);
        ck_assert_str_eq(secrets.headers[0], "Authorization");
        ck_assert_str_eq(secrets.headers[1], "Bearer token123");
        ck_assert_ptr_null(secrets.url);
        ck_assert_ptr_null(secrets.secret);
        webhook_secrets_done(&secrets);
}
END_TEST

START_TEST(other_spellings_are_understood) {
        _cleanup_decoded_ Decoded d =
                        decode("{\"url\":\"http://"
                               "[::1]:8080\",\"events\":[\"job.created\",\"job.canceled\"],\"retry\":7,"
                               "\"secret\":null,\"headers\":null,\"colour\":1}",
                                        NULL);
        _cleanup_decoded_ Decoded all =
                        decode("{\"url\":\"http://a\",\"events\":[\"job.failed\",\"*\"]}", NULL);

        ck_assert_int_eq(d.r, 0);
        ck_assert_uint_eq(d.spec->event_mask, 1u << WEBHOOK_JOB_SUBMITTED | 1u << WEBHOOK_JOB_CANCELLED);
        ck_assert_uint_eq(d.spec->retry_count, 7);
        ck_assert_str_eq(d.errors.unknown[0], "colour");
        ck_assert_uint_eq(all.spec->event_mask, UINT32_MAX);
}
END_TEST

START_TEST(what_is_secret_in_a_url_is_not_shown) {
        static const char *const urls[] = { "https://alice:s3cret@a.example/hook",
                "https://a.example/hook?id=1&access_token=s3cret" };

        for (size_t i = 0; i < ELEMENTSOF(urls); i++) {
                _cleanup_free_ char *text = strprintf("{\"url\":\"%s\"}", urls[i]);
                _cleanup_decoded_ Decoded d = decode(text, NULL);
                WebhookSecrets secrets;

                ck_assert_int_eq(d.r, 0);
                ck_assert_ptr_null(strstr(d.spec->url, "s3cret"));
                ck_assert_ptr_nonnull(strstr(d.spec->url, "***"));
                ck_assert_int_eq(webhook_secrets_parse(d.spec->secrets, strlen(d.spec->secrets), &secrets),
                                0);
                ck_assert_str_eq(secrets.url, urls[i]);
                webhook_secrets_done(&secrets);
        }
}
END_TEST

START_TEST(what_was_cut_out_comes_back_from_beside) {
        static const char text[] = "{\"url\":\"https://u:p@a.example/\",\"secret\":\"hush\","
                                   "\"headers\":{\"X-Key\":\"k1\",\"X-Other\":\"k2\"},\"timeout\":3}";
        _cleanup_json_ json_t *definition = json_loads(text, 0, NULL), *shown = NULL, *secrets = NULL;
        _cleanup_free_ char *clean = NULL, *beside = NULL;

        ck_assert_int_eq(webhook_secrets_cut(definition, &shown, &secrets), 0);
        clean = json_dumps(shown, 0);
        beside = json_dumps(secrets, 0);
        static const char *const words[] = { "u:p", "hush", "k1", "k2" };
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                ck_assert_ptr_null(strstr(clean, words[i]));
                ck_assert_ptr_nonnull(strstr(beside, words[i]));
        }

        _cleanup_decoded_ Decoded whole = decode(text, NULL), cut = decode(clean, beside),
                                  lost = decode(clean, NULL);
        ck_assert_int_eq(whole.r, 0);
        ck_assert_int_eq(cut.r, 0);
        ck_assert_str_eq(cut.spec->secrets, whole.spec->secrets);
        ck_assert_str_eq(cut.spec->url, whole.spec->url);
        ck_assert_int_eq(lost.r, -EBADMSG);
        ck_assert_ptr_nonnull(strstr(lost.text, "url: must have a password"));
        ck_assert_ptr_nonnull(strstr(lost.text, "secret: must be the secret itself"));
        ck_assert_ptr_nonnull(strstr(lost.text, "headers.X-Key: must be the value itself"));
}
END_TEST

START_TEST(what_is_wrong_is_named_all_at_once) {
        assert_refused("{}", "url: must be given");
        assert_refused("{\"url\":\"ftp://a/\"}", "url: must be an http:// or https:// URL");
        assert_refused("{\"url\":\"http:///path\"}", "url: must name a host");
        assert_refused("{\"url\":\"http://a:99999/\"}", "url: must name a host");
        assert_refused("{\"url\":\"http://a@b@c/\"}", "url: must name a host");
        assert_refused("{\"url\":\"http://a\\\\b/\"}", "url: must have no blanks");
        assert_refused("{\"url\":\"http://a/#x\"}", "url: must have no fragment");
        assert_refused("{\"url\":\"http://a/\\u00e4\"}", "url: must have no blanks");
        assert_refused("{\"url\":\"http://a/\",\"events\":[\"job.compleeted\"]}",
                        "\"job.compleeted\" is no event");
        assert_refused("{\"url\":\"http://a/\",\"events\":\"*\"}", "events: must be a list of strings");
        assert_refused("{\"url\":\"http://a/\",\"headers\":[]}", "headers: must be an object");
        assert_refused("{\"url\":\"http://a/\",\"headers\":{\"A b\":\"c\"}}", "\"A b\" is not a header");
        assert_refused("{\"url\":\"http://a/\",\"headers\":{\"content-length\":\"1\"}}", "is not a header");
        assert_refused("{\"url\":\"http://a/\",\"headers\":{\"X-Hyper-Event\":\"1\"}}", "is not a header");
        assert_refused("{\"url\":\"http://a/\",\"headers\":{\"A\":\"b\\r\\nC: d\"}}",
                        "headers.A: must be the value");
        assert_refused("{\"url\":\"http://a/\",\"headers\":{\"A\":\"b\",\"a\":\"b\"}}",
                        "headers.a: must be given once");
        assert_refused("{\"url\":\"x\",\"timeout\":301,\"retry_count\":11,\"enabled\":1}",
                        "enabled: must be true or false; timeout: must be 1 to 300; retry_count: must be 0 "
                        "to 10; url: ");
}
END_TEST

START_TEST(too_many_secrets_are_refused) {
        char value[4001] = {};

        memset(value, 'x', sizeof(value) - 1);
        _cleanup_free_ char *text = strprintf(
                        "{\"url\":\"http://a/\",\"headers\":{\"A\":\"%s\",\"B\":\"%s\",\"C\":\"%s\"}}",
                        value, value, value);
        assert_refused(text, "at most 8192 bytes");
}
END_TEST

START_TEST(pauses_double) {
        static const unsigned seconds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512 };

        for (unsigned i = 0; i < ELEMENTSOF(seconds); i++)
                ck_assert_uint_eq(webhook_pause(i + 1), seconds[i] * USEC_PER_SEC);
        ck_assert_uint_eq(webhook_pause(0), USEC_PER_SEC);
        ck_assert_uint_eq(webhook_pause(UINT32_MAX), WEBHOOK_PAUSE_MAX);
}
END_TEST

START_TEST(secrets_that_make_no_sense_are_refused) {
        static const char *const texts[] = { "", "[]", "{\"url\":1}", "{\"url\":\"ftp://a\"}",
                "{\"headers\":[]}", "{\"headers\":{\"A\":1}}", "{\"headers\":{\"A\":\"x\\ny\"}}",
                "{\"secret\":\"\"}", "{\"headers\":{\"Host\":\"a\"}}" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                WebhookSecrets secrets;

                ck_assert_int_eq(webhook_secrets_parse(texts[i], strlen(texts[i]), &secrets), -EBADMSG);
        }
}
END_TEST

START_TEST(a_body_has_what_is_documented) {
        _cleanup_json_ json_t *data = json_pack("{s:s}", "job_id", "a"), *body = NULL;
        _cleanup_free_ char *text =
                        webhook_body("job.completed", 1800000000 * USEC_PER_SEC, "some-id", data);

        ck_assert_ptr_nonnull(text);
        body = json_loads(text, 0, NULL);
        ck_assert_str_eq(json_string_value(json_object_get(body, "event")), "job.completed");
        ck_assert_str_eq(json_string_value(json_object_get(body, "timestamp")), "2027-01-15T08:00:00Z");
        ck_assert_str_eq(json_string_value(json_object_get(body, "delivery_id")), "some-id");
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(body, "data"), "job_id")), "a");
}
END_TEST

TEST_MAIN("webhook", a_url_is_enough, the_published_definition_is_understood, other_spellings_are_understood,
                what_is_secret_in_a_url_is_not_shown, what_was_cut_out_comes_back_from_beside,
                what_is_wrong_is_named_all_at_once, too_many_secrets_are_refused, pauses_double,
                secrets_that_make_no_sense_are_refused, a_body_has_what_is_documented)
