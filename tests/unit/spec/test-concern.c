/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Concerns of virtual machines, and what a manager takes from an inspection. */

#include "spec/concern.h"
#include "spec/inspection.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

/* "error no_disks, warning tpm" */
static char *codes(const json_t *list) {
        char *all = strdup("");
        const json_t *c;
        size_t i;

        json_array_foreach(list, i, c) {
                char *more = strprintf("%s%s%s %s", all, i > 0 ? ", " : "",
                                json_string_value(json_object_get(c, "severity")),
                                json_string_value(json_object_get(c, "code")));

                ck_assert_str_ne(json_string_value(json_object_get(c, "text")), "");
                ck_assert_str_ne(json_string_value(json_object_get(c, "remedy")), "");
                free(all);
                all = more;
        }
        return all;
}

static void expect(const ConcernVm *vm, const char *expected) {
        _cleanup_json_ json_t *list = json_array();

        ck_assert_int_eq(concerns_add_vm(list, vm), 0);
        _cleanup_free_ char *text = codes(list);
        ck_assert_str_eq(text, expected);
}

START_TEST(each_fact_is_a_concern) {
        static const ConcernDisk good = { .label = "Hard disk 1", .size = 512 };
        ConcernDisk bad = { .label = "Hard disk 2", .size = 1024 };
        char *device[] = { (char *) "PCI device 0", NULL };

        expect(&(ConcernVm){}, "");
        expect(&(ConcernVm){ .has_disks = true }, "error no_disks");
        expect(&(ConcernVm){ .has_disks = true, .disks = &good, .n_disks = 1 }, "");
        bad.size = 1023;
        expect(&(ConcernVm){ .disks = &bad, .n_disks = 1 }, "error disk_size");
        bad = (ConcernDisk){ .size = 512, .rdm = true };
        expect(&(ConcernVm){ .disks = &bad, .n_disks = 1 }, "warning rdm");
        bad.rdm_physical = true;
        expect(&(ConcernVm){ .disks = &bad, .n_disks = 1 }, "error rdm_physical");
        bad = (ConcernDisk){ .size = 512, .shared = true, .independent = true };
        expect(&(ConcernVm){ .disks = &bad, .n_disks = 1 }, "error shared_disk");
        expect(&(ConcernVm){ .disks = &bad, .n_disks = 1, .running = true },
                        "error shared_disk, error independent_disk, information running");
        expect(&(ConcernVm){ .running = true, .tools_not_running = true },
                        "warning tools_not_running, information running");
        expect(&(ConcernVm){ .tools_not_running = true }, "");
        expect(&(ConcernVm){ .suspended = true }, "warning suspended");
        expect(&(ConcernVm){ .encrypted = true, .tpm = true }, "error encrypted, warning tpm");
        expect(&(ConcernVm){ .consolidation_needed = true, .is_template = true },
                        "error consolidation_needed, warning template");
        expect(&(ConcernVm){ .snapshots = 2, .not_tracked = true },
                        "information not_tracked, information snapshots");
        expect(&(ConcernVm){ .firmware = "efi" }, "");
        expect(&(ConcernVm){ .firmware = "coreboot" }, "warning firmware");
        expect(&(ConcernVm){ .pci_devices = device, .usb_devices = device },
                        "warning pci_device, warning usb_device");
        expect(&(ConcernVm){ .n_nics = 65 }, "error too_many_nics");
}
END_TEST

START_TEST(a_text_has_its_parameters) {
        _cleanup_json_ json_t *list = json_array();

        ck_assert_int_eq(concern_add(list, CONCERN_DISK_SIZE, "$1 disk", "5"), 0);
        const json_t *c = json_array_get(list, 0), *parameters = json_object_get(c, "parameters");
        ck_assert_str_eq(json_string_value(json_object_get(c, "text")),
                        "$1 disk has 5 bytes, which is not a whole number of sectors");
        ck_assert_uint_eq(json_array_size(parameters), 2);
        ck_assert_str_eq(json_string_value(json_array_get(parameters, 1)), "5");
}
END_TEST

START_TEST(lists_have_errors_and_warnings_only) {
        _cleanup_json_ json_t *list = json_array();
        const ConcernVm vm = { .running = true, .tpm = true, .snapshots = 1 };

        concerns_shorten(list);
        ck_assert_int_eq(concerns_add_vm(list, &vm), 0);
        ck_assert_ptr_null(concerns_error(list));
        ck_assert_int_eq(concern_add(list, CONCERN_IMAGE_REFUSED, "bad \xff byte", "why"), 0);
        ck_assert_str_eq(concerns_error(list), "image_refused");
        concerns_shorten(list);
        _cleanup_free_ char *text = codes(list);
        ck_assert_str_eq(text, "error image_refused, warning tpm");
}
END_TEST

#define CONCERN(severity)           \
        "{\"severity\":\"" severity \
        "\",\"code\":\"a\",\"text\":\"b\",\"remedy\":\"c\",\"parameters\":[\"d\"]}"
#define DISK "{\"file\":\"a.vmdk\",\"format\":\"vmdk\",\"size\":512}"

static const struct {
        const char *text;
        int result;
} answers[] = {
        { "{\"format\":null,\"disks\":[],\"vm\":null,\"concerns\":[]}", 0 },
        { "{\"format\":\"ova\",\"disks\":[" DISK
          "],\"vm\":{\"cpus\":2},\"concerns\":[" CONCERN("error") "]}",
                        0 },
        { "{\"error\":5}", -EIO },
        { "{\"error\":0}", -EBADMSG },
        { "{\"error\":5,\"vm\":null}", -EBADMSG },
        { "", -EBADMSG },
        { "[]", -EBADMSG },
        { "{}", -EBADMSG },
        { "{\"format\":\"ova\",\"disks\":[],\"vm\":null,\"concerns\":[],\"more\":1}", -EBADMSG },
        { "{\"format\":1,\"disks\":[],\"vm\":null,\"concerns\":[]}", -EBADMSG },
        { "{\"format\":null,\"disks\":{},\"vm\":null,\"concerns\":[]}", -EBADMSG },
        { "{\"format\":null,\"disks\":[1],\"vm\":null,\"concerns\":[]}", -EBADMSG },
        { "{\"format\":null,\"disks\":[{\"file\":\"a\",\"format\":null,\"size\":0}],\"vm\":null,"
          "\"concerns\":[]}",
                        -EBADMSG },
        { "{\"format\":null,\"disks\":[{\"file\":\"a\\u001b\",\"format\":null,\"size\":1}],\"vm\":null,"
          "\"concerns\":[]}",
                        -EBADMSG },
        { "{\"format\":null,\"disks\":[],\"vm\":{\"cpus\":-1},\"concerns\":[]}", -EBADMSG },
        { "{\"format\":null,\"disks\":[],\"vm\":null,\"concerns\":[" CONCERN("fatal") "]}", -EBADMSG },
};

START_TEST(only_inspections_are_taken) {
        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                _cleanup_json_ json_t *found = NULL;
                int r = inspection_decode(answers[i].text, strlen(answers[i].text), &found);

                ck_assert_msg(r == answers[i].result, "%s: %d", answers[i].text, r);
                ck_assert_int_eq(found != NULL, r == 0);
        }
}
END_TEST

TEST_MAIN("concern", each_fact_is_a_concern, a_text_has_its_parameters, lists_have_errors_and_warnings_only,
                only_inspections_are_taken)
