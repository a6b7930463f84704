# SPDX-License-Identifier: LGPL-2.1-or-later

UNIT_TESTS += tests/unit/test-agent
tests_unit_test_agent_SOURCES = tests/unit/test-agent.c
tests_unit_test_agent_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_agent_LDADD = libhyper-agent.la $(CHECK_LIBS)

UNIT_TESTS += tests/unit/test-agent-life
tests_unit_test_agent_life_SOURCES = tests/unit/test-agent-life.c tests/unit/api-test.c tests/unit/api-test.h \
	tests/unit/journal-writer.c tests/unit/journal-writer.h $(MANAGER_BUS_SOURCES)
tests_unit_test_agent_life_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS) $(MICROHTTPD_CFLAGS)
tests_unit_test_agent_life_LDADD = libhyper-agent.la libhyper-dialects.la libhyper-api.la $(MANAGER_TEST_LDADD)
