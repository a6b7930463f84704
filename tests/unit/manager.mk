# SPDX-License-Identifier: LGPL-2.1-or-later

UNIT_TESTS += tests/unit/test-manager-attempt tests/unit/test-manager-files tests/unit/test-manager-unit \
	tests/unit/test-manager-jobs tests/unit/test-manager-bus tests/unit/test-manager-restart
UNIT_TESTS += tests/unit/test-manager-changes
UNIT_TESTS += tests/unit/test-manager-webhooks tests/unit/test-manager-schedules \
	tests/unit/test-manager-workers tests/unit/test-manager-workers-model
MANAGER_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS) $(XML_CFLAGS)
MANAGER_TEST_LDADD = libhyper-manager.la $(SYSTEMD_LIBS) $(JANSSON_LIBS) $(CHECK_LIBS)
MANAGER_BUS_SOURCES = tests/unit/manager-test.c tests/unit/manager-test.h $(PRIVATE_BUS_SOURCES)

tests_unit_test_manager_attempt_SOURCES = tests/unit/test-manager-attempt.c
tests_unit_test_manager_attempt_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_attempt_LDADD = $(MANAGER_TEST_LDADD)
UNIT_TESTS += tests/unit/test-manager-chain
tests_unit_test_manager_chain_SOURCES = tests/unit/test-manager-chain.c
tests_unit_test_manager_chain_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_chain_LDADD = $(MANAGER_TEST_LDADD)
tests_unit_test_manager_files_SOURCES = tests/unit/test-manager-files.c
tests_unit_test_manager_files_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_files_LDADD = $(MANAGER_TEST_LDADD)
tests_unit_test_manager_unit_SOURCES = tests/unit/test-manager-unit.c
tests_unit_test_manager_unit_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_unit_LDADD = $(MANAGER_TEST_LDADD)
tests_unit_test_manager_jobs_SOURCES = tests/unit/test-manager-jobs.c $(MANAGER_BUS_SOURCES)
tests_unit_test_manager_jobs_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_jobs_LDADD = $(MANAGER_TEST_LDADD)
tests_unit_test_manager_workers_SOURCES = tests/unit/test-manager-workers.c $(MANAGER_BUS_SOURCES)
tests_unit_test_manager_workers_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_workers_LDADD = $(MANAGER_TEST_LDADD)
tests_unit_test_manager_workers_model_SOURCES = tests/unit/test-manager-workers-model.c $(MANAGER_BUS_SOURCES)
tests_unit_test_manager_workers_model_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_workers_model_LDADD = $(MANAGER_TEST_LDADD)
tests_unit_test_manager_bus_SOURCES = tests/unit/test-manager-bus.c $(MANAGER_BUS_SOURCES) $(INTROSPECTION_SOURCES)
tests_unit_test_manager_bus_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_bus_LDADD = $(MANAGER_TEST_LDADD) $(XML_LIBS)
tests_unit_test_manager_changes_SOURCES = tests/unit/test-manager-changes.c tests/unit/journal-writer.c \
	tests/unit/journal-writer.h $(MANAGER_BUS_SOURCES)
tests_unit_test_manager_changes_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_changes_LDADD = $(MANAGER_TEST_LDADD)
tests_unit_test_manager_restart_SOURCES = tests/unit/test-manager-restart.c $(MANAGER_BUS_SOURCES)
tests_unit_test_manager_restart_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_restart_LDADD = $(MANAGER_TEST_LDADD)
tests_unit_test_manager_webhooks_SOURCES = tests/unit/test-manager-webhooks.c $(MANAGER_BUS_SOURCES)
tests_unit_test_manager_webhooks_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_webhooks_LDADD = $(MANAGER_TEST_LDADD)
tests_unit_test_manager_schedules_SOURCES = tests/unit/test-manager-schedules.c $(MANAGER_BUS_SOURCES)
tests_unit_test_manager_schedules_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_schedules_LDADD = $(MANAGER_TEST_LDADD)
UNIT_TESTS += tests/unit/test-dequeue-wait
tests_unit_test_dequeue_wait_SOURCES = tests/unit/test-dequeue-wait.c tests/unit/api-test.c tests/unit/api-test.h \
	$(MANAGER_BUS_SOURCES)
tests_unit_test_dequeue_wait_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS) $(MICROHTTPD_CFLAGS)
tests_unit_test_dequeue_wait_LDADD = libhyper-dialects.la libhyper-api.la $(MANAGER_TEST_LDADD)

UNIT_TESTS += tests/unit/test-manager-lookup
tests_unit_test_manager_lookup_SOURCES = tests/unit/test-manager-lookup.c $(MANAGER_BUS_SOURCES)
tests_unit_test_manager_lookup_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_lookup_LDADD = $(MANAGER_TEST_LDADD) -lpthread

UNIT_TESTS += tests/unit/test-manager-caller
tests_unit_test_manager_caller_SOURCES = tests/unit/test-manager-caller.c
tests_unit_test_manager_caller_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_caller_LDADD = $(MANAGER_TEST_LDADD)

UNIT_TESTS += tests/unit/test-manager-keys
tests_unit_test_manager_keys_SOURCES = tests/unit/test-manager-keys.c $(MANAGER_BUS_SOURCES)
tests_unit_test_manager_keys_CPPFLAGS = $(MANAGER_TEST_CPPFLAGS)
tests_unit_test_manager_keys_LDADD = $(MANAGER_TEST_LDADD)
