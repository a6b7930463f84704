# SPDX-License-Identifier: LGPL-2.1-or-later

JOB_FRONT_TESTS = tests/unit/test-job-tar tests/unit/test-job-ovf
UNIT_TESTS += $(JOB_FRONT_TESTS)
JOB_FRONT_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
JOB_FRONT_LDADD = libhyper-job.la $(CHECK_LIBS)

tests_unit_test_job_tar_SOURCES = tests/unit/test-job-tar.c tests/unit/job-front.h
tests_unit_test_job_tar_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_tar_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_ovf_SOURCES = tests/unit/test-job-ovf.c tests/unit/job-front.h
tests_unit_test_job_ovf_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_ovf_LDADD = $(JOB_FRONT_LDADD)
