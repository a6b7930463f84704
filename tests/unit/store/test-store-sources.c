/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/sources.h"
#include "store/vsphere-totals.h"
#include "unit/lib/test.h"

static Store *open_store(const char *dir) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        Store *s = NULL;

        ck_assert_int_eq(store_open(path, STORE_OWNER, &s), 0);
        return s;
}

static int insert(Store *s, const char *name, const char *thumbprint) {
        const SourceRow row = { .name = (char *) name,
                .type = (char *) "vsphere",
                .url = (char *) "https://vc",
                .username = (char *) "dom\\admin",
                .thumbprint = (char *) thumbprint,
                .credentials = (char *) "set-1",
                .created_at = 1000 };

        return store_source_insert(s, &row);
}

START_TEST(what_is_stored_comes_back) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(source_rows_done) SourceRows rows = {};
        _cleanup_(source_row_freep) SourceRow *row = NULL;

        ck_assert_int_eq(store_sources_list(s, &rows), 0);
        ck_assert_uint_eq(rows.n, 0);
        ck_assert_int_eq(store_source_get(s, "vc1", &row), -ENOENT);
        ck_assert_int_eq(insert(s, "vc2", NULL), 0);
        ck_assert_int_eq(insert(s, "vc1", "AA:BB"), 0);
        ck_assert_int_eq(store_sources_list(s, &rows), 0);
        ck_assert_uint_eq(rows.n, 2);
        ck_assert_str_eq(rows.rows[0].name, "vc1");
        ck_assert_str_eq(rows.rows[1].name, "vc2");
        ck_assert_ptr_null(rows.rows[1].thumbprint);
        ck_assert_int_eq(store_source_get(s, "vc1", &row), 0);
        ck_assert_str_eq(row->type, "vsphere");
        ck_assert_str_eq(row->url, "https://vc");
        ck_assert_str_eq(row->username, "dom\\admin");
        ck_assert_str_eq(row->thumbprint, "AA:BB");
        ck_assert_str_eq(row->credentials, "set-1");
        ck_assert_ptr_null(row->ca);
        ck_assert_ptr_null(row->datacenter);
        ck_assert_uint_eq(row->created_at, 1000);
}
END_TEST

START_TEST(names_are_taken_once) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);

        ck_assert_int_eq(insert(s, "vc1", NULL), 0);
        ck_assert_int_eq(insert(s, "vc1", NULL), -EEXIST);
        ck_assert_int_eq(store_source_delete(s, "vc2"), -ENOENT);
        ck_assert_int_eq(store_source_delete(s, "vc1"), 0);
        ck_assert_int_eq(store_source_delete(s, "vc1"), -ENOENT);
        ck_assert_int_eq(insert(s, "vc1", NULL), 0);
}
END_TEST

START_TEST(what_was_transferred_is_added_up) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(vsphere_totals_done) VsphereTotals t = {};

        ck_assert_int_eq(store_vsphere_add(s, "vc", "nfc", 5), 0);
        ck_assert_int_eq(store_vsphere_add(s, "vc", "nfc", 7), 0);
        ck_assert_int_eq(store_vsphere_add(s, "vc", "logins", 1), 0);
        ck_assert_int_eq(store_vsphere_totals(s, &t), 0);
        ck_assert_uint_eq(t.n_rows, 2);
        ck_assert_str_eq(t.rows[1].what, "nfc");
        ck_assert_uint_eq(t.rows[1].n, 12);
        ck_assert_uint_eq(t.running, 0);
        vsphere_totals_done(&t);

        /* Not more servers than are allowed. */
        for (unsigned i = 0; i < VSPHERE_SERVERS_MAX + 10; i++) {
                char name[16];

                snprintf(name, sizeof(name), "vc%u", i);
                ck_assert_int_eq(store_vsphere_add(s, name, "nfc", 1), 0);
        }
        ck_assert_int_eq(store_vsphere_add(s, "vc", "nfc", 1), 0);
        ck_assert_int_eq(store_vsphere_totals(s, &t), 0);
        /* "vc" has two rows, and "other" is one of the servers. */
        ck_assert_uint_eq(t.n_rows, VSPHERE_SERVERS_MAX + 2);
        for (size_t i = 0; i < t.n_rows; i++)
                if (streq(t.rows[i].server, "other"))
                        ck_assert_uint_eq(t.rows[i].n, 11);
                else if (streq(t.rows[i].server, "vc") && streq(t.rows[i].what, "nfc"))
                        ck_assert_uint_eq(t.rows[i].n, 13);
}
END_TEST

TEST_MAIN("store-sources", what_is_stored_comes_back, names_are_taken_once, what_was_transferred_is_added_up)
