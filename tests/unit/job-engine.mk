# SPDX-License-Identifier: LGPL-2.1-or-later

ENGINE_TESTS = tests/unit/test-engine-parts tests/unit/test-engine-copy tests/unit/test-engine-resume \
	tests/unit/test-engine-compare tests/unit/test-engine-hostile tests/unit/test-engine-writeback
ENGINE_TEST_UTIL = tests/unit/engine-util.c tests/unit/engine-util.h
ENGINE_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
ENGINE_TEST_LIBS = libhyper-engine.la libhyper-basic.la $(CHECK_LIBS)
UNIT_TESTS += $(ENGINE_TESTS)

tests_unit_test_engine_copy_SOURCES = tests/unit/test-engine-copy.c $(ENGINE_TEST_UTIL)
tests_unit_test_engine_copy_CPPFLAGS = $(ENGINE_TEST_CPPFLAGS)
tests_unit_test_engine_copy_LDADD = $(ENGINE_TEST_LIBS)
tests_unit_test_engine_resume_SOURCES = tests/unit/test-engine-resume.c $(ENGINE_TEST_UTIL)
tests_unit_test_engine_resume_CPPFLAGS = $(ENGINE_TEST_CPPFLAGS)
tests_unit_test_engine_resume_LDADD = $(ENGINE_TEST_LIBS)
tests_unit_test_engine_parts_SOURCES = tests/unit/test-engine-parts.c $(ENGINE_TEST_UTIL)
tests_unit_test_engine_parts_CPPFLAGS = $(ENGINE_TEST_CPPFLAGS)
tests_unit_test_engine_parts_LDADD = $(ENGINE_TEST_LIBS)
tests_unit_test_engine_compare_SOURCES = tests/unit/test-engine-compare.c $(ENGINE_TEST_UTIL)
tests_unit_test_engine_compare_CPPFLAGS = $(ENGINE_TEST_CPPFLAGS)
tests_unit_test_engine_compare_LDADD = $(ENGINE_TEST_LIBS)
tests_unit_test_engine_hostile_SOURCES = tests/unit/test-engine-hostile.c tests/unit/fake-nbd.c tests/unit/fake-nbd.h $(ENGINE_TEST_UTIL)
tests_unit_test_engine_hostile_CPPFLAGS = $(ENGINE_TEST_CPPFLAGS)
tests_unit_test_engine_hostile_LDADD = $(ENGINE_TEST_LIBS)
tests_unit_test_engine_writeback_SOURCES = tests/unit/test-engine-writeback.c $(ENGINE_TEST_UTIL)
tests_unit_test_engine_writeback_CPPFLAGS = $(ENGINE_TEST_CPPFLAGS)
tests_unit_test_engine_writeback_LDADD = $(ENGINE_TEST_LIBS)
