# SPDX-License-Identifier: LGPL-2.1-or-later

# What a job promises of its source and its output. These run the hyper-job of the build folder, too.
JOB_PROMISE_UTIL = tests/unit/job-front.h tests/unit/job-servers.h
UNIT_TESTS += tests/unit/test-job-identity tests/unit/test-job-complaint tests/unit/test-job-lock tests/unit/test-job-verify tests/unit/test-job-destination tests/unit/test-job-in-use tests/unit/test-job-device \
	tests/unit/test-job-file-system
tests_unit_test_job_identity_SOURCES = tests/unit/test-job-identity.c $(JOB_PROMISE_UTIL)
tests_unit_test_job_identity_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_identity_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_complaint_SOURCES = tests/unit/test-job-complaint.c $(JOB_PROMISE_UTIL)
tests_unit_test_job_complaint_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_complaint_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_lock_SOURCES = tests/unit/test-job-lock.c $(JOB_PROMISE_UTIL)
tests_unit_test_job_lock_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_lock_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_verify_SOURCES = tests/unit/test-job-verify.c $(JOB_PROMISE_UTIL)
tests_unit_test_job_verify_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_verify_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_destination_SOURCES = tests/unit/test-job-destination.c $(JOB_PROMISE_UTIL)
tests_unit_test_job_destination_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_destination_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_in_use_SOURCES = tests/unit/test-job-in-use.c $(JOB_PROMISE_UTIL)
tests_unit_test_job_in_use_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_in_use_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_device_SOURCES = tests/unit/test-job-device.c $(JOB_PROMISE_UTIL)
tests_unit_test_job_device_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_device_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_file_system_SOURCES = tests/unit/test-job-file-system.c $(JOB_PROMISE_UTIL)
tests_unit_test_job_file_system_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_file_system_LDADD = $(JOB_FRONT_LDADD)
