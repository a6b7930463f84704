/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The registry of Windows: the tables of changes on real hives, and what is read from them. */

#include "guest/first-boot.h"
#include "guest/registry-edit.h"
#include "guest/utf16.h"
#include "guest/windows-table.h"
#include "unit/lib/hive.h"
#include "unit/lib/test.h"

/* --- texts ----------------------------------------------------------------------------------------- */

START_TEST(texts_become_utf8) {
        static const struct {
                const char *data;
                size_t size, max;
                const char *expected;
        } rows[] = {
                { "", 0, 10, "" }, { "a", 1, 10, "" }, /* half a unit */
                { "a\0b\0", 4, 10, "ab" }, { "a\0b\0c", 5, 10, "ab" }, { "a\0\0\0b\0", 6, 10, "a" },
                { "\xe4\0\xac\x20", 4, 10, "\xc3\xa4\xe2\x82\xac" },
                { "\x3d\xd8\x00\xde", 4, 10, "\xf0\x9f\x98\x80" },
                { "\x3d\xd8\x61\0", 4, 10,
                                "\xef\xbf\xbd"
                                "a" },
                { "\x3d\xd8", 2, 10, "\xef\xbf\xbd" }, /* one half of a pair */
                { "\x00\xde", 2, 10, "\xef\xbf\xbd" },
                { "a\0\xe4\0", 4, 2, "a" }, /* a character that does not fit */
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = utf16_to_utf8(rows[i].data, rows[i].size, rows[i].max);
                ck_assert_str_eq(text, rows[i].expected);
        }
}
END_TEST

START_TEST(lists_have_a_limit) {
        static const char data[] = "a\0\0\0b\0b\0\0\0c\0\0\0\0\0d\0";
        _cleanup_strv_free_ char **all = NULL, **two = NULL, **cut = NULL, **none = NULL;
        _cleanup_free_ char *joined = NULL;

        ck_assert_int_eq(utf16_list(data, sizeof(data) - 1, 10, 10, &all), 0);
        joined = strv_join(all, ",");
        ck_assert_str_eq(joined, "a,bb,c");
        ck_assert_int_eq(utf16_list(data, sizeof(data) - 1, 2, 10, &two), 0);
        ck_assert_uint_eq(strv_length(two), 2);
        ck_assert_int_eq(utf16_list("a\0b", 3, 9, 10, &cut), 0); /* without an end */
        ck_assert_str_eq(cut[0], "a");
        ck_assert_uint_eq(strv_length(cut), 1);
        ck_assert_int_eq(utf16_list("", 0, 9, 10, &none), 0);
        ck_assert_ptr_null(none);
}
END_TEST

/* --- changes --------------------------------------------------------------------------------------- */

static uint32_t number(const Registry *r, const char *key, const char *name) {
        uint32_t n = 0;

        ck_assert_int_eq(registry_read_number(r, key, name, &n), 0);
        return n;
}

static void is_text(const Registry *r, const char *key, const char *name, const char *expected) {
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(registry_read_text(r, key, name, &text), 0);
        ck_assert_str_eq(text, expected);
}

static void put(const Registry *r, const char *key, const char *name, RegistryType type, const char *text,
                uint32_t n) {
        const RegistryEdit edits[] = { { key, name, type, .text = text, .number = n }, {} };
        static const RegistryWord words[] = { {} };
        _cleanup_changes_ Changes c = {};

        ck_assert_int_eq(registry_apply(r, edits, words, "test", &c), 0);
}

static size_t apply(const Registry *r, const RegistryEdit *edits, const char *id) {
        const RegistryWord words[] = { { "set", "ControlSet001" }, { "driver", "viostor" }, { "id", id },
                {} };
        _cleanup_changes_ Changes c = {};

        ck_assert_int_eq(registry_apply(r, edits, words, "test", &c), 0);
        return json_array_size(c.changes);
}

#define ID "VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00"
#define SERVICES "ControlSet001\\Services\\"

