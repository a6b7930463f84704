# SPDX-License-Identifier: LGPL-2.1-or-later

UNIT_TESTS += tests/unit/test-notify-lanes tests/unit/test-notify-http
NOTIFY_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS)

tests_unit_test_notify_lanes_SOURCES = tests/unit/test-notify-lanes.c
tests_unit_test_notify_lanes_CPPFLAGS = $(NOTIFY_TEST_CPPFLAGS)
tests_unit_test_notify_lanes_LDADD = libhyper-notify.la $(CHECK_LIBS)
tests_unit_test_notify_http_SOURCES = tests/unit/test-notify-http.c
tests_unit_test_notify_http_CPPFLAGS = $(NOTIFY_TEST_CPPFLAGS)
tests_unit_test_notify_http_LDADD = libhyper-notify.la $(SYSTEMD_LIBS) $(CHECK_LIBS)
