# SPDX-License-Identifier: LGPL-2.1-or-later

UNIT_TESTS += tests/unit/test-dialect-jobs tests/unit/test-dialect-json tests/unit/test-dialect-routes
tests_unit_test_dialect_jobs_SOURCES = tests/unit/test-dialect-jobs.c
tests_unit_test_dialect_jobs_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_dialect_jobs_LDADD = libhyper-dialects.la $(CHECK_LIBS)
tests_unit_test_dialect_json_SOURCES = tests/unit/test-dialect-json.c
tests_unit_test_dialect_json_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_test_dialect_json_LDADD = libhyper-dialects.la $(CHECK_LIBS)
tests_unit_test_dialect_routes_SOURCES = tests/unit/test-dialect-routes.c tests/unit/api-test.c tests/unit/api-test.h
tests_unit_test_dialect_routes_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS) \
	$(MICROHTTPD_CFLAGS)
tests_unit_test_dialect_routes_LDADD = libhyper-dialects.la libhyper-api.la $(CHECK_LIBS)
UNIT_TESTS += tests/unit/test-dialect-schedules
tests_unit_test_dialect_schedules_SOURCES = tests/unit/test-dialect-schedules.c
tests_unit_test_dialect_schedules_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_test_dialect_schedules_LDADD = libhyper-dialects.la $(CHECK_LIBS)
EXTRA_DIST += \
	tests/unit/data/hypersdk-bad-jobs.json \
	tests/unit/data/hypersdk-jobs.json \
	tests/unit/data/worker-bad-jobs.json \
	tests/unit/data/worker-jobs.json

UNIT_TESTS += tests/unit/test-hypersdk-ws
tests_unit_test_hypersdk_ws_SOURCES = tests/unit/test-hypersdk-ws.c tests/unit/api-test.c tests/unit/api-test.h \
	tests/unit/journal-writer.c tests/unit/journal-writer.h tests/unit/ws-client.c tests/unit/ws-client.h \
	tests/unit/ws-frames.c tests/unit/ws-frames.h
tests_unit_test_hypersdk_ws_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS) \
	$(MICROHTTPD_CFLAGS)
tests_unit_test_hypersdk_ws_LDADD = libhyper-dialects.la libhyper-api.la $(CHECK_LIBS)

# The API's own documentation, also to a public validator
UNIT_TESTS += tests/unit/test-openapi
tests_unit_test_openapi_SOURCES = tests/unit/test-openapi.c
tests_unit_test_openapi_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_test_openapi_LDADD = libhyper-dialects.la libhyper-api.la $(CHECK_LIBS)
check_PROGRAMS += tests/unit/openapi/print-openapi
tests_unit_openapi_print_openapi_SOURCES = tests/unit/openapi/print-openapi.c
tests_unit_openapi_print_openapi_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_openapi_print_openapi_LDADD = libhyper-dialects.la libhyper-api.la
TESTS += tests/unit/openapi/check-openapi
EXTRA_DIST += tests/unit/openapi/check-openapi tests/unit/openapi/validate.go
UNIT_TESTS += tests/unit/test-worker-pages
tests_unit_test_worker_pages_SOURCES = tests/unit/test-worker-pages.c tests/unit/api-test.c tests/unit/api-test.h
tests_unit_test_worker_pages_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS) \
	$(MICROHTTPD_CFLAGS)
tests_unit_test_worker_pages_LDADD = libhyper-dialects.la libhyper-api.la $(CHECK_LIBS)
