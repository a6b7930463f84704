/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keys for the HTTP API over the bus. */

#include "manager/key.h"
#include "shared/error-table.h"
#include "unit/lib/manager-test.h"

static char *add(Fixture *f, const char *definition) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};
        const char *id, *key;
        ApiKeyId parsed;

        ck_assert_msg(call(f, "AddKey", &reply, &error, "s", definition) >= 0, "%s: %s", definition,
                        error.message);
        ck_assert_int_ge(sd_bus_message_read(reply, "ss", &id, &key), 0);
        ck_assert_int_eq(api_key_parse(key, &parsed), 0);
        ck_assert_str_eq(parsed.text, id);
        return strdup(key);
}

static void refuse(
                Fixture *f, const char *member, const char *argument, const char *name, const char *part) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};

        ck_assert_msg(call(f, member, NULL, &error, "s", argument) < 0, "%s(%s) was taken", member,
                        argument);
        ck_assert_str_eq(error.name, name);
        ck_assert_msg(strstr(error.message, part), "no \"%s\" in: %s", part, error.message);
}

static json_t *list(Fixture *f) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *text;
        json_t *keys;

        ck_assert_int_ge(call(f, "ListKeys", &reply, NULL, NULL), 0);
        ck_assert_int_ge(sd_bus_message_read(reply, "s", &text), 0);
        ck_assert_ptr_null(strstr(text, "hyper_"));
        ck_assert_ptr_null(strstr(text, "hash"));
        keys = json_loads(text, 0, NULL);
        ck_assert(json_is_array(keys));
        return keys;
}

BUS_TEST(a_key_is_told_once_and_its_hash_is_kept)
        _cleanup_free_ char *key = add(&f, "{\"name\":\"node2\",\"scopes\":[\"work\"]}");
        _cleanup_(api_key_rows_done) ApiKeyRows rows = {};
        _cleanup_json_ json_t *keys = list(&f);
        const char *name;
        int expired = -1;
        ApiKeyHash hash;

        ck_assert_uint_eq(json_array_size(keys), 1);
        ck_assert_int_eq(json_unpack(json_array_get(keys, 0), "{s:s, s:[s!], s:n, s:n, s:b}", "name", &name,
                                         "scopes", &(const char *){ NULL }, "rate_limit", "expires_at",
                                         "expired", &expired),
                        0);
        ck_assert_str_eq(name, "node2");
        ck_assert_int_eq(expired, 0);
        ck_assert_int_eq(store_api_keys_list(f.store, &rows), 0);
        ck_assert_uint_eq(rows.n, 1);
        api_key_hash(key, strlen(key), &hash);
        ck_assert(api_key_hash_equal(&hash, &rows.rows[0].hash));
        ck_assert_uint_eq(rows.rows[0].scopes, 1u << SCOPE_WORK);
        ck_assert_uint_gt(rows.rows[0].created_at, test_clock - USEC_PER_SEC);
        ck_assert_uint_le(rows.rows[0].created_at, test_clock);
BUS_TEST_END

BUS_TEST(keys_outlive_the_manager_and_end_when_removed)
        _cleanup_free_ char *one = add(&f,
                                            "{\"name\":\"one\",\"scopes\":[\"read\",\"submit\"],\"rate_"
                                            "limit\":120,"
                                            "\"expires_at\":\"2199-01-31T10:00:00Z\"}"),
                            *two = add(&f, "{\"name\":\"two\",\"scopes\":[\"work\"],\"rate_limit\":null}"),
                            *again = NULL;
        _cleanup_json_ json_t *keys = NULL, *left = NULL;
        json_int_t rate;
        const char *expires;

        ck_assert_str_ne(one, two);
        manager_down(&f);
        manager_up(&f);
        keys = list(&f);
        ck_assert_uint_eq(json_array_size(keys), 2);
        ck_assert_int_eq(json_unpack(json_array_get(keys, 0), "{s:I, s:s}", "rate_limit", &rate,
                                         "expires_at", &expires),
                        0);
        ck_assert_int_eq(rate, 120);
        ck_assert_str_eq(expires, "2199-01-31T10:00:00Z");
        ck_assert_int_ge(call(&f, "RemoveKey", NULL, NULL, "s", "one"), 0);
        refuse(&f, "RemoveKey", "one", HYPER_BUS_ERROR_NO_SUCH_KEY, "one");
        refuse(&f, "RemoveKey", "no/such name", HYPER_BUS_ERROR_NO_SUCH_KEY, "of such a name");
        left = list(&f);
        ck_assert_uint_eq(json_array_size(left), 1);
        again = add(&f, "{\"name\":\"one\",\"scopes\":[\"read\"]}");
        ck_assert_str_ne(again, one);
