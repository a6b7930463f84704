/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients of the hosts API read. */

#include "api/hosts/hosts-json.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

#define T0 (1769853600 * USEC_PER_SEC) /* 2026-01-31T10:00:00Z */

static void check(json_t *value, const char *expected) {
        _cleanup_json_ json_t *got = value, *want = json_loads(expected, 0, NULL);
        _cleanup_free_ char *text = json_dumps(got, JSON_COMPACT);

        ck_assert_ptr_nonnull(want);
        ck_assert_msg(json_equal(got, want), "%s is not %s", strna(text), expected);
}

static VmRow make_vm(int state) {
        return (VmRow){ .seq = 7,
                .uuid = (char *) "u-u",
                .name = (char *) "Größe / \"1\"",
                .description = (char *) "",
                .state = state,
                .vcpu_count = 2,
                .memory_bytes = UINT64_C(2147483648),
                .vnc = true,
                .persistent = true,
                .created_at = T0,
                .updated_at = T0 + USEC_PER_SEC };
}

START_TEST(a_vm_has_the_state_of_its_base) {
        VmRow vm = make_vm(1);

        check(hosts_vm_json(&vm, false),
                        "{\"db_id\":7,\"uuid\":\"u-u\",\"name\":\"Größe / \\\"1\\\"\",\"description\":\"\","
                        "\"vcpu_count\":2,\"memory_bytes\":2147483648,\"state\":1,\"graphics\":{\"vnc\":"
                        "true,"
                        "\"spice\":false},\"persistent\":true,\"created_at\":\"2026-01-31T10:00:00Z\","
                        "\"updated_at\":\"2026-01-31T10:00:01Z\"}");
        _cleanup_json_ json_t *v1 = hosts_vm_json(&vm, true);
        ck_assert_str_eq(json_string_value(json_object_get(v1, "state")), "ACTIVE");
}
END_TEST

START_TEST(every_state_of_libvirt_has_a_word) {
        static const char *const words[] = { "UNKNOWN", "ACTIVE", "ACTIVE", "PAUSED", "ACTIVE", "STOPPED",
                "ERROR", "SUSPENDED", "UNKNOWN" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                ck_assert_str_eq(vm_state_to_string((int) i), words[i]);
        ck_assert_str_eq(vm_state_to_string(-1), "UNKNOWN");
}
END_TEST

START_TEST(no_vms_are_a_list) {
        VmRow vm = make_vm(5);
        VmRows none = {}, one = { .rows = &vm, .n = 1 };

        check(hosts_vms_json(&none, false), "[]");
        _cleanup_json_ json_t *list = hosts_vms_json(&one, true);
        ck_assert_uint_eq(json_array_size(list), 1);
}
END_TEST

START_TEST(a_host_says_whether_it_is_there) {
        const HostView h = { .id = "h",
                .uri = "qemu+ssh://***@kvm1/system",
                .name = "Büro",
                .state = "DISCONNECTED",
                .error = "no route",
                .n_vms = 3,
                .created = T0,
                .updated = T0 };

        check(hosts_host_json(&h),
                        "{\"id\":\"h\",\"uri\":\"qemu+ssh://***@kvm1/"
                        "system\",\"name\":\"Büro\",\"created_at\":"
                        "\"2026-01-31T10:00:00Z\",\"updated_at\":\"2026-01-31T10:00:00Z\",\"connected\":"
                        "false,"
                        "\"state\":\"DISCONNECTED\",\"error\":\"no route\",\"vm_count\":3}");
}
END_TEST

START_TEST(errors_have_a_code_in_words) {
        static const struct {
                unsigned status;
                const char *code;
        } codes[] = { { 400, "BAD_REQUEST" }, { 404, "NOT_FOUND" }, { 409, "CONFLICT" },
                { 500, "INTERNAL_ERROR" }, { 503, "UNAVAILABLE" }, { 418, "BAD_REQUEST" },
                { 507, "INTERNAL_ERROR" } };

        for (size_t i = 0; i < ELEMENTSOF(codes); i++) {
                _cleanup_free_ char *expected =
                                strprintf("{\"code\":\"%s\",\"message\":\"so\",\"details\":null,"
                                          "\"timestamp\":\"2026-01-31T10:00:00Z\"}",
                                                codes[i].code);

                check(hosts_error_json(codes[i].status, "so", T0), expected);
        }
}
END_TEST

TEST_MAIN("hosts-json", a_vm_has_the_state_of_its_base, every_state_of_libvirt_has_a_word, no_vms_are_a_list,
                a_host_says_whether_it_is_there, errors_have_a_code_in_words)
