# SPDX-License-Identifier: LGPL-2.1-or-later

FUZZERS += tests/fuzz/fuzz-checkpoint tests/fuzz/fuzz-qcow2-resume
tests_fuzz_fuzz_checkpoint_SOURCES = tests/fuzz/fuzz-checkpoint.c $(FUZZ_MAIN)
tests_fuzz_fuzz_checkpoint_LDADD = libhyper-engine.la libhyper-basic.la
tests_fuzz_fuzz_checkpoint_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_qcow2_resume_SOURCES = tests/fuzz/fuzz-qcow2-resume.c $(FUZZ_MAIN)
tests_fuzz_fuzz_qcow2_resume_LDADD = libhyper-engine.la libhyper-basic.la
tests_fuzz_fuzz_qcow2_resume_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
