/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sqlite3.h>

#include "store/hosts.h"
#include "unit/lib/test.h"

static Store *open_owner(const char *dir) {
        _cleanup_free_ char *path = strprintf("%s/hosts.db", dir);
        Store *s = NULL;

        ck_assert_int_eq(store_open_hosts(path, STORE_OWNER, &s), 0);
        return s;
}

static int add_host(Store *s, const char *id) {
        const HostRow row = { .id = (char *) id,
                .uri = (char *) "qemu+ssh://root@kvm1/system",
                .shown_uri = (char *) "qemu+ssh://***@kvm1/system",
                .name = (char *) "Kvm Eins",
                .state = HOST_CONNECTED,
                .error = (char *) "",
                .created_at = 100,
                .updated_at = 101 };

        return store_host_insert(s, &row);
}

static VmRow vm(const char *uuid, const char *name, int state) {
        return (VmRow){ .uuid = (char *) uuid,
                .name = (char *) name,
                .description = (char *) "för alle",
                .state = state,
                .vcpu_count = 4,
                .memory_bytes = UINT64_C(1) << 40,
                .spice = true,
                .persistent = true,
                .cpu_model = (char *) "Skylake",
                .cpu_topology = (char *) "{}",
                .drift = (char *) "disks",
                .concerns = (char *) "[]",
                .os_type = (char *) "debian/12",
                .disk_bytes = UINT64_C(3) << 40,
                .updated_at = 200 };
}

static void put(Store *s, const char *host, VmRow *row) {
        VmRow *const rows[] = { row };

        ck_assert_int_eq(store_vms_put(s, host, rows, 1, NULL), 0);
}

static size_t count_vms(Store *s, const char *host) {
        _cleanup_(vm_rows_done) VmRows rows = {};

        ck_assert_int_eq(store_vms_list(s, host, &rows), 0);
        return rows.n;
}

START_TEST(a_host_is_kept_as_it_was_given) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(host_row_done) HostRow row = {};
        Store *s = open_owner(dir);

        ck_assert_int_eq(add_host(s, "kvm eins"), 0);
        ck_assert_int_eq(add_host(s, "kvm eins"), -EEXIST);
        s = store_free(s);
        s = open_owner(dir);
        ck_assert_int_eq(store_host_get(s, "kvm eins", &row), 0);
        ck_assert_str_eq(row.id, "kvm eins");
        ck_assert_str_eq(row.uri, "qemu+ssh://root@kvm1/system");
        ck_assert_str_eq(row.shown_uri, "qemu+ssh://***@kvm1/system");
        ck_assert_str_eq(row.name, "Kvm Eins");
        ck_assert_int_eq(row.state, HOST_CONNECTED);
        ck_assert_str_eq(row.error, "");
        ck_assert_uint_eq(row.created_at, 100);
        ck_assert_uint_eq(row.updated_at, 101);
        ck_assert_int_eq(store_host_get(s, "kvm", &row), -ENOENT);
        store_free(s);
}
END_TEST

START_TEST(a_host_changes_its_state) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(host_rows_done) HostRows rows = {};
        Store *s = open_owner(dir);

        ck_assert_int_eq(add_host(s, "b"), 0);
        ck_assert_int_eq(add_host(s, "a"), 0);
        ck_assert_int_eq(add_host(s, "c"), 0);
        ck_assert_int_eq(store_host_set_state(s, "a", HOST_ERROR, "it refuses", 300), 0);
        /* One that is in error stays so, the others are only away. */
        ck_assert_int_eq(store_hosts_set_away(s), 0);
        ck_assert_int_eq(store_hosts_list(s, &rows), 0);
        ck_assert_uint_eq(rows.n, 3);
        ck_assert_str_eq(rows.rows[0].id, "a");
        ck_assert_int_eq(rows.rows[0].state, HOST_ERROR);
        ck_assert_str_eq(rows.rows[0].error, "it refuses");
        ck_assert_uint_eq(rows.rows[0].updated_at, 300);
        ck_assert_int_eq(rows.rows[1].state, HOST_DISCONNECTED);
        ck_assert_int_eq(rows.rows[2].state, HOST_DISCONNECTED);
        store_free(s);
}
END_TEST

