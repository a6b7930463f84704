/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What InspectDestination says of a path. */

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "manager/file/destination.h"
#include "shared/error-table.h"
#include "unit/lib/manager-test.h"

static const PathRules as_admin = { .role = ROLE_ADMIN };

/* The answer; NULL: refused with @expected, and @words in the error. */
static json_t *look(
                const PathRules *rules, const char *path, uint64_t size, int expected, const char *words) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        json_t *answer = NULL;
        int r = destination_look(rules, path, size, &answer, &errors);
        _cleanup_free_ char *text = json_errors_text(&errors);

        ck_assert_msg(r == expected, "%s: %s: %s", path, strerror(-r), text);
        ck_assert_msg(r >= 0 || strstr(text, words), "%s: %s", path, text);
        return answer;
}

static void expect(const json_t *answer, const char *directory, bool exists, const char *code) {
        json_t *concern = json_array_get(json_object_get(answer, "concerns"), 0);

        ck_assert_str_eq(json_string_value(json_object_get(answer, "directory")), directory);
        ck_assert_int_eq(json_is_true(json_object_get(answer, "exists")), exists);
        ck_assert_int_eq(concern != NULL, code != NULL);
        if (code)
                ck_assert_str_eq(json_string_value(json_object_get(concern, "code")), code);
}

START_TEST(paths) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *file = strprintf("%s/a.raw", dir), *new = strprintf("%s/b.raw", dir),
                            *below = strprintf("%s/new/er/c.raw", dir), *wrong = strprintf("%s/x", file),
                            *slash = strprintf("%s/new/", dir);
        struct statvfs vfs;

        make_file(file, "disk");
        ck_assert_int_eq(statvfs(dir, &vfs), 0);
        _cleanup_json_ json_t *there = look(&as_admin, file, 0, 0, NULL),
                              *missing = look(&as_admin, new, 1, 0, NULL),
                              *deep = look(&as_admin, below, 0, 0, NULL),
                              *directory = look(&as_admin, dir, 0, 0, NULL),
                              *later = look(&as_admin, slash, 0, 0, NULL),
                              *large = look(&as_admin, new, UINT64_MAX, 0, NULL);
        expect(there, dir, true, "destination_exists");
        expect(missing, dir, false, NULL);
        expect(deep, dir, false, NULL);
        expect(directory, dir, false, NULL);
        expect(later, dir, false, NULL);
        expect(large, dir, false, "no_space");
        ck_assert_int_eq(json_integer_value(json_object_get(missing, "total")),
                        (json_int_t) (vfs.f_blocks * vfs.f_frsize));
        ck_assert_int_gt(json_integer_value(json_object_get(missing, "free")), 0);

        look(&as_admin, wrong, 0, -EBADMSG, "a file is where a directory should be");
        look(&as_admin, "/etc/x.raw", 0, -EPERM, "a destination may not be here");
}
END_TEST

START_TEST(places_of_operators) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *own = strprintf("%s/own", dir), *new = strprintf("%s/own/a.raw", dir),
                            *other = strprintf("%s/a.raw", dir);
        const PathRules rules = { .role = ROLE_OPERATOR, .destination_paths = (char *[]){ own, NULL } };

        ck_assert_int_eq(mkdir(own, 0755), 0);
        _cleanup_json_ json_t *answer = look(&rules, new, 0, 0, NULL);
        expect(answer, own, false, NULL);
        look(&rules, other, 0, -EPERM, "a destination may not be here");
}
END_TEST

BUS_TEST(over_the_bus)
        static const char *const wrong[] = { "", "[]", "{}", "{\"type\":\"nbd\",\"uri\":\"nbd://a\"}",
                "{\"type\":\"file\"}", "{\"type\":\"file\",\"path\":\"a\"}",
                "{\"type\":\"file\",\"path\":1}" };
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *text = strprintf("{\"type\":\"file\",\"path\":\"%s/a.raw\"}", f.dir);
        sd_bus_message *m = NULL;
        const char *answer;

        ck_assert_int_ge(call(&f, "InspectDestination", &m, NULL, "sta{sv}", text, UINT64_C(1), 0), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "s", &answer), 0);
        _cleanup_json_ json_t *object = json_loads(answer, 0, NULL);
        expect(object, f.dir, false, NULL);
        sd_bus_message_unref(m);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                ck_assert_int_eq(call(&f, "InspectDestination", NULL, NULL, "sta{sv}", wrong[i], UINT64_C(0),
                                                 0),
                                -EINVAL);
        ck_assert_int_lt(call(&f, "InspectDestination", NULL, &error, "sta{sv}",
                                         "{\"type\":\"file\",\"path\":\"/etc/x\"}", UINT64_C(0), 0),
                        0);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_PATH_REFUSED);
BUS_TEST_END

TEST_MAIN("manager-destination", paths, places_of_operators, over_the_bus)
