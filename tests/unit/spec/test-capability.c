/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/capability.h"
#include "spec/job-demand.h"
#include "unit/lib/test.h"

static int read_capabilities(const char *text, uint32_t *ret, JsonErrors *errors) {
        _cleanup_json_ json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

        ck_assert_ptr_nonnull(value);
        return capabilities_from_json(value, "capabilities", ret, errors);
}

START_TEST(every_capability_has_a_word_of_its_own) {
        for (Capability c = 0; c < _CAPABILITY_MAX; c++) {
                ck_assert_ptr_nonnull(capability_to_string(c));
                ck_assert_int_eq(capability_from_string(capability_to_string(c)), c);
        }
        ck_assert_int_lt(capability_from_string("telepathy"), 0);
        ck_assert_int_lt(capability_from_string(NULL), 0);
        ck_assert_ptr_null(capability_to_string(_CAPABILITY_MAX));
}
END_TEST

START_TEST(capabilities_have_short_names_too) {
        static const struct {
                const char *name;
                Capability capability;
        } names[] = { { "nbd", CAPABILITY_NBD_ACCESS }, { "lvm", CAPABILITY_LVM_TOOLS },
                { "mount", CAPABILITY_MOUNT_OPERATIONS }, { "selinux", CAPABILITY_SELINUX_TOOLS },
                { "qemu_img", CAPABILITY_QEMU_IMG } };
        _cleanup_(json_errors_done) JsonErrors errors = {};
        uint32_t list = 0, map = 0;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ck_assert_int_eq(capability_from_string(names[i].name), names[i].capability);
        ck_assert_int_eq(read_capabilities("[\"nbd\", \"lvm\", \"mount\", \"selinux\", \"qemu_img\"]", &list,
                                         &errors),
                        0);
        ck_assert_uint_eq(list, CAPABILITY_BITS);
        /* A model dump has null for what was not given. */
        ck_assert_int_eq(read_capabilities("{\"nbd\": true, \"lvm_tools\": null, \"mount\": false}", &map,
                                         &errors),
                        0);
        ck_assert_uint_eq(map, 1u << CAPABILITY_NBD_ACCESS);
        ck_assert_uint_eq(errors.n_errors, 0);
}
END_TEST

START_TEST(every_operation_needs_something) {
        for (JobOperation o = 0; o < _OPERATION_MAX; o++)
                ck_assert_uint_ne(job_operation(o)->capabilities, 0);
        ck_assert_uint_eq(job_operation(OPERATION_CONVERT)->capabilities, 1u << CAPABILITY_QEMU_IMG);
        ck_assert_ptr_null(job_operation(_OPERATION_INVALID));
        ck_assert_int_eq(capability_from_string("nbd"), CAPABILITY_NBD_ACCESS);
        ck_assert_int_eq(capability_from_string("selinux"), CAPABILITY_SELINUX_TOOLS);
}
END_TEST

START_TEST(a_demand_comes_out_of_its_number_as_it_went_in) {
        static const JobDemand demands[] = {
                {},
                { .capabilities = 1 },
                { .capabilities = 31, .memory_gb = 8, .disk_gb = 500 },
                { .memory_gb = DEMAND_MEMORY_MAX },
                { .disk_gb = DEMAND_DISK_MAX },
                { .capabilities = 65535, .memory_gb = DEMAND_MEMORY_MAX, .disk_gb = DEMAND_DISK_MAX },
        };

        for (size_t i = 0; i < ELEMENTSOF(demands); i++) {
                JobDemand d = job_demand_unpack(job_demand_pack(&demands[i]));

                ck_assert_uint_lt(job_demand_pack(&demands[i]), UINT64_C(1) << 60);
                ck_assert_uint_eq(d.capabilities, demands[i].capabilities);
                ck_assert_uint_eq(d.memory_gb, demands[i].memory_gb);
                ck_assert_uint_eq(d.disk_gb, demands[i].disk_gb);
        }
}
END_TEST

static int demand_of(const char *requirements, JobDemand *ret, JsonErrors *errors) {
        _cleanup_json_ json_t *value = requirements ? json_loads(requirements, 0, NULL) : NULL;
        const JobSpec spec = { .operation = OPERATION_CONVERT, .capability_requirements = value };

        return job_demand_from_spec(&spec, ret, errors);
}

