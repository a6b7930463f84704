/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/uploads.h"
#include "unit/lib/test.h"

static Store *open_store(const char *dir) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        Store *s = NULL;

        ck_assert_int_eq(store_open(path, STORE_OWNER, &s), 0);
        return s;
}

static int insert(Store *s, const char *id, const char *owner, usec_t updated_at) {
        const UploadRow row = { .id = (char *) id,
                .owner = (char *) owner,
                .filename = (char *) "web.vmdk",
                .size = 25,
                .chunk_size = 10,
                .created_at = 1000,
                .updated_at = updated_at };

        return store_upload_insert(s, &row);
}

START_TEST(what_is_stored_comes_back) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(upload_row_freep) UploadRow *row = NULL, *again = NULL;

        ck_assert_int_eq(store_upload_get(s, "up-1", &row), -ENOENT);
        ck_assert_int_eq(insert(s, "up-1", "key:a", 2000), 0);
        ck_assert_int_eq(store_upload_get(s, "up-1", &row), 0);
        ck_assert_str_eq(row->owner, "key:a");
        ck_assert_str_eq(row->filename, "web.vmdk");
        ck_assert_uint_eq(row->size, 25);
        ck_assert_int_eq(row->state, UPLOAD_OPEN);
        ck_assert_ptr_null(row->sha256);
        row->state = UPLOAD_FAILED;
        row->error = strdup("wrong");
        row->updated_at = 3000;
        ck_assert_int_eq(store_upload_update(s, row), 0);
        ck_assert_int_eq(store_upload_get(s, "up-1", &again), 0);
        ck_assert_int_eq(again->state, UPLOAD_FAILED);
        ck_assert_str_eq(again->error, "wrong");
        ck_assert_uint_eq(again->updated_at, 3000);
        ck_assert_int_eq(store_upload_delete(s, "up-1"), 0);
        ck_assert_int_eq(store_upload_delete(s, "up-1"), -ENOENT);
}
END_TEST

START_TEST(chunks_belong_to_their_upload) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_free_ uint64_t *chunks = NULL, *none = NULL;
        size_t n = 0;

        ck_assert_int_eq(store_upload_put_chunk(s, "up-1", 0, 5000), -ENOENT);
        ck_assert_int_eq(insert(s, "up-1", "key:a", 2000), 0);
        for (uint64_t i = 3; i > 0; i--)
                ck_assert_int_eq(store_upload_put_chunk(s, "up-1", i, 5000), 0);
        ck_assert_int_eq(store_upload_put_chunk(s, "up-1", 2, 5000), 0);
        ck_assert_int_eq(store_upload_drop_chunk(s, "up-1", 3), 0);
        ck_assert_int_eq(store_upload_drop_chunk(s, "up-1", 9), 0);
        ck_assert_int_eq(store_upload_chunks(s, "up-1", &chunks, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_eq(chunks[0], 1);
        ck_assert_uint_eq(chunks[1], 2);
        ck_assert_int_eq(store_upload_delete(s, "up-1"), 0);
        ck_assert_int_eq(store_upload_chunks(s, "up-1", &none, &n), 0);
        ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(those_that_are_not_complete_are_counted_and_expire) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(upload_row_freep) UploadRow *row = NULL;
        _cleanup_free_ char *id = NULL;
        UploadCounts counts;

        ck_assert_int_eq(insert(s, "up-1", "key:a", 2000), 0);
        ck_assert_int_eq(insert(s, "up-2", "key:a", 3000), 0);
        ck_assert_int_eq(insert(s, "up-3", "key:b", 4000), 0);
        ck_assert_int_eq(store_upload_get(s, "up-2", &row), 0);
        row->state = UPLOAD_COMPLETED;
        ck_assert_int_eq(store_upload_update(s, row), 0);
        ck_assert_int_eq(store_uploads_count(s, "key:a", &counts), 0);
        ck_assert_uint_eq(counts.n, 2);
        ck_assert_uint_eq(counts.n_owner, 1);
        ck_assert_uint_eq(counts.size, 50);
        ck_assert_int_eq(store_upload_find_expired(s, 2000, &id), -ENOENT);
        ck_assert_int_eq(store_upload_find_expired(s, 2001, &id), 0);
        ck_assert_str_eq(id, "up-1");
}
END_TEST

TEST_MAIN("store-uploads", what_is_stored_comes_back, chunks_belong_to_their_upload,
                those_that_are_not_complete_are_counted_and_expire)
