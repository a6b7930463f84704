/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sqlite3.h>

#include "store/api-keys.h"
#include "store/facts.h"
#include "unit/lib/test.h"

static char *database(const char *dir) {
        return strprintf("%s/hyper.db", dir);
}

static Store *open_store(const char *dir, StoreMode mode) {
        _cleanup_free_ char *path = database(dir);
        Store *s = NULL;

        ck_assert_int_eq(store_open(path, mode, &s), 0);
        return s;
}

static int insert(Store *s, const char *id, const char *name) {
        ApiKeyRow row = { .name = (char *) name,
                .scopes = 1u << SCOPE_SUBMIT | 1u << SCOPE_WORK,
                .rate_limit = 7,
                .created_at = 1000,
                .expires_at = 2000 };

        strcpy(row.id.text, id);
        api_key_hash(name, strlen(name), &row.hash);
        return store_api_key_insert(s, &row);
}

static void run(const char *dir, const char *sql) {
        _cleanup_free_ char *path = database(dir);
        sqlite3 *db;

        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(what_is_stored_comes_back) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir, STORE_OWNER), *reader = NULL;
        _cleanup_(api_key_rows_done) ApiKeyRows rows = {};
        ApiKeyHash hash;

        ck_assert_int_eq(store_api_keys_list(s, &rows), 0);
        ck_assert_uint_eq(rows.n, 0);
        ck_assert_int_eq(insert(s, "00000001", "one"), 0);
        ck_assert_int_eq(insert(s, "00000002", "two"), 0);
        reader = open_store(dir, STORE_READER);
        ck_assert_int_eq(store_api_keys_list(reader, &rows), 0);
        ck_assert_uint_eq(rows.n, 2);
        ck_assert_str_eq(rows.rows[1].name, "two");
        ck_assert_str_eq(rows.rows[1].id.text, "00000002");
        ck_assert_uint_eq(rows.rows[1].scopes, 1u << SCOPE_SUBMIT | 1u << SCOPE_WORK);
        ck_assert_uint_eq(rows.rows[1].rate_limit, 7);
        ck_assert_uint_eq(rows.rows[1].created_at, 1000);
        ck_assert_uint_eq(rows.rows[1].expires_at, 2000);
        api_key_hash("two", 3, &hash);
        ck_assert(api_key_hash_equal(&hash, &rows.rows[1].hash));
}
END_TEST

START_TEST(names_and_ids_are_taken_once) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir, STORE_OWNER);

        ck_assert_int_eq(insert(s, "00000001", "one"), 0);
        ck_assert_int_eq(insert(s, "00000001", "two"), -EEXIST);
        ck_assert_int_eq(insert(s, "00000002", "one"), -EEXIST);
        ck_assert_int_eq(store_api_key_delete(s, "two"), -ENOENT);
        ck_assert_int_eq(store_api_key_delete(s, "one"), 0);
        ck_assert_int_eq(store_api_key_delete(s, "one"), -ENOENT);
        ck_assert_int_eq(insert(s, "00000001", "one"), 0);
}
END_TEST

START_TEST(a_reader_notices_a_change) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir, STORE_OWNER),
                                     *reader = open_store(dir, STORE_READER);
        int64_t before, after;

        ck_assert_int_eq(store_version(reader, &before), 0);
        ck_assert_int_eq(insert(s, "00000001", "one"), 0);
        ck_assert_int_eq(store_version(reader, &after), 0);
        ck_assert_int_ne(before, after);
        ck_assert_int_eq(store_api_key_delete(s, "one"), 0);
        ck_assert_int_eq(store_version(reader, &before), 0);
        ck_assert_int_ne(before, after);
}
END_TEST

/* A key that is passed over would look as if there were none, and open what it should shut. */
START_TEST(a_damaged_row_is_an_error) {
        static const char *const damages[] = { "UPDATE api_keys SET scopes = ''",
                "UPDATE api_keys SET scopes = 'all'", "UPDATE api_keys SET id = '0000000'",
                "UPDATE api_keys SET id = '../../..'" };

        for (size_t i = 0; i < ELEMENTSOF(damages); i++) {
                _cleanup_test_dir_ char *dir = test_dir();
                _cleanup_(store_freep) Store *s = open_store(dir, STORE_OWNER);
                _cleanup_(api_key_rows_done) ApiKeyRows rows = {};

                ck_assert_int_eq(insert(s, "00000001", "one"), 0);
                run(dir, damages[i]);
                ck_assert_int_eq(store_api_keys_list(s, &rows), -EBADMSG);
                ck_assert_uint_eq(rows.n, 0);
        }
}
END_TEST

/* To a reader a database of an older hyper is something else than none: there may be keys in it. */
START_TEST(an_older_database_is_not_taken_for_an_empty_one) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = database(dir);
        Store *s = store_free(open_store(dir, STORE_OWNER));

        run(dir, "UPDATE schema_version SET version = version - 1");
        ck_assert_int_eq(store_open(path, STORE_READER, &s), -EAGAIN);
        run(dir, "UPDATE schema_version SET version = version + 2");
        ck_assert_int_eq(store_open(path, STORE_READER, &s), -EBADMSG);
        ck_assert_int_eq(truncate(path, 0), 0);
        run(dir, "PRAGMA wal_checkpoint");
        ck_assert_int_eq(store_open(path, STORE_READER, &s), -EAGAIN);
        ck_assert_ptr_null(s);
}
END_TEST

TEST_MAIN("store-api-keys", what_is_stored_comes_back, names_and_ids_are_taken_once,
                a_reader_notices_a_change, a_damaged_row_is_an_error,
                an_older_database_is_not_taken_for_an_empty_one)