START_TEST(a_vm_keeps_its_number_when_it_changes) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(vm_rows_done) VmRows rows = {};
        Store *s = open_owner(dir);
        VmRow one = vm("uuid-1", "Ärger / eins", 1), two = vm("uuid-2", "Anfang", 5), again;

        ck_assert_int_eq(add_host(s, "h"), 0);
        put(s, "h", &one);
        put(s, "h", &two);
        ck_assert_int_gt(two.seq, one.seq);
        again = vm("uuid-1", "Berta", 5);
        again.updated_at = 999;
        put(s, "h", &again);
        ck_assert_int_eq(again.seq, one.seq);
        ck_assert_uint_eq(again.created_at, 200);

        ck_assert_int_eq(store_vms_list(s, "h", &rows), 0);
        ck_assert_uint_eq(rows.n, 2);
        ck_assert_str_eq(rows.rows[0].name, "Anfang");
        ck_assert_str_eq(rows.rows[1].name, "Berta");
        ck_assert_str_eq(rows.rows[1].description, "för alle");
        ck_assert_int_eq(rows.rows[1].state, 5);
        ck_assert_uint_eq(rows.rows[1].vcpu_count, 4);
        ck_assert_uint_eq(rows.rows[1].memory_bytes, UINT64_C(1) << 40);
        ck_assert(!rows.rows[1].vnc && rows.rows[1].spice && rows.rows[1].persistent);
        ck_assert_str_eq(rows.rows[1].cpu_model, "Skylake");
        ck_assert_str_eq(rows.rows[1].os_type, "debian/12");
        ck_assert_uint_eq(rows.rows[1].disk_bytes, UINT64_C(3) << 40);
        ck_assert_uint_eq(rows.rows[1].created_at, 200);
        ck_assert_uint_eq(rows.rows[1].updated_at, 999);
        store_free(s);
}
END_TEST

START_TEST(vms_are_read_in_pages_and_counted) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(vm_rows_done) VmRows page = {}, rest = {};
        _cleanup_free_ VmCount *all = NULL, *one = NULL;
        Store *s = open_owner(dir);
        /* Two have the same name. */
        VmRow rows[] = { vm("uuid-1", "b", 1), vm("uuid-2", "b", 5), vm("uuid-3", "a", 1) },
              other = vm("uuid-1", "z", 1);
        size_t n = 0;

        ck_assert_int_eq(add_host(s, "h"), 0);
        ck_assert_int_eq(add_host(s, "i"), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                put(s, "h", &rows[i]);
        put(s, "i", &other);
        ck_assert_int_eq(store_vms_list_after(s, "h", "", 0, 2, &page), 0);
        ck_assert_uint_eq(page.n, 2);
        ck_assert_str_eq(page.rows[0].uuid, "uuid-3");
        ck_assert_str_eq(page.rows[1].uuid, "uuid-1");
        ck_assert_int_eq(store_vms_list_after(s, "h", "b", page.rows[1].seq, 2, &rest), 0);
        ck_assert_uint_eq(rest.n, 1);
        ck_assert_str_eq(rest.rows[0].uuid, "uuid-2");

        ck_assert_int_eq(store_vms_count(s, NULL, &all, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert(all[0].state == 1 && all[0].n == 3 && all[0].vcpus == 12);
        ck_assert(all[1].state == 5 && all[1].n == 1 && all[1].vcpus == 4);
        ck_assert_int_eq(store_vms_count(s, "i", &one, &n), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert(one[0].state == 1 && one[0].n == 1);
        store_free(s);
}
END_TEST

START_TEST(the_number_of_a_vm_that_is_gone_is_not_used_again) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *gone[] = { (char *) "uuid-1", (char *) "uuid-9", NULL };
        Store *s = open_owner(dir);
        VmRow one = vm("uuid-1", "one", 1), two = vm("uuid-2", "two", 1);
        VmRow *const rows[] = { &two };

        ck_assert_int_eq(add_host(s, "h"), 0);
        put(s, "h", &one);
        /* Both in one transaction. */
        ck_assert_int_eq(store_vms_put(s, "h", rows, 1, gone), 0);
        ck_assert_uint_eq(count_vms(s, "h"), 1);
        ck_assert_int_gt(two.seq, one.seq);
        store_free(s);
}
END_TEST

START_TEST(with_a_host_go_its_vms_and_no_others) {
        _cleanup_test_dir_ char *dir = test_dir();
        Store *s = open_owner(dir);
        VmRow one = vm("uuid-1", "one", 1), same = vm("uuid-1", "one", 1);

        ck_assert_int_eq(add_host(s, "a"), 0);
        ck_assert_int_eq(add_host(s, "b"), 0);
        put(s, "a", &one);
        put(s, "b", &same);
        ck_assert_int_eq(store_host_delete(s, "a"), 0);
        ck_assert_int_eq(store_host_delete(s, "a"), -ENOENT);
        ck_assert_uint_eq(count_vms(s, "a"), 0);
        ck_assert_uint_eq(count_vms(s, "b"), 1);
        /* Nothing is put to a host that there is not. */
        VmRow *const rows[] = { &one };
        ck_assert_int_lt(store_vms_put(s, "a", rows, 1, NULL), 0);
        store_free(s);
}
END_TEST

START_TEST(a_reader_sees_what_the_owner_writes_and_cannot_write) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/hosts.db", dir);
        _cleanup_(store_freep) Store *owner = open_owner(dir), *reader = NULL, *other = NULL;
        _cleanup_(host_rows_done) HostRows rows = {};

        ck_assert_int_eq(store_open_hosts(path, STORE_READER, &reader), 0);
        ck_assert_int_eq(add_host(owner, "a"), 0);
        ck_assert_int_eq(store_hosts_list(reader, &rows), 0);
        ck_assert_uint_eq(rows.n, 1);
        ck_assert_int_lt(add_host(reader, "b"), 0);
        /* It is not the manager's database, nor is the manager's this one. */
        ck_assert_int_eq(store_open(path, STORE_READER, &other), -EBADMSG);
        ck_assert_int_eq(store_open(path, STORE_OWNER, &other), -EBADMSG);
}
END_TEST

START_TEST(a_host_is_renamed_and_settings_are_kept) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(host_row_done) HostRow row = {}, again = {};
        _cleanup_free_ char *value = NULL, *second = NULL;
        Store *s = open_owner(dir);

        ck_assert_int_eq(add_host(s, "a"), 0);
        ck_assert_int_eq(store_host_get(s, "a", &row), 0);
        ck_assert(!row.manual);
        row.manual = true;
        ck_assert_int_eq(free_and_strdup(&row.name, "Büro"), 0);
        ck_assert_int_eq(store_host_set_definition(s, &row), 0);
        ck_assert_int_eq(store_setting_get(s, "metrics", &value), -ENOENT);
        ck_assert_int_eq(store_setting_set(s, "metrics", "{}"), 0);
        ck_assert_int_eq(store_setting_set(s, "metrics", "{\"a\":1}"), 0);
        s = store_free(s);
        s = open_owner(dir);
        ck_assert_int_eq(store_host_get(s, "a", &again), 0);
        ck_assert(again.manual);
        ck_assert_str_eq(again.name, "Büro");
        ck_assert_int_eq(free_and_strdup(&row.id, "b"), 0);
        ck_assert_int_eq(store_host_set_definition(s, &row), -ENOENT);
        ck_assert_int_eq(store_setting_get(s, "metrics", &second), 0);
        ck_assert_str_eq(second, "{\"a\":1}");
        store_free(s);
}
END_TEST

