# SPDX-License-Identifier: LGPL-2.1-or-later

UNIT_TESTS += tests/unit/test-store
tests_unit_test_store_SOURCES = tests/unit/test-store.c
tests_unit_test_store_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_LDADD = libhyper-store.la $(CHECK_LIBS)

UNIT_TESTS += tests/unit/test-store-hosts
tests_unit_test_store_hosts_SOURCES = tests/unit/test-store-hosts.c
tests_unit_test_store_hosts_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_hosts_LDADD = libhyper-store.la $(CHECK_LIBS)

UNIT_TESTS += tests/unit/test-store-webhooks
tests_unit_test_store_webhooks_SOURCES = tests/unit/test-store-webhooks.c
tests_unit_test_store_webhooks_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_store_webhooks_LDADD = libhyper-store.la $(CHECK_LIBS) $(JANSSON_LIBS)

UNIT_TESTS += tests/unit/test-store-workers
tests_unit_test_store_workers_SOURCES = tests/unit/test-store-workers.c
tests_unit_test_store_workers_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_store_workers_LDADD = libhyper-store.la $(CHECK_LIBS) $(SQLITE_LIBS)

UNIT_TESTS += tests/unit/test-store-api-keys
tests_unit_test_store_api_keys_SOURCES = tests/unit/test-store-api-keys.c
tests_unit_test_store_api_keys_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_api_keys_LDADD = libhyper-store.la $(CHECK_LIBS) $(SQLITE_LIBS)
