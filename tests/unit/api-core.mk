# SPDX-License-Identifier: LGPL-2.1-or-later

UNIT_TESTS += tests/unit/test-api-parse tests/unit/test-api-http
API_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(SYSTEMD_CFLAGS) $(MICROHTTPD_CFLAGS) $(JANSSON_CFLAGS)
API_TEST_LDADD = libhyper-api.la $(JANSSON_LIBS) $(SYSTEMD_LIBS) $(CHECK_LIBS)

tests_unit_test_api_parse_SOURCES = tests/unit/test-api-parse.c
tests_unit_test_api_parse_CPPFLAGS = $(API_TEST_CPPFLAGS)
tests_unit_test_api_parse_LDADD = $(API_TEST_LDADD)
tests_unit_test_api_http_SOURCES = tests/unit/test-api-http.c tests/unit/api-test.c tests/unit/api-test.h
tests_unit_test_api_http_CPPFLAGS = $(API_TEST_CPPFLAGS)
tests_unit_test_api_http_LDADD = $(API_TEST_LDADD)

UNIT_TESTS += tests/unit/test-api-sse
tests_unit_test_api_sse_SOURCES = tests/unit/test-api-sse.c tests/unit/api-test.c tests/unit/api-test.h \
	tests/unit/journal-writer.c tests/unit/journal-writer.h
tests_unit_test_api_sse_CPPFLAGS = $(API_TEST_CPPFLAGS)
tests_unit_test_api_sse_LDADD = $(API_TEST_LDADD)

UNIT_TESTS += tests/unit/test-api-reply-cache
tests_unit_test_api_reply_cache_SOURCES = tests/unit/test-api-reply-cache.c
tests_unit_test_api_reply_cache_CPPFLAGS = $(API_TEST_CPPFLAGS)
tests_unit_test_api_reply_cache_LDADD = $(API_TEST_LDADD)

UNIT_TESTS += tests/unit/test-api-metrics
tests_unit_test_api_metrics_SOURCES = tests/unit/test-api-metrics.c
tests_unit_test_api_metrics_CPPFLAGS = $(API_TEST_CPPFLAGS)
tests_unit_test_api_metrics_LDADD = $(API_TEST_LDADD)

UNIT_TESTS += tests/unit/test-api-ws-codec
tests_unit_test_api_ws_codec_SOURCES = tests/unit/test-api-ws-codec.c tests/unit/ws-frames.c tests/unit/ws-frames.h
tests_unit_test_api_ws_codec_CPPFLAGS = $(API_TEST_CPPFLAGS)
tests_unit_test_api_ws_codec_LDADD = $(API_TEST_LDADD)

UNIT_TESTS += tests/unit/test-api-websocket
tests_unit_test_api_websocket_SOURCES = tests/unit/test-api-websocket.c tests/unit/api-test.c tests/unit/api-test.h \
	tests/unit/ws-client.c tests/unit/ws-client.h tests/unit/ws-frames.c tests/unit/ws-frames.h
tests_unit_test_api_websocket_CPPFLAGS = $(API_TEST_CPPFLAGS)
tests_unit_test_api_websocket_LDADD = $(API_TEST_LDADD)

UNIT_TESTS += tests/unit/test-api-rate-limit
tests_unit_test_api_rate_limit_SOURCES = tests/unit/test-api-rate-limit.c
tests_unit_test_api_rate_limit_CPPFLAGS = $(API_TEST_CPPFLAGS)
tests_unit_test_api_rate_limit_LDADD = $(API_TEST_LDADD)

UNIT_TESTS += tests/unit/test-api-access
tests_unit_test_api_access_SOURCES = tests/unit/test-api-access.c tests/unit/api-test.c tests/unit/api-test.h
tests_unit_test_api_access_CPPFLAGS = $(API_TEST_CPPFLAGS)
tests_unit_test_api_access_LDADD = $(API_TEST_LDADD)

UNIT_TESTS += tests/unit/test-api-peer
tests_unit_test_api_peer_SOURCES = tests/unit/test-api-peer.c
tests_unit_test_api_peer_CPPFLAGS = $(API_TEST_CPPFLAGS)
tests_unit_test_api_peer_LDADD = $(API_TEST_LDADD)
