# SPDX-License-Identifier: LGPL-2.1-or-later

UNIT_TESTS += tests/unit/test-basic tests/unit/test-time-util
tests_unit_test_basic_SOURCES = tests/unit/test-basic.c
tests_unit_test_basic_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_basic_LDADD = libhyper-basic.la $(CHECK_LIBS)
tests_unit_test_time_util_SOURCES = tests/unit/test-time-util.c
tests_unit_test_time_util_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_time_util_LDADD = libhyper-basic.la $(CHECK_LIBS)
