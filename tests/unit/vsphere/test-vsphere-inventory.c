/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VMs in the inventory: lists, paths, hardware, power, CD-ROM drives, against the simulator */
#include "vsphere/inventory.h"

#include "unit/lib/vsphere-test.h"
#include "vsphere/changes.h"
#include "vsphere/inventory-name.h"
#include "vsphere/snapshot.h"
#include "vsphere/vm.h"

/* Names as users give them, in the directories of a datacenter that is in a directory itself */
static const char names_json[] =
                "{\"vms\": ["
                "{\"name\": \"a%2fb 100%25 %5c+é&'<\", \"directory\": \"x+y&z/é ü\", \"disks\": [{\"size\": \"1M\"}]},"
                "{\"name\": \"twin\", \"directory\": \"one\", \"disks\": [{\"size\": \"1M\"}]},"
                "{\"name\": \"twin\", \"directory\": \"two\", \"disks\": [{\"size\": \"1M\"}], \"dir\": \"twin-2\"}]}";

typedef struct Found {
        char **lines; /* "NAME PATH" */
        unsigned n;
        unsigned stop_after;
        unsigned end_sessions_at;
        const Vcsim *simulator;
} Found;

static int on_vm(VmSummary *v, void *userdata) {
        Found *f = userdata;

        ck_assert_int_eq(strv_extendf(&f->lines, "%s %s", v->name, v->path), 0);
        f->n++;
        if (f->n == f->end_sessions_at) {
                vcsim_control(f->simulator, "/sessions/end");
                test_now += 2 * USEC_PER_MINUTE;
        }
        return f->n == f->stop_after ? 1 : 0;
}

static char *find(Session *s, const char *datacenter, const char *name) {
        char *id = NULL;
        int r = inventory_find(s, datacenter, name, &id);

        ck_assert_msg(r == 0, "%s: %s", name, session_error(s));
        return id;
}

static void assert_finds(Session *s, const char *datacenter, const char *name, const char *id) {
        _cleanup_free_ char *found = find(s, datacenter, name);

        ck_assert_msg(streq(found, id), "%s is %s, not %s", name, found, id);
}

static void assert_not_found(
                Session *s, const char *datacenter, const char *name, int error, const char *text) {
        char *id = NULL;

        assert_result(s, inventory_find(s, datacenter, name, &id), error);
        assert_contains(session_error(s), text);
}

START_TEST(names_are_decoded_and_encoded) {
        static const char *const names[][2] = {
                { "a%2fb", "a/b" },
                { "a%2Fb", "a/b" },
                { "100%25", "100%" },
                { "%5c", "\\" },
                { "50% off", "50% off" },
                { "%2", "%2" },
                { "%", "%" },
                { "%252f", "%2f" },
                { "é&+", "é&+" },
                { "", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *decoded = inventory_name_decode(names[i][0]),
                                    *encoded = inventory_name_encode(decoded),
                                    *again = inventory_name_decode(encoded);

                ck_assert_str_eq(decoded, names[i][1]);
                ck_assert_str_eq(again, decoded);
        }
}
END_TEST

START_TEST(paths_are_normalized) {
        static const char *const paths[][2] = {
                { "/DC0/vm/a", "/DC0/vm/a" },
                { "DC0//vm/a/", "/DC0/vm/a" },
                { "/a%2Fb/50% off", "/a%2fb/50%25 off" },
                { "/", "" },
                { "", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_free_ char *normal = inventory_path_normalize(paths[i][0]);

                ck_assert_str_eq(normal, paths[i][1]);
        }
}
END_TEST

START_TEST(all_vms_are_listed_in_pages) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-vm", "5", "-page-size", "3", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        Found found = {};

        assert_result(s, inventory_list(s, on_vm, &found), 0);
        ck_assert_uint_eq(found.n, 10);
        ck_assert(strv_contains(found.lines, "DC0_C0_RP0_VM3 /DC0/vm/DC0_C0_RP0_VM3"));
        ck_assert_uint_ge(vcsim_calls(&v, "ContinueRetrievePropertiesEx"), 3);
        ck_assert_uint_eq(vcsim_calls(&v, "DestroyView"), vcsim_calls(&v, "CreateContainerView"));
        strv_free(found.lines);
        session_logout(s);
}
END_TEST

START_TEST(a_list_can_be_abandoned) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-vm", "5", "-page-size", "3", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        Found found = { .stop_after = 2 };

        assert_result(s, inventory_list(s, on_vm, &found), 0);
        ck_assert_uint_eq(found.n, 2);
        ck_assert_uint_eq(vcsim_calls(&v, "DestroyView"), vcsim_calls(&v, "CreateContainerView"));
        strv_free(found.lines);
        session_logout(s);
}
END_TEST

