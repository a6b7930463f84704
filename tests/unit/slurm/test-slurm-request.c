/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What slurmrestd is sent for a job, in the forms of its versions. */

#include "basic/string-util.h"
#include "slurm/slurm-request.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

static json_t *request(const char *config, const SlurmOrder *order) {
        _cleanup_(settings_freep) Settings *s = settings_new();
        _cleanup_free_ char *error = NULL, *body = NULL;
        json_t *json;

        ck_assert_ptr_nonnull(s);
        ck_assert_msg(settings_parse("config.yaml", config, strlen(config), s, &error) == 0, "%s",
                        strna(error));
        body = slurm_request_body(s, "hyper:ab:", order);
        ck_assert_ptr_nonnull(body);
        json = json_loads(body, 0, NULL);
        ck_assert_ptr_nonnull(json);
        return json;
}

static const char *text(json_t *job, const char *key) {
        return strempty(json_string_value(json_object_get(job, key)));
}

static json_int_t number(json_t *job, const char *key) {
        json_t *value = json_object_get(job, key);

        ck_assert_msg(json_is_integer(value), "%s", key);
        return json_integer_value(value);
}

START_TEST(a_job_says_nothing_of_itself) {
        _cleanup_json_ json_t *body =
                        request("slurm: {memory: 300}\n", &(SlurmOrder){ .id = "vm.1", .priority = 50 });
        json_t *job = json_object_get(body, "job");

        ck_assert_str_eq(text(job, "name"), "hyper-vm.1");
        ck_assert_str_eq(text(job, "comment"), "hyper:ab:vm.1");
        ck_assert_int_eq(number(job, "memory_per_node"), 300);
        ck_assert_int_eq(number(job, "nice"), 5000);
        ck_assert_ptr_null(json_object_get(job, "time_limit"));
        ck_assert_ptr_null(json_object_get(job, "licenses"));
        ck_assert_ptr_null(json_object_get(job, "partition"));
        ck_assert(json_is_true(json_object_get(job, "requeue")));
        ck_assert(strstr(text(body, "script"), "'hyper-agent-job@vm.1.service'"));
        ck_assert(startswith(text(body, "script"), "#!/bin/bash\n"));
        ck_assert_str_ne(text(json_object_get(job, "environment"), "PATH"), "");
}
END_TEST

START_TEST(resources_and_limits_are_mapped) {
        char *limits[] = { (char *) "esx:esx7", (char *) "vcenter:vc 1/a.example", (char *) "team:blue",
                (char *) "team:red", NULL };
        _cleanup_json_ json_t *body = request("slurm:\n  licenses: [\"vcenter:*\", \"team:blue\"]\n"
                                              "  partition: a,b\n  account: c\n  constraint: ssd&vlan10\n",
                        &(SlurmOrder){ .id = "a",
                                        .priority = 100,
                                        .memory_gb = 4,
                                        .timeout_seconds = 61,
                                        .limits = limits });
        json_t *job = json_object_get(body, "job");

        ck_assert_int_eq(number(job, "memory_per_node"), 4096);
        ck_assert_int_eq(number(job, "nice"), 0);
        ck_assert_int_eq(number(job, "time_limit"), 17);
        ck_assert_str_eq(text(job, "licenses"), "vcenter_vc_1_a.example:1,team_blue:1");
        ck_assert_str_eq(text(job, "partition"), "a,b");
        ck_assert_str_eq(text(job, "account"), "c");
        ck_assert_str_eq(text(job, "constraints"), "ssd&vlan10");
}
END_TEST

START_TEST(labels_are_features) {
        char *words[] = { (char *) "+san-b", (char *) "+vlan10", (char *) "esx:esx7", (char *) "~fast",
                NULL };
        static const struct {
                const char *config, *constraint;
        } cases[] = {
                { "slurm: {memory: 300}\n", "san-b&vlan10" },
                { "slurm: {constraint: ssd}\n", "ssd&san-b&vlan10" },
                { "slurm: {constraint: 'ssd|nvme'}\n", "(ssd|nvme)&san-b&vlan10" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *body = request(
                                cases[i].config, &(SlurmOrder){ .id = "a", .priority = 1, .limits = words });

                ck_assert_str_eq(text(json_object_get(body, "job"), "constraints"), cases[i].constraint);
                ck_assert_str_eq(text(json_object_get(body, "job"), "licenses"), "");
        }
}
END_TEST

START_TEST(later_versions_have_objects) {
        _cleanup_json_ json_t *body = request("slurm: {api: v0.0.40}\n",
                        &(SlurmOrder){ .id = "a", .priority = 0, .timeout_seconds = 60 });
        json_t *job = json_object_get(body, "job"), *limit = json_object_get(job, "time_limit");

        ck_assert_ptr_null(json_object_get(body, "script"));
        ck_assert(startswith(text(job, "script"), "#!/bin/bash\n"));
        ck_assert(json_is_array(json_object_get(job, "environment")));
        ck_assert_int_eq(number(limit, "number"), 16);
        ck_assert(json_is_true(json_object_get(limit, "set")));
        ck_assert_int_eq(number(job, "nice"), 10000);
}
END_TEST

START_TEST(settings_are_checked) {
        static const char *const wrong[] = { "url: file:///x", "url: http://slurm.example.com",
                "url: unix:x", "url: \"https://h/?a\"", "api: v0.0.37", "api: v0.0.43", "api: latest",
                "user: \"a b\"", "partition: \"a;b\"", "constraint: \"a b\"", "memory: 0", "max_jobs: 5001",
                "licenses: vcenter", "licenses: [\"no kind\"]" };
        static const char *const right[] = { "url: unix:/run/slurm/socket",
                "url: https://slurm.example.com:6820", "url: http://127.0.0.1:6820", "api: v0.0.42",
                "max_jobs: 5000", "constraint: \"[a|b]&c\"" };

        for (size_t i = 0; i < ELEMENTSOF(wrong) + ELEMENTSOF(right); i++) {
                bool is_right = i >= ELEMENTSOF(wrong);
                const char *line = is_right ? right[i - ELEMENTSOF(wrong)] : wrong[i];
                _cleanup_(settings_freep) Settings *s = settings_new();
                _cleanup_free_ char *error = NULL, *config = strprintf("slurm:\n  %s\n", line);
                int r = settings_parse("config.yaml", config, strlen(config), s, &error);

                ck_assert_msg(is_right ? r == 0 : r == -EBADMSG, "%s: %s", line, strna(error));
        }
}
END_TEST

/* clang-format off */
TEST_MAIN("slurm-request", a_job_says_nothing_of_itself, resources_and_limits_are_mapped, labels_are_features,
          later_versions_have_objects, settings_are_checked)