START_TEST(requirements_add_to_what_the_operation_needs) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        JobDemand d;

        ck_assert_int_eq(demand_of(NULL, &d, &errors), 0);
        ck_assert_uint_eq(d.capabilities, 1u << CAPABILITY_QEMU_IMG | operation_bit(OPERATION_CONVERT));
        ck_assert_int_eq(demand_of("{\"needs_lvm\": true, \"needs_nbd\": false, \"min_memory_gb\": 8, "
                                   "\"min_disk_space_gb\": 100, \"colour\": \"red\"}",
                                         &d, &errors),
                        0);
        ck_assert_uint_eq(d.capabilities & CAPABILITY_BITS,
                        1u << CAPABILITY_QEMU_IMG | 1u << CAPABILITY_LVM_TOOLS);
        ck_assert_uint_eq(d.memory_gb, 8);
        ck_assert_uint_eq(d.disk_gb, 100);
}
END_TEST

START_TEST(all_wrong_requirements_are_told_at_once) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *text = NULL;
        JobDemand d = { .memory_gb = 77 };

        ck_assert_int_eq(demand_of("{\"needs_lvm\": \"yes\", \"min_memory_gb\": -1, \"min_disk_space_gb\": "
                                   "1e9}",
                                         &d, &errors),
                        -EBADMSG);
        text = json_errors_text(&errors);
        ck_assert_ptr_nonnull(strstr(text, "capability_requirements.needs_lvm: "));
        ck_assert_ptr_nonnull(strstr(text, "capability_requirements.min_memory_gb: "));
        ck_assert_ptr_nonnull(strstr(text, "capability_requirements.min_disk_space_gb: "));
        ck_assert_uint_eq(d.memory_gb, 77);
}
END_TEST

START_TEST(capabilities_come_in_two_forms) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        const uint32_t two = 1u << CAPABILITY_QEMU_IMG | 1u << CAPABILITY_NBD_ACCESS;
        uint32_t mask = 0;

        ck_assert_int_eq(read_capabilities("[\"qemu_img\", \"nbd_access\", \"telepathy\"]", &mask, &errors),
                        0);
        ck_assert_uint_eq(mask, two);
        ck_assert_int_eq(
                        read_capabilities("{\"qemu_img\": true, \"nbd_access\": true, \"lvm_tools\": false}",
                                        &mask, &errors),
                        0);
        ck_assert_uint_eq(mask, two);
        ck_assert_int_eq(read_capabilities("[]", &mask, &errors), 0);
        ck_assert_uint_eq(mask, 0);
        ck_assert_uint_eq(errors.n_errors, 0);
}
END_TEST

START_TEST(other_forms_are_refused) {
        static const char *const wrong[] = { "[1]", "[\"qemu_img\", null]", "{\"qemu_img\": 1}",
                "\"qemu_img\"", "null", "7" };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_(json_errors_done) JsonErrors errors = {};
                uint32_t mask = 4711;

                ck_assert_int_eq(read_capabilities(wrong[i], &mask, &errors), -EBADMSG);
                ck_assert_uint_eq(mask, 4711);
                ck_assert_uint_eq(errors.n_errors, 1);
        }
}
END_TEST

START_TEST(operations_have_bits_beside_the_capabilities) {
        _cleanup_json_ json_t *all = operations_to_json(OPERATION_BITS | CAPABILITY_BITS),
                              *some = json_loads("[\"convert\", \"inspect\", \"juggle\"]", 0, NULL),
                              *wrong = json_loads("{\"convert\": true}", 0, NULL), *back = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        uint32_t mask = 0;

        ck_assert_uint_eq(json_array_size(all), _OPERATION_MAX);
        ck_assert_uint_eq(OPERATION_BITS & CAPABILITY_BITS, 0);
        /* What the database has of workers that do not say it (store/schema.c) */
        ck_assert_uint_eq(OPERATION_BITS, 8160);
        ck_assert_int_eq(operations_from_json(all, "operations", &mask, &errors), 0);
        ck_assert_uint_eq(mask, OPERATION_BITS);
        ck_assert_int_eq(operations_from_json(some, "operations", &mask, &errors), 0);
        ck_assert_uint_eq(mask, operation_bit(OPERATION_CONVERT) | operation_bit(OPERATION_INSPECT));
        back = operations_to_json(mask);
        ck_assert_uint_eq(json_array_size(back), 2);
        ck_assert_int_eq(operations_from_json(wrong, "operations", &mask, &errors), -EBADMSG);
        ck_assert_uint_eq(operation_bit(_OPERATION_INVALID), 0);
}
END_TEST

TEST_MAIN("capability", every_capability_has_a_word_of_its_own, capabilities_have_short_names_too,
                every_operation_needs_something, a_demand_comes_out_of_its_number_as_it_went_in,
                requirements_add_to_what_the_operation_needs, all_wrong_requirements_are_told_at_once,
                capabilities_come_in_two_forms, other_forms_are_refused,
                operations_have_bits_beside_the_capabilities)
