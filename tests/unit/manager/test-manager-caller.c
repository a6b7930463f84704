/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "manager/caller.h"
#include "shared/error-table.h"
#include "unit/lib/test.h"

static const Caller admin = { .role = ROLE_ADMIN }, member = { .role = ROLE_OPERATOR }, nobody = {},
                    api = { .is_api = true };

/* The role that comes of it; ROLE_NONE if the call is refused with @bus_name. */
static Role judge(const Caller *caller, const char *wanted, const char *bus_name) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Role role = ROLE_NONE;
        int r = caller_judge(caller, wanted, &role, &error);

        ck_assert_int_eq(r < 0, bus_name != NULL);
        if (bus_name)
                ck_assert_str_eq(error.name, bus_name);
        return role;
}

START_TEST(without_a_wish) {
        ck_assert_int_eq(judge(&admin, NULL, NULL), ROLE_ADMIN);
        ck_assert_int_eq(judge(&member, NULL, NULL), ROLE_OPERATOR);
        ck_assert_int_eq(judge(&nobody, NULL, NULL), ROLE_OPERATOR);
        ck_assert_int_eq(judge(&api, NULL, NULL), ROLE_OPERATOR);
}
END_TEST

START_TEST(nobody_rises) {
        ck_assert_int_eq(judge(&admin, "admin", NULL), ROLE_ADMIN);
        ck_assert_int_eq(judge(&admin, "operator", NULL), ROLE_OPERATOR);
        ck_assert_int_eq(judge(&api, "admin", NULL), ROLE_ADMIN);
        ck_assert_int_eq(judge(&api, "operator", NULL), ROLE_OPERATOR);
        ck_assert_int_eq(judge(&member, "operator", NULL), ROLE_OPERATOR);
        judge(&member, "admin", HYPER_BUS_ERROR_ACCESS_DENIED);
        judge(&nobody, "admin", HYPER_BUS_ERROR_ACCESS_DENIED);
}
END_TEST

START_TEST(only_roles_that_submit) {
        static const char *const wrong[] = { "", "none", "viewer", "Admin", "root", "admin " };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                judge(&admin, wrong[i], HYPER_BUS_ERROR_INVALID_ARGUMENT);
                judge(&api, wrong[i], HYPER_BUS_ERROR_INVALID_ARGUMENT);
        }
}
END_TEST

START_TEST(users) {
        Role role = ROLE_NONE;

        ck_assert_int_eq(role_of_user(0, &role), 0);
        ck_assert_int_eq(role, ROLE_ADMIN);
        ck_assert_int_eq(role_of_user(4242424, &role), 0);
        ck_assert_int_eq(role, ROLE_NONE);
        ck_assert(user_is(0, "root"));
        ck_assert(!user_is(1, "root"));
        ck_assert(!user_is(0, "hyper-no-such-user"));
        for (int i = 0; i < _ROLE_MAX; i++)
                ck_assert_int_eq(role_from_string(role_to_string(i)), i);
        ck_assert_int_lt(role_from_string(NULL), 0);
        ck_assert_ptr_null(role_to_string(_ROLE_MAX));
}
END_TEST

TEST_MAIN("manager-caller", without_a_wish, nobody_rises, only_roles_that_submit, users)
