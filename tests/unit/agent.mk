# SPDX-License-Identifier: LGPL-2.1-or-later

UNIT_TESTS += tests/unit/test-agent
tests_unit_test_agent_SOURCES = tests/unit/test-agent.c
tests_unit_test_agent_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_agent_LDADD = libhyper-agent.la $(CHECK_LIBS)