START_TEST(each_vm_is_listed_once_if_the_session_ends) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-vm", "5", "-page-size", "3", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        Found found = { .simulator = &v, .end_sessions_at = 5 };

        assert_result(s, inventory_list(s, on_vm, &found), 0);
        ck_assert_uint_eq(found.n, 10);
        ck_assert_uint_eq(vcsim_sessions(&v), 1);
        strv_free(found.lines);
        session_logout(s);
        ck_assert_uint_eq(vcsim_sessions(&v), 0);
}
END_TEST

START_TEST(each_vm_is_listed_once_if_a_connection_breaks) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-vm", "5", "-page-size", "3", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        Found found = {};

        vcsim_fault(&v,
                        "{\"on\":\"sdk\",\"method\":\"ContinueRetrievePropertiesEx\",\"kind\":\"reset\","
                        "\"at\":700,\"skip\":1,\"count\":2}");
        assert_result(s, inventory_list(s, on_vm, &found), 0);
        ck_assert_uint_eq(found.n, 10);
        strv_free(found.lines);
        session_logout(s);
}
END_TEST

START_TEST(vms_are_found) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *id = vcsim_vm(&v, "DC0_C0_RP0_VM1");
        _cleanup_vm_detail_ VmDetail d = {};

        assert_finds(s, NULL, "DC0_C0_RP0_VM1", id);
        assert_finds(s, "DC0", "DC0_C0_RP0_VM1", id);
        assert_finds(s, "/DC0", "DC0_C0_RP0_VM1", id);
        assert_finds(s, NULL, "/DC0/vm/DC0_C0_RP0_VM1", id);
        assert_finds(s, NULL, "/DC0/DC0_C0_RP0_VM1", id);
        assert_finds(s, NULL, "DC0/vm/DC0_C0_RP0_VM1", id);
        assert_finds(s, NULL, id, id);
        assert_result(s, vm_read(s, id, &d), 0);
        assert_finds(s, NULL, d.summary.uuid, id);
        assert_finds(s, NULL, d.summary.instance_uuid, id);
        assert_not_found(s, NULL, "", -ENOENT, "empty");
        assert_not_found(s, NULL, "no such VM", -ENOENT, "\"no such VM\"");
        assert_not_found(s, NULL, "/DC0/vm/none", -ENOENT, "/DC0/vm/none");
        assert_not_found(s, "DC9", "DC0_C0_RP0_VM1", -ENOENT, "datacenter \"DC9\"");
        assert_not_found(s, NULL, "00000000-0000-0000-0000-000000000000", -ENOENT, "0000");
        session_logout(s);
}
END_TEST

START_TEST(names_of_all_kinds_are_found) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *inventory = test_write(dir, "inventory.json", names_json);
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-inventory", inventory, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *id = vcsim_vm(&v, "a%2fb 100%25 %5c+é&'<");
        _cleanup_vm_detail_ VmDetail d = {};

        assert_finds(s, NULL, "a%2fb 100%25 %5c+é&'<", id);
        assert_finds(s, NULL, "/DC0/vm/x+y&z/é ü/a%2Fb 100% \\+é&'<", id);
        assert_finds(s, "DC0", "x+y&z/é ü/a%2fb 100%25 %5c+é&'<", id);
        assert_result(s, vm_read(s, id, &d), 0);
        ck_assert_str_eq(d.summary.name, "a/b 100% \\+é&'<");
        ck_assert_str_eq(d.summary.path, "/DC0/vm/x+y&z/é ü/a%2fb 100%25 %5c+é&'<");
        ck_assert_str_eq(d.datacenter_path, "DC0");
        assert_not_found(s, NULL, "twin", -ENOTUNIQ, "/DC0/vm/one/twin, /DC0/vm/two/twin");
        free(find(s, NULL, "/DC0/vm/two/twin"));
        free(find(s, NULL, "one/twin"));
        session_logout(s);
}
END_TEST

START_TEST(a_datacenter_can_be_in_a_directory) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-directories", "1", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *id = vcsim_vm(&v, "DC0_C0_RP0_VM0");
        _cleanup_vm_detail_ VmDetail d = {};

        assert_result(s, vm_read(s, id, &d), 0);
        ck_assert_str_eq(d.datacenter_path, "F0/DC0");
        ck_assert_str_eq(d.summary.datacenter, "DC0");
        assert_finds(s, "F0/DC0", "DC0_C0_RP0_VM0", id);
        assert_finds(s, NULL, d.summary.path, id);
        session_logout(s);
}
END_TEST

static const VmController *controller_of(const VmDetail *d, uint32_t key) {
        for (size_t i = 0; i < d->n_controllers; i++)
                if (d->controllers[i].key == key)
                        return &d->controllers[i];
        ck_abort_msg("there is no controller %u", key);
        return NULL;
}