START_TEST(a_boot_driver_is_registered) {
        static const RegistryEdit *const tables[] = { windows_driver_edits, windows_package_edits,
                windows_package_id_edits };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/SYSTEM", dir), *version = NULL;
        _cleanup_strv_free_ char **list = NULL;
        unsigned type;
        size_t size;
        Registry r;

        test_hive_new(path, &r);
        put(&r, SERVICES "viostor\\StartOverride", "0", REGISTRY_NUMBER, NULL, 3);
        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                ck_assert_uint_gt(apply(&r, tables[i], ID), 0);
        /* Once is enough. */
        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                ck_assert_uint_eq(apply(&r, tables[i], ID), 0);
        test_hive_reopen(path, &r);

        ck_assert_uint_eq(number(&r, SERVICES "viostor", "Start"), 0);
        ck_assert_uint_eq(number(&r, SERVICES "viostor", "Type"), 1);
        ck_assert_uint_eq(number(&r, SERVICES "VIOSTOR", "errorcontrol"), 1);
        is_text(&r, SERVICES "viostor", "Group", "SCSI miniport");
        is_text(&r, SERVICES "viostor", "ImagePath", "system32\\drivers\\viostor.sys");
        ck_assert_int_eq(registry_find(&r, SERVICES "viostor\\StartOverride"), 0);
        ck_assert_int_eq(registry_read_list(
                                         &r, "DriverDatabase\\DriverInfFiles\\hyper-viostor.inf", "", &list),
                        0);
        ck_assert_str_eq(list[0], "hyper-viostor.inf_hyper");
        ck_assert_uint_eq(strv_length(list), 1);
        is_text(&r, "DriverDatabase\\DriverPackages\\hyper-viostor.inf_hyper\\Descriptors\\PCI\\" ID,
                        "Configuration", "hyper-viostor");
        int64_t key = registry_find(&r, "DriverDatabase\\DriverPackages\\hyper-viostor.inf_hyper");
        ck_assert_int_eq(r.ops->read(r.hive, key, "Version", &type, &version, &size), 0);
        ck_assert_uint_eq(type, REGISTRY_BINARY);
        ck_assert_uint_eq(size, 48);
        ck_assert_int_gt(registry_find(&r, "DriverDatabase\\DeviceIds\\PCI\\" ID), 0);
        test_hive_close(&r);
}
END_TEST

START_TEST(an_older_windows_has_another_database) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/SYSTEM", dir);
        Registry r;

        test_hive_new(path, &r);
        ck_assert_uint_eq(apply(&r, windows_critical_edits, ID), 2);
        test_hive_reopen(path, &r);
        is_text(&r, "ControlSet001\\Control\\CriticalDeviceDatabase\\PCI#" ID, "Service", "viostor");
        is_text(&r, "ControlSet001\\Control\\CriticalDeviceDatabase\\PCI#" ID, "ClassGUID",
                        "{4D36E97B-E325-11CE-BFC1-08002BE10318}");
        test_hive_close(&r);
}
END_TEST

START_TEST(services_that_are_there_are_changed) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/SYSTEM", dir);
        Registry r;

        test_hive_new(path, &r);
        put(&r, SERVICES "VMTools", "Start", REGISTRY_NUMBER, NULL, 2);
        put(&r, SERVICES "storahci", "Start", REGISTRY_NUMBER, NULL, 3);
        put(&r, SERVICES "storahci\\StartOverride", "0", REGISTRY_NUMBER, NULL, 3);
        ck_assert_uint_eq(apply(&r, windows_system_edits, ""), 4);
        test_hive_reopen(path, &r);
        ck_assert_uint_eq(number(&r, SERVICES "VMTools", "Start"), 4);
        ck_assert_uint_eq(number(&r, SERVICES "storahci", "Start"), 0);
        ck_assert_int_eq(registry_find(&r, SERVICES "storahci\\StartOverride"), 0);
        ck_assert_int_eq(registry_find(&r, SERVICES "msahci"), 0);
        ck_assert_int_eq(registry_find(&r, SERVICES "vmvss"), 0);
        ck_assert_uint_eq(number(&r, "ControlSet001\\Control\\CrashControl", "AutoReboot"), 0);
        test_hive_close(&r);
}
END_TEST

#define SOFTWARE "Microsoft\\Windows\\CurrentVersion"

START_TEST(the_path_of_drivers_gets_a_part) {
        static const char *const before[] = { "%SystemRoot%\\inf", "D:\\x;%systemroot%\\drivers\\virtio",
                "" },
                                 *const after[] = { "%SystemRoot%\\inf;%SystemRoot%\\Drivers\\VirtIO",
                                         "D:\\x;%systemroot%\\drivers\\virtio",
                                         "%SystemRoot%\\Drivers\\VirtIO" };
        _cleanup_test_dir_ char *dir = test_dir();

        for (size_t i = 0; i < ELEMENTSOF(before); i++) {
                _cleanup_free_ char *path = strprintf("%s/%zu", dir, i);
                Registry r;

                test_hive_new(path, &r);
                put(&r, SOFTWARE, "DevicePath", REGISTRY_EXPAND, before[i], 0);
                apply(&r, windows_software_edits, "");
                ck_assert_uint_eq(apply(&r, windows_software_edits, ""), 0);
                test_hive_reopen(path, &r);
                is_text(&r, SOFTWARE, "DevicePath", after[i]);
                test_hive_close(&r);
        }
}
END_TEST

