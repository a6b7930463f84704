/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/vm-json.h"
#include "spec/vm-value.h"
#include "unit/lib/test.h"
#include "json/json-parse.h"

static const char whole[] =
                "{\"name\": \"web 1\", \"uuid\": \"4210c0de-0001-4002-8003-00000000abcd\","
                "\"guest_os\": \"debian12_64Guest\", \"firmware\": \"efi\", \"secure_boot\": true,"
                "\"tpm\": true, \"cpus\": 8, \"cores_per_socket\": 4, \"memory\": 4294967296,"
                "\"disks\": [{\"id\": \"disk-2000\", \"bus\": \"scsi\", \"model\": \"pvscsi\","
                "\"controller\": 1, \"unit\": 2, \"capacity\": 1048576, \"serial\": \"6000c29\","
                "\"boot_order\": 1}, {\"controller\": 0, \"unit\": 0}],"
                "\"nics\": [{\"mac\": \"00:50:56:aa:bb:cc\", \"model\": \"vmxnet3\","
                "\"network\": \"VM Network\", \"connected\": false}, {\"connected\": true}]}";

/* The errors as one text, "" for none. */
static char *decode(const char *text, VmHardware **ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *error = NULL;
        _cleanup_json_ json_t *object = NULL;

        ck_assert_int_eq(json_parse_object(text, strlen(text), &object, &error), 0);
        int r = vm_hardware_from_json(object, "vm", ret, &errors);
        ck_assert_int_eq(r, errors.n_errors > 0 ? -EBADMSG : 0);
        return json_errors_text(&errors);
}

START_TEST(a_whole_document_is_the_same_after_decoding) {
        _cleanup_vm_ VmHardware *vm = NULL;
        _cleanup_free_ char *errors = decode(whole, &vm), *error = NULL;
        _cleanup_json_ json_t *before = NULL, *after = NULL;

        ck_assert_str_eq(errors, "");
        ck_assert_str_eq(vm->name, "web 1");
        ck_assert_int_eq(vm->firmware, VM_FIRMWARE_EFI);
        ck_assert_uint_eq(vm->n_disks, 2);
        ck_assert_int_eq(vm->disks[0].bus, VM_BUS_SCSI);
        ck_assert_uint_eq(vm->disks[0].unit, 2);
        ck_assert_uint_eq(vm->n_nics, 2);
        ck_assert(vm->nics[0].disconnected);
        ck_assert(!vm->nics[1].disconnected);
        ck_assert_int_eq(json_parse_object(whole, strlen(whole), &before, &error), 0);
        after = vm_hardware_to_json(vm);
        ck_assert(json_equal(before, after));
}
END_TEST

START_TEST(an_empty_document_is_valid) {
        _cleanup_vm_ VmHardware *vm = NULL;
        _cleanup_free_ char *errors = decode("{}", &vm);
        _cleanup_json_ json_t *after = NULL, *expected = json_pack("{s:[], s:[]}", "disks", "nics");

        ck_assert_str_eq(errors, "");
        after = vm_hardware_to_json(vm);
        ck_assert(json_equal(after, expected));
}
END_TEST

START_TEST(what_is_wrong_is_refused_by_its_field) {
        static const struct {
                const char *text, *error;
        } cases[] = {
                { "{\"cpu\": 1}", "vm.cpu: is unknown" },
                { "{\"disks\": [{\"size\": 1}]}", "vm.disks[0].size: is unknown" },
                { "{\"cpus\": 0}", "vm.cpus: must be 1 to 4096" },
                { "{\"cpus\": 6, \"cores_per_socket\": 4}", "vm.cores_per_socket: must divide cpus" },
                { "{\"cores_per_socket\": 4}", "vm.cores_per_socket: requires cpus" },
                { "{\"secure_boot\": true}", "vm.secure_boot: requires the firmware \"efi\"" },
                { "{\"name\": \"a\\u0007\"}", "vm.name: must not have control characters" },
                { "{\"uuid\": \"4210\"}", "vm.uuid: must be a UUID" },
                { "{\"firmware\": \"coreboot\"}", "vm.firmware: must be one of bios, efi" },
                { "{\"memory\": 1}", "vm.memory: must be 1048576 to 70368744177664" },
                { "{\"nics\": {}}", "vm.nics: must be a list" },
                { "{\"nics\": [1]}", "vm.nics[0]: must be an object" },
                { "{\"nics\": [{}, {\"mac\": \"01:00:5e:00:00:01\"}]}",
                                "vm.nics[1].mac: must be the MAC address of one device, such as "
                                "00:50:56:aa:bb:cc" },
                { "{\"disks\": [{\"model\": \"LSI Logic\"}]}",
                                "vm.disks[0].model: must only have the characters a-z, 0-9, \".\", \"_\" and "
                                "\"-\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                VmHardware *vm = NULL;
                _cleanup_free_ char *errors = decode(cases[i].text, &vm);

                ck_assert_str_eq(errors, cases[i].error);
                ck_assert_ptr_null(vm);
        }
}
END_TEST

START_TEST(lists_have_limits) {
        _cleanup_vm_ VmHardware *vm = vm_hardware_new(), *decoded = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < VM_DISKS_MAX; i++)
                ck_assert_ptr_nonnull(vm_hardware_add_disk(vm));
        ck_assert_ptr_null(vm_hardware_add_disk(vm));
        ck_assert_int_eq(errno, E2BIG);
        for (size_t i = 0; i < VM_NICS_MAX; i++)
                ck_assert_ptr_nonnull(vm_hardware_add_nic(vm));
        ck_assert_ptr_null(vm_hardware_add_nic(vm));
        object = vm_hardware_to_json(vm);
        ck_assert_int_eq(vm_hardware_from_json(object, "", &decoded, &errors), 0);
        ck_assert_uint_eq(decoded->n_disks, VM_DISKS_MAX);
        json_array_append_new(json_object_get(object, "nics"), json_object());
        decoded = vm_hardware_free(decoded);
        ck_assert_int_eq(vm_hardware_from_json(object, "", &decoded, &errors), -EBADMSG);
        text = json_errors_text(&errors);
        ck_assert_str_eq(text, "nics: has too many entries");
}
END_TEST