START_TEST(the_hardware_is_read) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *inventory = test_source("tests/vcsim/example.json");
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-inventory", inventory, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *id = vcsim_vm(&v, "web 01"), *old = vcsim_vm(&v, "old-win");
        _cleanup_vm_detail_ VmDetail d = {}, w = {};

        assert_result(s, vm_read(s, id, &d), 0);
        ck_assert_str_eq(d.firmware, "efi");
        ck_assert(d.secure_boot);
        ck_assert(d.tpm);
        ck_assert_str_eq(d.summary.guest_id, "rhel8_64Guest");
        ck_assert_int_eq(d.summary.power, VM_POWERED_ON);
        ck_assert_uint_eq(d.summary.cpus, 2);
        ck_assert_uint_eq(d.summary.memory, UINT64_C(2048) << 20);
        ck_assert_str_eq(d.summary.ip_address, "10.0.0.5");
        ck_assert_str_eq(d.summary.host_name, "web01");
        ck_assert_str_eq(d.summary.tools_status, "guestToolsRunning");
        ck_assert_uint_eq(d.n_disks, 2);
        ck_assert_uint_eq(d.disks[0].capacity, UINT64_C(48) << 20);
        ck_assert_str_eq(d.disks[0].file, "[ds ü & (1)] web 01+é/web 01.vmdk");
        ck_assert_str_eq(d.disks[0].base_file, d.disks[0].file);
        ck_assert_uint_eq(d.disks[0].links, 1);
        ck_assert(d.disks[0].thin);
        ck_assert_ptr_nonnull(d.disks[0].uuid);
        ck_assert_str_eq(controller_of(&d, d.disks[0].controller)->type, "ParaVirtualSCSIController");
        ck_assert_str_eq(controller_of(&d, d.disks[1].controller)->type, "VirtualNVMEController");
        ck_assert_uint_eq(d.n_nics, 2);
        ck_assert_str_eq(d.nics[0].mac, "00:50:56:ad:5e:3d");
        ck_assert_str_eq(d.nics[1].type, "VirtualE1000");
        ck_assert_str_eq(d.nics[1].network, "DC0_DVPG0");
        ck_assert_uint_eq(d.n_cdroms, 1);
        ck_assert_str_eq(d.cdroms[0].file, "[LocalDS_0] iso/tools.iso");
        ck_assert_ptr_nonnull(d.host);
        ck_assert_ptr_nonnull(d.modified);
        ck_assert(!d.has_snapshots);

        assert_result(s, vm_read(s, old, &w), 0);
        ck_assert_int_eq(w.summary.power, VM_POWERED_OFF);
        ck_assert_uint_eq(w.n_disks, 3);
        ck_assert(!w.disks[0].thin);
        ck_assert_str_eq(w.disks[1].mode, "independent_persistent");
        ck_assert(w.disks[2].rdm && w.disks[2].rdm_physical);
        ck_assert(!w.disks[0].rdm);
        session_logout(s);
}
END_TEST

START_TEST(power_is_switched) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-task-time", "20ms", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *id = vcsim_vm(&v, "DC0_C0_RP0_VM0");
        VmPower power;

        assert_result(s, vm_power_off(s, id), 0);
        assert_result(s, vm_read_power(s, id, &power), 0);
        ck_assert_int_eq(power, VM_POWERED_OFF);
        assert_result(s, vm_power_off(s, id), 0); /* it is off */
        assert_result(s, vm_shutdown_guest(s, id), 0);
        vcsim_control(&v, "/vm?name=DC0_C0_RP0_VM0&power=on");
        assert_result(s, vm_read_power(s, id, &power), 0);
        ck_assert_int_eq(power, VM_POWERED_ON);
        vcsim_fault(&v,
                        "{\"on\":\"sdk\",\"method\":\"PowerOffVM_Task\",\"kind\":\"task\",\"fault\":\"NoPermission\","
                        "\"message\":\"It is forbidden.\"}");
        assert_result(s, vm_power_off(s, id), -EPERM);
        assert_contains(session_error(s), "It is forbidden.");
        vcsim_no_faults(&v);
        assert_result(s, vm_power_off(s, "vm-none"), -ENOENT);
        session_logout(s);
}
END_TEST

