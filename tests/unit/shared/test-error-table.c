/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/error-table.h"
#include "unit/lib/test.h"

/* Errors about different things may share an errno, and then also what they are to a client of HTTP. */
START_TEST(every_entry_is_found_by_its_name_and_its_errno) {
        size_t n = 0;

        for (const ErrorEntry *e = error_table(); e->bus_name; e++, n++) {
                ck_assert_ptr_eq(error_entry_by_bus_name(e->bus_name), e);
                ck_assert_int_eq(error_entry_by_errno(e->error)->error, e->error);
                ck_assert_int_eq(error_entry_by_errno(e->error)->http_status, e->http_status);
                ck_assert_ptr_eq(error_entry_by_errno(-e->error), error_entry_by_errno(e->error));
                ck_assert(e->http_status >= 400 && e->http_status < 600);
                ck_assert(!isempty(e->text));
        }
        ck_assert_uint_ge(n, 20);
}
END_TEST

START_TEST(the_statuses_are_those_that_clients_know) {
        ck_assert_int_eq(error_entry_by_bus_name(HYPER_BUS_ERROR_NO_SUCH_JOB)->http_status, 404);
        ck_assert_int_eq(error_entry_by_bus_name(HYPER_BUS_ERROR_JOB_EXISTS)->http_status, 409);
        ck_assert_int_eq(error_entry_by_bus_name(HYPER_BUS_ERROR_NO_SUCH_SCHEDULE)->http_status, 404);
        ck_assert_int_eq(error_entry_by_bus_name(HYPER_BUS_ERROR_INVALID_SPEC)->http_status, 400);
        ck_assert_int_eq(error_entry_by_bus_name(HYPER_BUS_ERROR_TOO_LARGE)->http_status, 413);
        ck_assert_int_eq(error_entry_by_bus_name(SD_BUS_ERROR_ACCESS_DENIED)->http_status, 403);
        ck_assert_int_eq(error_entry_by_bus_name(SD_BUS_ERROR_SERVICE_UNKNOWN)->http_status, 503);
        ck_assert_int_eq(error_entry_by_errno(ETIMEDOUT)->http_status, 503);
}
END_TEST

START_TEST(what_is_not_in_the_table_is_internal) {
        ck_assert_str_eq(error_entry_by_bus_name("com.example.Oops")->bus_name, HYPER_BUS_ERROR_INTERNAL);
        ck_assert_str_eq(error_entry_by_bus_name(NULL)->bus_name, HYPER_BUS_ERROR_INTERNAL);
        ck_assert_str_eq(error_entry_by_errno(ENOTTY)->bus_name, HYPER_BUS_ERROR_INTERNAL);
        ck_assert_str_eq(error_entry_by_errno(0)->bus_name, HYPER_BUS_ERROR_INTERNAL);
}
END_TEST

START_TEST(sd_bus_knows_the_names) {
        for (const ErrorEntry *e = error_table(); e->bus_name; e++) {
                sd_bus_error error = SD_BUS_ERROR_NULL;

                ck_assert_int_eq(sd_bus_error_set(&error, e->bus_name, NULL), -e->error);
                ck_assert_int_eq(sd_bus_error_get_errno(&error), e->error);
                sd_bus_error_free(&error);
        }
}
END_TEST

START_TEST(an_error_carries_the_given_text_or_the_tables) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_int_eq(
                        bus_error_setf(&error, HYPER_BUS_ERROR_NO_SUCH_JOB, "No job \"%s\".", "x"), -ENOENT);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_NO_SUCH_JOB);
        ck_assert_str_eq(error.message, "No job \"x\".");
        sd_bus_error_free(&error);

        ck_assert_int_eq(bus_error_setf(&error, HYPER_BUS_ERROR_JOB_FINISHED, NULL), -EALREADY);
        ck_assert_str_eq(error.message, "The job has ended already.");
        sd_bus_error_free(&error);

        ck_assert_int_eq(bus_error_setf(NULL, HYPER_BUS_ERROR_TOO_LARGE, "x"), -EFBIG);
}
END_TEST

TEST_MAIN("error-table", every_entry_is_found_by_its_name_and_its_errno,
                the_statuses_are_those_that_clients_know, what_is_not_in_the_table_is_internal,
                sd_bus_knows_the_names, an_error_carries_the_given_text_or_the_tables)
