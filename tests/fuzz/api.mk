# SPDX-License-Identifier: LGPL-2.1-or-later
include tests/fuzz/api-dialects.mk

FUZZERS += tests/fuzz/fuzz-ws-codec
tests_fuzz_fuzz_ws_codec_SOURCES = tests/fuzz/fuzz-ws-codec.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ws_codec_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_ws_codec_LDADD = libhyper-api.la
tests_fuzz_fuzz_ws_codec_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-request
tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz-request.c $(FUZZ_MAIN)
tests_fuzz_fuzz_request_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
tests_fuzz_fuzz_request_LDADD = libhyper-dialects.la libhyper-api.la
tests_fuzz_fuzz_request_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-socket-diag
tests_fuzz_fuzz_socket_diag_SOURCES = tests/fuzz/fuzz-socket-diag.c $(FUZZ_MAIN)
tests_fuzz_fuzz_socket_diag_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_socket_diag_LDADD = libhyper-api.la
tests_fuzz_fuzz_socket_diag_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
