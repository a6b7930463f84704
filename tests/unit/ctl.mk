# SPDX-License-Identifier: LGPL-2.1-or-later

ctl_unit_tests = tests/unit/test-ctl-text tests/unit/test-ctl-table tests/unit/test-ctl-arguments
UNIT_TESTS += $(ctl_unit_tests)
tests_unit_test_ctl_text_SOURCES = tests/unit/test-ctl-text.c
tests_unit_test_ctl_text_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_ctl_text_LDADD = libhyper-ctl.la $(CHECK_LIBS)
tests_unit_test_ctl_table_SOURCES = tests/unit/test-ctl-table.c
tests_unit_test_ctl_table_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_ctl_table_LDADD = libhyper-ctl.la $(CHECK_LIBS)
tests_unit_test_ctl_arguments_SOURCES = tests/unit/test-ctl-arguments.c
tests_unit_test_ctl_arguments_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_ctl_arguments_LDADD = libhyper-ctl.la $(CHECK_LIBS)

# hyperctl as it is run, against a mock of hyper-managerd on a private bus
check_PROGRAMS += tests/unit/ctl/mock-manager
tests_unit_ctl_mock_manager_SOURCES = tests/unit/ctl/mock-manager.c
tests_unit_ctl_mock_manager_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_ctl_mock_manager_LDADD = libhyper-shared.la libhyper-basic.la $(SYSTEMD_LIBS) $(JANSSON_LIBS)

ctl_script_tests = tests/unit/ctl/test-hyperctl tests/unit/ctl/test-terminal tests/unit/ctl/test-completion

TESTS += $(ctl_script_tests)
EXTRA_DIST += $(ctl_script_tests) tests/unit/ctl/bus.sh