START_TEST(guests_are_shut_down) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-shutdown-time", "20ms", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *id = vcsim_vm(&v, "DC0_C0_RP0_VM0");

        vcsim_control(&v, "/vm?name=DC0_C0_RP0_VM0&tools=not-running");
        assert_result(s, vm_shutdown_guest(s, id), -EOPNOTSUPP);
        ck_assert_str_eq(test_fault(s), "ToolsUnavailable");
        vcsim_control(&v, "/vm?name=DC0_C0_RP0_VM0&tools=running&shutdown=hang");
        assert_result(s, vm_shutdown_guest(s, id), 0);
        assert_result(s, vm_wait_power(s, id, VM_POWERED_OFF, 100 * USEC_PER_MSEC), -ETIMEDOUT);
        vcsim_control(&v, "/vm?name=DC0_C0_RP0_VM0&shutdown=work");
        assert_result(s, vm_shutdown_guest(s, id), 0);
        assert_result(s, vm_wait_power(s, id, VM_POWERED_OFF, USEC_PER_MINUTE), 0);
        session_logout(s);
}
END_TEST

START_TEST(cdroms_are_removed) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *inventory = test_source("tests/vcsim/example.json");
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-inventory", inventory, "-task-time", "20ms", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *id = vcsim_vm(&v, "web 01");
        _cleanup_vm_detail_ VmDetail d = {};
        unsigned n;

        assert_result(s, vm_remove_cdroms(s, id, &n), 0);
        ck_assert_uint_eq(n, 1);
        assert_result(s, vm_read(s, id, &d), 0);
        ck_assert_uint_eq(d.n_cdroms, 0);
        ck_assert_uint_eq(d.n_disks, 2);
        assert_result(s, vm_remove_cdroms(s, id, &n), 0);
        ck_assert_uint_eq(n, 0);
        session_logout(s);
}
END_TEST

/* --- without our additions to the simulator -------------------------------------------------------- */

static void assert_power(Session *s, const char *id, VmPower expected) {
        VmPower power;

        assert_result(s, vm_read_power(s, id, &power), 0);
        ck_assert_int_eq(power, expected);
}

/* All methods that govmomi's simulator has, as it answers them. */
START_TEST(govmomi_alone) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-plain", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        Found f = {};
        _cleanup_free_ char *id = find(s, NULL, "/DC0/vm/DC0_H0_VM0"), *snapshot = NULL, *found = NULL;
        _cleanup_vm_detail_ VmDetail d = {}, again = {};
        unsigned n;

        assert_result(s, inventory_list(s, on_vm, &f), 0);
        ck_assert_uint_eq(f.n, 4);
        strv_free(f.lines);
        assert_not_found(s, NULL, "/DC0/vm/nobody", -ENOENT, "nobody");
        assert_result(s, vm_read(s, id, &d), 0);
        ck_assert_str_eq(d.summary.name, "DC0_H0_VM0");
        ck_assert_uint_eq(d.n_disks, 1);
        ck_assert_uint_gt(d.disks[0].capacity, 0);
        ck_assert(!d.has_snapshots && !d.change_tracking);

        assert_power(s, id, VM_POWERED_ON);
        assert_result(s, vm_power_off(s, id), 0);
        assert_power(s, id, VM_POWERED_OFF);
        assert_result(s, vm_power_off(s, id), 0);
        assert_result(s, vm_power_on(s, id), 0);
        assert_power(s, id, VM_POWERED_ON);
        assert_result(s, vm_power_off(s, "vm-none"), -ENOENT);

        assert_result(s, snapshot_create(s, id, "hyper <é&>", "a text", false, &snapshot), 0);
        assert_result(s, snapshot_find(s, id, "hyper <é&>", &found), 0);
        ck_assert_str_eq(found, snapshot);
        assert_result(s, snapshot_remove(s, snapshot, USEC_PER_MINUTE, NULL, NULL), 0);
        assert_result(s, snapshot_remove(s, snapshot, USEC_PER_MINUTE, NULL, NULL), 0);

        assert_result(s, changes_enable(s, id, true), 0);
        assert_result(s, vm_remove_cdroms(s, id, &n), 0);
        assert_result(s, vm_read(s, id, &again), 0);
        ck_assert(again.change_tracking && !again.has_snapshots);
        ck_assert_uint_eq(again.n_cdroms, 0);
        session_logout(s);

        SessionOptions wrong = test_options(&v);
        wrong.password = "wrong";
        _cleanup_session_ Session *refused = test_session(&wrong);
        assert_result(refused, session_login(refused), -EACCES);
}
END_TEST

TEST_MAIN("vsphere-inventory", names_are_decoded_and_encoded, paths_are_normalized,
                all_vms_are_listed_in_pages, a_list_can_be_abandoned,
                each_vm_is_listed_once_if_the_session_ends, each_vm_is_listed_once_if_a_connection_breaks,
                vms_are_found, names_of_all_kinds_are_found, a_datacenter_can_be_in_a_directory,
                the_hardware_is_read, power_is_switched, guests_are_shut_down, cdroms_are_removed,
                govmomi_alone)
