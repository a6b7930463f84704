# SPDX-License-Identifier: LGPL-2.1-or-later

FUZZERS += tests/fuzz/fuzz-submit-options
tests_fuzz_fuzz_submit_options_SOURCES = tests/fuzz/fuzz-submit-options.c $(FUZZ_MAIN)
tests_fuzz_fuzz_submit_options_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_submit_options_LDADD = libhyper-manager.la $(SYSTEMD_LIBS) $(JANSSON_LIBS)
tests_fuzz_fuzz_submit_options_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-schedule-definition
tests_fuzz_fuzz_schedule_definition_SOURCES = tests/fuzz/fuzz-schedule-definition.c $(FUZZ_MAIN)
tests_fuzz_fuzz_schedule_definition_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_schedule_definition_LDADD = libhyper-manager.la $(SYSTEMD_LIBS) $(JANSSON_LIBS)
tests_fuzz_fuzz_schedule_definition_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-key-definition
tests_fuzz_fuzz_key_definition_SOURCES = tests/fuzz/fuzz-key-definition.c $(FUZZ_MAIN)
tests_fuzz_fuzz_key_definition_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_key_definition_LDADD = libhyper-manager.la $(SYSTEMD_LIBS) $(JANSSON_LIBS)
tests_fuzz_fuzz_key_definition_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