START_TEST(the_helper_is_a_service) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/SYSTEM", dir);
        Registry r;

        test_hive_new(path, &r);
        apply(&r, windows_first_boot_edits, "");
        test_hive_reopen(path, &r);
        ck_assert_uint_eq(number(&r, SERVICES FIRST_BOOT_SERVICE, "Start"), 2);
        is_text(&r, SERVICES FIRST_BOOT_SERVICE, "ImagePath", "%SystemRoot%\\hyper-firstboot.exe");
        test_hive_close(&r);
}
END_TEST

START_TEST(changes_show_both_values) {
        static const RegistryEdit edits[] = {
                { "A\\B", "N", REGISTRY_NUMBER, .number = 0x12345678 },
                { "A\\B", "T", REGISTRY_TEXT, .text = "new {set}" },
                { "A\\B", "", REGISTRY_BINARY, .data = "x", .size = 1 },
                { "A\\C", .action = REGISTRY_REMOVE }, /* which is not there */
                {},
        };
        static const RegistryWord words[] = { { "set", "Set" }, {} };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/SYSTEM", dir), *text = NULL;
        _cleanup_changes_ Changes c = {};
        Registry r;

        test_hive_new(path, &r);
        put(&r, "A\\B", "T", REGISTRY_TEXT, "old", 0);
        ck_assert_int_eq(registry_apply(&r, edits, words, "s", &c), 0);
        text = json_dumps(c.changes, JSON_COMPACT);
        ck_assert_str_eq(text,
                        "[{\"step\":\"s\",\"file\":\"SYSTEM\\\\A\\\\B\\\\N\",\"from\":null,\"to\":\"305419896\"},"
                        "{\"step\":\"s\",\"file\":\"SYSTEM\\\\A\\\\B\\\\T\",\"from\":\"old\",\"to\":\"new Set\"},"
                        "{\"step\":\"s\",\"file\":\"SYSTEM\\\\A\\\\B\",\"from\":null,\"to\":null}]");
        test_hive_close(&r);
}
END_TEST

/* --- network --------------------------------------------------------------------------------------- */

#define TCPIP "ControlSet001\\Services\\Tcpip\\Parameters\\Interfaces\\"
#define NETWORK "ControlSet001\\Control\\Network\\{4D36E972-E325-11CE-BFC1-08002BE10318}\\"
#define FIRST "{848F537B-D3A3-4FD7-9360-3F7098E5EDE5}"
#define SECOND "{00000000-D3A3-4FD7-9360-3F7098E5EDE5}"

START_TEST(interfaces_are_read) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/SYSTEM", dir), *text = NULL;
        _cleanup_(windows_network_done) WindowsNetwork n = {};
        Registry r;

        test_hive_new(path, &r);
        put(&r, TCPIP FIRST, "EnableDHCP", REGISTRY_NUMBER, NULL, 0);
        put(&r, TCPIP FIRST, "IPAddress", REGISTRY_LIST, "192.0.2.10", 0);
        put(&r, TCPIP FIRST, "SubnetMask", REGISTRY_LIST, "255.255.255.0", 0);
        put(&r, TCPIP FIRST, "DefaultGateway", REGISTRY_LIST, "192.0.2.1", 0);
        put(&r, TCPIP FIRST, "NameServer", REGISTRY_TEXT, "192.0.2.53,evil & calc.exe 192.0.2.54", 0);
        put(&r, NETWORK FIRST "\\Connection", "Name", REGISTRY_TEXT, "Ethernet0", 0);
        put(&r, NETWORK FIRST "\\Connection", "PnpInstanceID", REGISTRY_TEXT,
                        "PCI\\VEN_15AD&DEV_07B0&SUBSYS_07B015AD&REV_01\\FF565000BB0895FE00", 0);
        put(&r, TCPIP SECOND, "EnableDHCP", REGISTRY_NUMBER, NULL, 1);
        put(&r, TCPIP SECOND, "IPAddress", REGISTRY_LIST, "0.0.0.0", 0);
        put(&r, NETWORK SECOND "\\Connection", "Name", REGISTRY_TEXT, "Ethernet1", 0);
        /* without a connection; not a GUID; without an address */
        put(&r, TCPIP "{11111111-D3A3-4FD7-9360-3F7098E5EDE5}", "EnableDHCP", REGISTRY_NUMBER, NULL, 1);
        put(&r, TCPIP "{11111111}", "EnableDHCP", REGISTRY_NUMBER, NULL, 1);
        put(&r, NETWORK "{11111111}\\Connection", "Name", REGISTRY_TEXT, "Bad", 0);
        put(&r, NETWORK "{22222222-D3A3-4FD7-9360-3F7098E5EDE5}\\Connection", "Name", REGISTRY_TEXT, "Bad",
                        0);
        put(&r, TCPIP "{22222222-D3A3-4FD7-9360-3F7098E5EDE5}", "IPAddress", REGISTRY_LIST, "1.2.3.4\" x",
                        0);
        test_hive_reopen(path, &r);

        ck_assert_int_eq(windows_network_read(&r, "ControlSet001", &n), 0);
        ck_assert_uint_eq(n.n, 2);
        text = first_boot_text(&n);
        ck_assert_str_eq(text,
                        "interface " SECOND " -\r\n"
                        "interface " FIRST " 00:50:56:95:08:bb\r\n"
                        "address 192.0.2.10 255.255.255.0\r\n"
                        "gateway 192.0.2.1\r\n"
                        "dns 192.0.2.53\r\n"
                        "dns 192.0.2.54\r\n");
        test_hive_close(&r);
}
END_TEST