START_TEST(addresses_are_written_in_one_form) {
        static const struct {
                const char *given, *expected;
        } macs[] = {
                { "00:50:56:aa:bb:cc", "00:50:56:aa:bb:cc" },
                { "00-50-56-AA-BB-CC", "00:50:56:aa:bb:cc" },
                { "080027AABBCC", "08:00:27:aa:bb:cc" },
                { "00:00:00:00:00:00", NULL },
                { "ff:ff:ff:ff:ff:ff", NULL },
                { "00:50:56:aa:bb", NULL },
                { "00:50:56:aa:bb:cc:dd", NULL },
                { "00::50:56:aa:bb:cc", NULL },
                { "00:50:56:aa:bb:c", NULL },
                { "", NULL },
        };
        static const struct {
                const char *given, *expected;
        } uuids[] = {
                { "4210C0DE-0001-4002-8003-00000000abcd", "4210c0de-0001-4002-8003-00000000abcd" },
                { "{4210c0de-0001-4002-8003-00000000abcd}", "4210c0de-0001-4002-8003-00000000abcd" },
                { "42 10 c0 de 00 01 40 02-80 03 00 00 00 00 ab cd",
                                "4210c0de-0001-4002-8003-00000000abcd" },
                { "00000000-0000-0000-0000-000000000000", NULL },
                { "ffffffff-ffff-ffff-ffff-ffffffffffff", NULL },
                { "{}", NULL },
                { "4210c0de-0001-4002-8003-00000000abc", NULL },
                { "4210c0de-0001-4002-8003-00000000abcd00", NULL },
                { "", NULL },
        };
        char mac[VM_MAC_SIZE], uuid[VM_UUID_SIZE];

        for (size_t i = 0; i < ELEMENTSOF(macs); i++) {
                int r = vm_mac_normalize(macs[i].given, mac);
                ck_assert_msg(r == (macs[i].expected ? 0 : -EINVAL), "%s", macs[i].given);
                if (r == 0)
                        ck_assert_str_eq(mac, macs[i].expected);
        }
        for (size_t i = 0; i < ELEMENTSOF(uuids); i++) {
                int r = vm_uuid_normalize(uuids[i].given, uuid);
                ck_assert_msg(r == (uuids[i].expected ? 0 : -EINVAL), "%s", uuids[i].given);
                if (r == 0)
                        ck_assert_str_eq(uuid, uuids[i].expected);
        }
}
END_TEST

START_TEST(text_of_a_source_is_made_valid) {
        _cleanup_free_ char *text = vm_text("a\nb\xff\xc2\x85", 64), *cut = vm_text("abc", 2), *word = NULL,
                            *none = NULL;

        ck_assert_str_eq(text, "a b\xef\xbf\xbd ");
        ck_assert_str_eq(cut, "ab");
        ck_assert_int_eq(vm_word("LSI Logic/SAS", &word), 0);
        ck_assert_str_eq(word, "lsilogicsas");
        ck_assert_int_eq(vm_word("\xc3\xa4 /", &none), 0);
        ck_assert_ptr_null(none);
}
END_TEST

TEST_MAIN("vm", a_whole_document_is_the_same_after_decoding, an_empty_document_is_valid,
                what_is_wrong_is_refused_by_its_field, lists_have_limits, addresses_are_written_in_one_form,
                text_of_a_source_is_made_valid)
