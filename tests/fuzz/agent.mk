# SPDX-License-Identifier: LGPL-2.1-or-later

FUZZERS += tests/fuzz/fuzz-agent-settings tests/fuzz/fuzz-agent-answer tests/fuzz/fuzz-agent-files
tests_fuzz_fuzz_agent_settings_SOURCES = tests/fuzz/fuzz-agent-settings.c $(FUZZ_MAIN)
tests_fuzz_fuzz_agent_settings_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_agent_settings_LDADD = libhyper-agent.la
tests_fuzz_fuzz_agent_settings_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_agent_answer_SOURCES = tests/fuzz/fuzz-agent-answer.c $(FUZZ_MAIN)
tests_fuzz_fuzz_agent_answer_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_agent_answer_LDADD = libhyper-agent.la
tests_fuzz_fuzz_agent_answer_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_agent_files_SOURCES = tests/fuzz/fuzz-agent-files.c $(FUZZ_MAIN)
tests_fuzz_fuzz_agent_files_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_agent_files_LDADD = libhyper-agent.la
tests_fuzz_fuzz_agent_files_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
