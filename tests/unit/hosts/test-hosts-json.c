/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients of the hosts API read. */

#include "api/hosts/hosts-json.h"
#include "shared/error-table.h"
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
                .cpu_model = (char *) "host-passthrough",
                .cpu_topology = (char *) "{\"cores\":2}",
                .drift = (char *) "",
                .os_type = (char *) "debian/12",
                .disk_bytes = UINT64_C(10) << 30,
                .created_at = T0,
                .updated_at = T0 + USEC_PER_SEC };
}

START_TEST(a_vm_has_the_state_of_its_base) {
        VmRow row = make_vm(1);
        const VmView vm = {
                .row = &row, .host_id = "h", .host_name = "Host", .connected = true, .task = "STOPPING"
        };

        check(hosts_vm_json(&vm, false),
                        "{\"db_id\":7,\"uuid\":\"u-u\",\"name\":\"Größe / \\\"1\\\"\",\"description\":\"\","
                        "\"vcpu_count\":2,\"memory_bytes\":2147483648,\"state\":1,\"graphics\":{\"vnc\":"
                        "true,"
                        "\"spice\":false},\"persistent\":true,\"created_at\":\"2026-01-31T10:00:00Z\","
                        "\"updated_at\":\"2026-01-31T10:00:01Z\",\"domain_uuid\":\"u-u\",\"libvirtState\":"
                        "\"ACTIVE\","
                        "\"sync_status\":\"SYNCED\",\"drift_details\":\"\",\"needs_rebuild\":false,"
                        "\"is_template\":false,\"cpu_model\":\"host-passthrough\",\"cpu_topology_json\":\"{"
                        "\\\"cores\\\":2}\","
                        "\"os_type\":\"debian/12\",\"network_interface\":\"\",\"task_state\":\"STOPPING\","
                        "\"uptime\":null,\"disk_size_gb\":10.0,\"host_id\":\"h\",\"host_name\":\"Host\","
                        "\"memory\":2147483648,\"max_mem\":2097152}");
        _cleanup_json_ json_t *v1 = hosts_vm_json(&vm, true);
        ck_assert_str_eq(json_string_value(json_object_get(v1, "state")), "ACTIVE");

        row.drift = (char *) "disks, memory";
        _cleanup_json_ json_t *drifted = hosts_vm_json(&vm, true);
        ck_assert_str_eq(json_string_value(json_object_get(drifted, "sync_status")), "DRIFTED");
        ck_assert_str_eq(json_string_value(json_object_get(drifted, "drift_details")), "disks, memory");
        ck_assert(json_is_true(json_object_get(drifted, "needs_rebuild")));
}
END_TEST

START_TEST(a_vm_runs_since_it_was_seen_to_start) {
        VmRow row = make_vm(1);
        const VmView vm = { .row = &row,
                .host_id = "h",
                .host_name = "",
                .task = "",
                .started = now_realtime() - 100 * USEC_PER_SEC };
        _cleanup_json_ json_t *o = hosts_vm_json(&vm, true);
        json_int_t uptime = json_integer_value(json_object_get(o, "uptime"));

        ck_assert(uptime >= 100 && uptime < 110);
        ck_assert(json_is_null(json_object_get(o, "task_state")));
        /* What libvirt says now nobody knows. */
        ck_assert_str_eq(json_string_value(json_object_get(o, "sync_status")), "UNKNOWN");
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

START_TEST(a_host_says_whether_it_is_there) {
        const HostView h = { .id = "h",
                .uri = "qemu+ssh://***@kvm1/system",
                .name = "Büro",
                .state = "DISCONNECTED",
                .error = "no route",
                .n_vms = 3,
                .created = T0,
                .updated = T0 };

        check(hosts_host_json(&h, true),
                        "{\"id\":\"h\",\"uri\":\"qemu+ssh://***@kvm1/"
                        "system\",\"name\":\"Büro\",\"created_at\":"
                        "\"2026-01-31T10:00:00Z\",\"updated_at\":\"2026-01-31T10:00:00Z\",\"connected\":"
                        "false,"
                        "\"state\":\"DISCONNECTED\",\"error\":\"no "
                        "route\",\"vm_count\":3,\"auto_reconnect_disabled\":true,"
                        "\"task_state\":null,\"createdAt\":\"2026-01-31T10:00:00Z\",\"updatedAt\":"
                        "\"2026-01-31T10:00:00Z\"}");
}
END_TEST

START_TEST(errors_have_a_code_in_words) {
        static const struct {
                unsigned status;
                const char *bus_name, *code;
        } codes[] = { { 400, NULL, "BAD_REQUEST" }, { 404, NULL, "NOT_FOUND" }, { 409, NULL, "CONFLICT" },
                { 500, NULL, "INTERNAL_ERROR" }, { 503, NULL, "SERVICE_UNAVAILABLE" },
                { 418, NULL, "BAD_REQUEST" }, { 507, NULL, "INTERNAL_ERROR" },
                { 404, HYPER_BUS_ERROR_NO_SUCH_HOST, "HOST_NOT_FOUND" },
                { 404, HYPER_BUS_ERROR_NO_SUCH_VM, "VM_NOT_FOUND" },
                { 503, HYPER_BUS_ERROR_HOST_NOT_CONNECTED, "HOST_DISCONNECTED" },
                { 503, HYPER_BUS_ERROR_UNAVAILABLE, "SERVICE_UNAVAILABLE" },
                { 409, HYPER_BUS_ERROR_HOST_EXISTS, "CONFLICT" },
                { 409, HYPER_BUS_ERROR_WRONG_STATE, "VM_STATE_ERROR" },
                { 500, HYPER_BUS_ERROR_LIBVIRT, "LIBVIRT_ERROR" } };

        for (size_t i = 0; i < ELEMENTSOF(codes); i++) {
                _cleanup_free_ char *expected =
                                strprintf("{\"code\":\"%s\",\"message\":\"so\",\"details\":null,"
                                          "\"timestamp\":\"2026-01-31T10:00:00Z\"}",
                                                codes[i].code);

                check(hosts_error_json(codes[i].status, codes[i].bus_name, "so", T0), expected);
        }
}
END_TEST

TEST_MAIN("hosts-json", a_vm_has_the_state_of_its_base, every_state_of_libvirt_has_a_word,
                a_vm_runs_since_it_was_seen_to_start, a_host_says_whether_it_is_there,
                errors_have_a_code_in_words)