BUS_TEST_END

BUS_TEST(what_is_wrong_is_named)
        static const struct {
                const char *definition, *part;
        } bad[] = {
                { "", "" },
                { "[]", "" },
                { "{}", "name" },
                { "{}", "scopes" },
                { "{\"name\":\"a\",\"scopes\":[]}", "scopes" },
                { "{\"name\":\"a\",\"scopes\":\"read\"}", "scopes" },
                { "{\"name\":\"a\",\"scopes\":[\"public\"]}", "scopes: must be any of read, submit, work" },
                { "{\"name\":\"a b\",\"scopes\":[\"read\"]}", "name: must be 1 to 64" },
                { "{\"name\":\"a\",\"scopes\":[\"read\"],\"rate_limit\":0}", "rate_limit" },
                { "{\"name\":\"a\",\"scopes\":[\"read\"],\"rate_limit\":1000001}", "rate_limit" },
                { "{\"name\":\"a\",\"scopes\":[\"read\"],\"expires_at\":\"tomorrow\"}", "expires_at" },
                { "{\"name\":\"a\",\"scopes\":[\"read\"],\"expires_at\":\"1999-01-01T00:00:00Z\"}",
                                "expires_at: must not be in the past" },
                { "{\"name\":\"a\",\"scopes\":[\"read\"],\"expires\":\"2199-01-01T00:00:00Z\"}",
                                "expires: there is no such field" },
                { "{\"name\":\"a b\",\"scopes\":[\"write\"],\"rate_limit\":0}", "rate_limit" },
        };
        _cleanup_json_ json_t *keys = NULL;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                refuse(&f, "AddKey", bad[i].definition, HYPER_BUS_ERROR_INVALID_ARGUMENT, bad[i].part);
        /* The last one has an error for each of its fields. */
        ck_assert_uint_eq(f.fields.n_errors, 3);
        ck_assert(json_errors_has(&f.fields, "name"));
        ck_assert(json_errors_has(&f.fields, "scopes"));
        ck_assert(json_errors_has(&f.fields, "rate_limit"));
        keys = list(&f);
        ck_assert_uint_eq(json_array_size(keys), 0);
BUS_TEST_END

BUS_TEST(there_are_only_so_many_keys)
        for (unsigned i = 0; i < API_KEYS_MAX; i++) {
                _cleanup_free_ char *definition = strprintf("{\"name\":\"k%u\",\"scopes\":[\"read\"]}", i),
                                    *key = add(&f, definition);

                ck_assert_ptr_nonnull(key);
        }
        refuse(&f, "AddKey", "{\"name\":\"k1\",\"scopes\":[\"read\"]}", HYPER_BUS_ERROR_KEY_EXISTS, "k1");
        refuse(&f, "AddKey", "{\"name\":\"more\",\"scopes\":[\"read\"]}", HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "256");
        ck_assert_int_ge(call(&f, "RemoveKey", NULL, NULL, "s", "k7"), 0);
        _cleanup_free_ char *key = add(&f, "{\"name\":\"more\",\"scopes\":[\"read\"]}");
        ck_assert_ptr_nonnull(key);
BUS_TEST_END

TEST_MAIN("manager-keys", a_key_is_told_once_and_its_hash_is_kept,
                keys_outlive_the_manager_and_end_when_removed, what_is_wrong_is_named,
                there_are_only_so_many_keys)