START_TEST(a_hive_may_have_nothing) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/SYSTEM", dir);
        WindowsNetwork n = { .n = 7 };
        Registry r;

        test_hive_new(path, &r);
        ck_assert_int_eq(windows_network_read(&r, "ControlSet001", &n), 0);
        ck_assert_uint_eq(n.n, 0);
        test_hive_close(&r);
}
END_TEST

START_TEST(devices_of_vmxnet3_have_their_address) {
        static const struct {
                const char *id, *expected;
        } rows[] = {
                { "PCI\\VEN_15AD&DEV_07B0&SUBSYS_07B015AD&REV_01\\FF290C0092C195FE00", "00:0c:29:95:c1:92" },
                { "PCI\\VEN_15AD&DEV_07B0&SUBSYS_07B015AD&REV_01\\4&2B7C36E&0&00A8", NULL },
                { "PCI\\VEN_15AD&DEV_07B0&SUBSYS_07B015AD&REV_01\\FF290C0092C195FF00", NULL },
                { "PCI\\VEN_15AD&DEV_07B0&SUBSYS_07B015AD&REV_01\\FF290C0092C195FE0", NULL },
                { "PCI\\VEN_8086&DEV_100F&SUBSYS_075015AD&REV_01\\FF290C0092C195FE00", NULL },
                { "PCI\\VEN_15AD&DEV_07B0&", NULL },
                { "", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char mac[18] = "";
                ck_assert_int_eq(windows_device_mac(rows[i].id, mac), rows[i].expected != NULL);
                ck_assert_str_eq(mac, strempty(rows[i].expected));
        }
}
END_TEST

START_TEST(masks_and_addresses_are_checked) {
        static const struct {
                const char *mask;
                int expected;
        } rows[] = { { "255.255.255.0", 24 }, { "255.255.255.255", 32 }, { "0.0.0.0", 0 },
                { "255.0.255.0", -EINVAL }, { "24", -EINVAL }, { "", -EINVAL } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                ck_assert_int_eq(windows_mask_length(rows[i].mask), rows[i].expected);
        ck_assert(windows_address_is_valid("10.0.0.1"));
        ck_assert(!windows_address_is_valid("0.0.0.0"));
        ck_assert(!windows_address_is_valid("10.0.0.1 "));
        ck_assert(!windows_address_is_valid("10.0.0.1;x"));
        ck_assert(!windows_address_is_valid(""));
}
END_TEST

/* --- versions -------------------------------------------------------------------------------------- */

START_TEST(builds_have_directories_of_drivers) {
        static const struct {
                unsigned build;
                bool server;
                const char *expected;
        } rows[] = {
                { 26100, true, "2k25" },
                { 20348, true, "2k22" },
                { 25398, true, "2k22" },
                { 17763, true, "2k19" },
                { 14393, true, "2k16" },
                { 9600, true, "2k12R2" },
                { 9200, true, "2k12" },
                { 7601, true, "2k8R2" },
                { 6002, true, "2k8" },
                { 26100, false, "w11" },
                { 22000, false, "w11" },
                { 19045, false, "w10" },
                { 9600, false, "w8.1" },
                { 7601, false, "w7" },
                { 3790, true, NULL },
                { 0, false, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *const *found = windows_driver_directories(rows[i].build, rows[i].server);
                ck_assert(found ? streq_ptr(found[0], rows[i].expected) : !rows[i].expected);
        }
}
END_TEST

TEST_MAIN("guest-registry", texts_become_utf8, lists_have_a_limit, a_boot_driver_is_registered,
                an_older_windows_has_another_database, services_that_are_there_are_changed,
                the_path_of_drivers_gets_a_part, the_helper_is_a_service, changes_show_both_values,
                interfaces_are_read, a_hive_may_have_nothing, devices_of_vmxnet3_have_their_address,
                masks_and_addresses_are_checked, builds_have_directories_of_drivers)