/* What the first version wrote is still there, and what it did not know is empty. */
START_TEST(an_older_database_is_read) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/hosts.db", dir);
        _cleanup_(vm_rows_done) VmRows rows = {};
        _cleanup_(host_row_done) HostRow row = {};
        Store *s = open_owner(dir);
        VmRow one = vm("uuid-1", "one", 1);
        sqlite3 *db;

        ck_assert_int_eq(add_host(s, "a"), 0);
        put(s, "a", &one);
        s = store_free(s);
        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        ck_assert_int_eq(
                        sqlite3_exec(db,
                                        "DROP TABLE settings; ALTER TABLE hosts DROP COLUMN auto_connect;"
                                        "ALTER TABLE vms DROP COLUMN cpu_model; ALTER TABLE vms DROP COLUMN "
                                        "os_type;"
                                        "ALTER TABLE vms DROP COLUMN disk_bytes;"
                                        "ALTER TABLE vms DROP COLUMN cpu_topology;"
                                        "ALTER TABLE vms DROP COLUMN drift;"
                                        "ALTER TABLE vms DROP COLUMN concerns; UPDATE schema_version SET "
                                        "version = 1",
                                        NULL, NULL, NULL),
                        SQLITE_OK);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
        s = open_owner(dir);
        ck_assert_int_eq(store_host_get(s, "a", &row), 0);
        ck_assert(!row.manual);
        ck_assert_int_eq(store_vms_list(s, "a", &rows), 0);
        ck_assert_uint_eq(rows.n, 1);
        ck_assert_str_eq(rows.rows[0].cpu_model, "");
        ck_assert_int_eq(store_setting_set(s, "metrics", "{}"), 0);
        store_free(s);
}
END_TEST

TEST_MAIN("store-hosts", a_host_is_kept_as_it_was_given, a_host_changes_its_state,
                a_vm_keeps_its_number_when_it_changes, vms_are_read_in_pages_and_counted,
                the_number_of_a_vm_that_is_gone_is_not_used_again, with_a_host_go_its_vms_and_no_others,
                a_reader_sees_what_the_owner_writes_and_cannot_write,
                a_host_is_renamed_and_settings_are_kept, an_older_database_is_read)
