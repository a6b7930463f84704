# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Fuzzers, one per decoder. A fuzzer is a file with LLVMFuzzerTestOneInput() and a folder tests/fuzz/corpus/<name>/ of
# inputs. Plainly built it replays its corpus, which is a test of make check; with configure --enable-fuzzers CC=clang
# it searches. Each area lists its own:
#
#   FUZZERS += tests/fuzz/fuzz-job-spec
#   tests_fuzz_fuzz_job_spec_SOURCES = tests/fuzz/fuzz-job-spec.c $(FUZZ_MAIN)
#   tests_fuzz_fuzz_job_spec_LDADD = libhyper-shared.la …
#   tests_fuzz_fuzz_job_spec_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

if ENABLE_FUZZERS
FUZZ_MAIN =
else
FUZZ_MAIN = tests/fuzz/replay.c
endif

include tests/fuzz/basic.mk
include tests/fuzz/shared.mk
include tests/fuzz/store.mk
include tests/fuzz/manager.mk
include tests/fuzz/api.mk
include tests/fuzz/job.mk
include tests/fuzz/hosts.mk
include tests/fuzz/agent.mk
include tests/fuzz/ctl.mk

check_PROGRAMS += $(FUZZERS)
if !ENABLE_FUZZERS
TESTS += $(FUZZERS)
endif
EXTRA_DIST += tests/fuzz/replay.c tests/fuzz/README.md tests/fuzz/corpus
AM_TESTS_ENVIRONMENT = srcdir='$(srcdir)'; export srcdir;
