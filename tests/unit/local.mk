# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Unit tests, one program per file, on libcheck. Each area lists its own:
#
#   UNIT_TESTS += tests/unit/test-parse-util
#   tests_unit_test_parse_util_SOURCES = tests/unit/test-parse-util.c
#   tests_unit_test_parse_util_LDADD = libhyper-basic.la $(CHECK_LIBS)

# For tests of what is on the bus
PRIVATE_BUS_SOURCES = tests/unit/private-bus.c tests/unit/private-bus.h
INTROSPECTION_SOURCES = tests/unit/introspection.c tests/unit/introspection.h

include tests/unit/basic.mk
include tests/unit/shared.mk
include tests/unit/store.mk
include tests/unit/manager.mk
include tests/unit/api.mk
include tests/unit/job.mk
include tests/unit/hosts.mk
include tests/unit/notify.mk
include tests/unit/agent.mk
include tests/unit/ctl.mk

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
noinst_HEADERS = tests/unit/test.h tests/fuzz/fuzz.h
EXTRA_DIST += tests/unit/README.md
