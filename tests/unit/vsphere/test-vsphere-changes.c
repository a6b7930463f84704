/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changed block tracking against the simulator, and answers that no server should send */
#include "vsphere/changes.h"

#include "unit/lib/vsphere-test.h"
#include "vsphere/snapshot.h"
#include "vsphere/vm.h"

#define MIB (UINT64_C(1) << 20)
#define BLOCK UINT64_C(65536)

typedef struct Found {
        uint64_t total, first, last;
        unsigned n;
} Found;

static int on_area(uint64_t start, uint64_t length, void *userdata) {
        Found *f = userdata;

        if (f->n++ == 0)
                f->first = start;
        f->last = start + length;
        f->total += length;
        return 0;
}

static char *snapshot(Session *s, const char *vm, char **ret_change_id) {
        _cleanup_vm_detail_ VmDetail d = {};
        char *id = NULL;

        assert_result(s, snapshot_create(s, vm, "x", "", false, &id), 0);
        assert_result(s, snapshot_read_disks(s, id, &d), 0);
        ck_assert_uint_eq(d.n_disks, 1);
        *ret_change_id = d.disks[0].change_id ? strdup(d.disks[0].change_id) : NULL;
        return id;
}

static void drop(Session *s, const char *id) {
        assert_result(s, snapshot_remove(s, id, USEC_PER_MINUTE, NULL, NULL), 0);
}

static Vcsim start(const char *dir) {
        _cleanup_free_ char *path = strprintf("%s/inventory.json", dir);
        static const char text[] =
                        "{\"vms\": [{\"name\": \"web\", \"power\": \"on\", \"tools\": \"running\","
                        " \"disks\": [{\"size\": \"4M\"}]}]}";

        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path, text, strlen(text), 0600), 0);
        return vcsim_start(dir, "-inventory", path, "-vm", "0", "-cbt-max-areas", "2", NULL);
}

START_TEST(areas_since_a_snapshot) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = start(dir);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *vm = vcsim_vm(&v, "web"), *a = NULL, *b = NULL, *first = NULL, *second = NULL;
        _cleanup_vm_detail_ VmDetail d = {};

        assert_result(s, vm_read(s, vm, &d), 0);
        ck_assert(d.change_tracking_supported && !d.change_tracking && d.n_snapshots == 0);
        assert_result(s, changes_enable(s, vm, true), 0);
        vm_detail_done(&d);
        a = snapshot(s, vm, &first);
        assert_result(s, vm_read(s, vm, &d), 0);
        ck_assert(d.change_tracking && d.n_snapshots == 1);
        ck_assert_ptr_nonnull(first);
        for (unsigned i = 0; i < 5; i++)
                vcsim_write(&v, "web", 0, 2 * i * BLOCK + 7, "data", 4);
        vcsim_write(&v, "web", 0, 4 * MIB - 1, "d", 1);
        drop(s, a);
        b = snapshot(s, vm, &second);
        ck_assert(change_ids_are_related(first, second));
        ck_assert_str_ne(first, second);
        Found f = {};
        assert_result(s, changes_query(s, vm, b, d.disks[0].key, first, 4 * MIB, on_area, &f), 0);
        ck_assert_uint_eq(f.total, 6 * BLOCK);
        ck_assert_uint_eq(f.last, 4 * MIB);
        ck_assert_uint_ge(vcsim_calls(&v, "QueryChangedDiskAreas"), 3);
        Found none = {};
        assert_result(s, changes_query(s, vm, b, d.disks[0].key, second, 4 * MIB, on_area, &none), 0);
        ck_assert_uint_eq(none.n, 0);
        drop(s, b);
        vcsim_control(&v, "/disk/reset-tracking?vm=web&disk=0");
        free(b);
        free(second);
        b = snapshot(s, vm, &second);
        ck_assert(!change_ids_are_related(first, second));
        assert_result(s, changes_query(s, vm, b, d.disks[0].key, first, 4 * MIB, on_area, &none), -ESTALE);
        drop(s, b);
        assert_result(s, changes_enable(s, vm, false), 0);
        session_logout(s);
}
END_TEST

START_TEST(power) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = start(dir);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *vm = vcsim_vm(&v, "web");
        VmPower now;

        assert_result(s, vm_power_on(s, vm), 0); /* it is on */
        assert_result(s, vm_power_off(s, vm), 0);
        assert_result(s, vm_power_on(s, vm), 0);
        assert_result(s, vm_read_power(s, vm, &now), 0);
        ck_assert_int_eq(now, VM_POWERED_ON);
        session_logout(s);
}
END_TEST

static int read_answer(const char *start, const char *length, const char *area, uint64_t from) {
        _cleanup_free_ char *text = strprintf(
                        "<a><startOffset>%s</startOffset><length>%s</length>%s</a>", start, length, area);
        _cleanup_xml_ xmlDoc *d = NULL;
        Found f = {};
        uint64_t next = 0;

        ck_assert_int_eq(xml_document_parse(text, strlen(text), &d), 0);
        int r = changes_read(xmlDocGetRootElement(d), from, MIB, on_area, &f, &next);
        ck_assert(r < 0 || next > from);
        ck_assert(f.last <= MIB);
        return r;
}

START_TEST(answers) {
#define AREA(start, length) "<changedArea><start>" start "</start><length>" length "</length></changedArea>"
        ck_assert_int_eq(read_answer("0", "1048576", AREA("0", "65536"), 0), 0);
        ck_assert_int_eq(read_answer("65536", "2000000", AREA("1048575", "99"), 65536), 0);
        ck_assert_int_eq(read_answer("0", "0", "", 0), -EBADMSG); /* no progress */
        ck_assert_int_eq(read_answer("0", "65536", "", 65536), -EBADMSG); /* another start */
        ck_assert_int_eq(read_answer("65536", "18446744073709551615", "", 65536), -EBADMSG);
        ck_assert_int_eq(read_answer("65536", "65536", AREA("0", "65536"), 65536), -EBADMSG);
        ck_assert_int_eq(read_answer("0", "65536", AREA("1048576", "1"), 0), -EBADMSG);
        ck_assert_int_eq(read_answer("0", "65536", AREA("7", "0"), 0), -EBADMSG);
        ck_assert_int_eq(read_answer("0", "65536", AREA("9", "18446744073709551615"), 0), -EBADMSG);
        ck_assert_int_eq(read_answer("0", "65536", "<changedArea/>", 0), -EBADMSG);
}
END_TEST

START_TEST(related) {
        ck_assert(change_ids_are_related("52 aa/1", "52 aa/20"));
        ck_assert(!change_ids_are_related("52 aa/1", "52 ab/1"));
        ck_assert(!change_ids_are_related("52 aa/1", "52 aaa/1"));
        ck_assert(!change_ids_are_related("/1", "/1"));
        ck_assert(!change_ids_are_related(NULL, "52 aa/1"));
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("vsphere-changes");

        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, areas_since_a_snapshot);
        tcase_add_test(tcase, power);
        tcase_add_test(tcase, answers);
        tcase_add_test(tcase, related);
        return test_run("vsphere-changes", tcase);
}
