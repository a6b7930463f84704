# SPDX-License-Identifier: LGPL-2.1-or-later

FUZZERS += tests/fuzz/fuzz-hypersdk tests/fuzz/fuzz-worker-job
tests_fuzz_fuzz_hypersdk_SOURCES = tests/fuzz/fuzz-hypersdk.c $(FUZZ_MAIN)
tests_fuzz_fuzz_hypersdk_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_hypersdk_LDADD = libhyper-dialects.la
tests_fuzz_fuzz_hypersdk_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_worker_job_SOURCES = tests/fuzz/fuzz-worker-job.c $(FUZZ_MAIN)
tests_fuzz_fuzz_worker_job_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_worker_job_LDADD = libhyper-dialects.la
tests_fuzz_fuzz_worker_job_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
