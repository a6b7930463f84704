/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/http/reply-cache.h"
#include "store/facts.h"
#include "store/store.h"
#include "unit/lib/test.h"

static void assert_kept(
                ReplyCache *c, int64_t version, const char *dialect, const char *path, const char *text) {
        size_t size = 0;
        const char *kept = reply_cache_get(c, version, dialect, path, &size);

        if (!text) {
                ck_assert_ptr_null(kept);
                return;
        }
        ck_assert_ptr_nonnull(kept);
        ck_assert_uint_eq(size, strlen(text));
        ck_assert_mem_eq(kept, text, size);
}

START_TEST(an_answer_is_kept_until_the_version_changes) {
        _cleanup_(reply_cache_freep) ReplyCache *c = reply_cache_new();

        assert_kept(c, 1, "worker", "/jobs/a", NULL);
        ck_assert_int_eq(reply_cache_put(c, "worker", "/jobs/a", "one", 3), 0);
        assert_kept(c, 1, "worker", "/jobs/a", "one");
        assert_kept(c, 1, "hypersdk", "/jobs/a", NULL);
        assert_kept(c, 1, "worker", "/jobs/ab", NULL);
        ck_assert_int_eq(reply_cache_put(c, "worker", "/jobs/a", "another", 7), 0);
        assert_kept(c, 1, "worker", "/jobs/a", "another");
        assert_kept(c, 2, "worker", "/jobs/a", NULL);
        assert_kept(c, 1, "worker", "/jobs/a", NULL); /* also if the old number comes again */
}
END_TEST

START_TEST(nothing_is_kept_for_a_database_nobody_looked_at) {
        _cleanup_(reply_cache_freep) ReplyCache *c = reply_cache_new();

        ck_assert_int_eq(reply_cache_put(c, "worker", "/jobs/a", "one", 3), -ESTALE);
        assert_kept(c, 1, "worker", "/jobs/a", NULL);
        ck_assert_int_eq(reply_cache_put(c, "worker", "/jobs/a", "one", 3), 0);
        reply_cache_flush(c);
        ck_assert_int_eq(reply_cache_put(c, "worker", "/jobs/a", "one", 3), -ESTALE);
        assert_kept(c, 1, "worker", "/jobs/a", NULL);
}
END_TEST

START_TEST(it_does_not_grow_without_end) {
        _cleanup_(reply_cache_freep) ReplyCache *c = reply_cache_new();
        static char text[REPLY_CACHE_SIZE_MAX / 10];
        unsigned kept = 0;
        size_t size;

        assert_kept(c, 1, "worker", "/", NULL);
        for (unsigned i = 0; i < 100; i++) {
                _cleanup_free_ char *path = strprintf("/jobs/%u", i);

                ck_assert_int_eq(reply_cache_put(c, "worker", path, text, sizeof(text)), 0);
        }
        for (unsigned i = 0; i < 100; i++) {
                _cleanup_free_ char *path = strprintf("/jobs/%u", i);

                kept += !!reply_cache_get(c, 1, "worker", path, &size);
        }
        ck_assert_uint_ge(kept, 1);
        ck_assert_uint_le(kept, 10);
        ck_assert_int_eq(reply_cache_put(c, "worker", "/", text, REPLY_CACHE_SIZE_MAX / 8), -EFBIG);
}
END_TEST

START_TEST(the_store_has_another_version_after_each_commit_of_another) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        _cleanup_(store_freep) Store *owner = NULL, *reader = NULL;
        int64_t before, still, after;

        ck_assert_int_eq(store_open(path, STORE_OWNER, &owner), 0);
        ck_assert_int_eq(store_open(path, STORE_READER, &reader), 0);
        ck_assert_int_eq(store_version(reader, &before), 0);
        ck_assert_int_eq(store_version(reader, &still), 0);
        ck_assert_int_eq(before, still);
        ck_assert_int_eq(store_set_fact(owner, "a", "b"), 0);
        ck_assert_int_eq(store_version(reader, &after), 0);
        ck_assert_int_ne(before, after);
}
END_TEST

TEST_MAIN("reply-cache", an_answer_is_kept_until_the_version_changes,
                nothing_is_kept_for_a_database_nobody_looked_at, it_does_not_grow_without_end,
                the_store_has_another_version_after_each_commit_of_another)
