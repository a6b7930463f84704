# SPDX-License-Identifier: LGPL-2.1-or-later

# Those from test-job-convert on run the hyper-job of the build folder with the real qemu-img, qemu-nbd and nbdkit.
UNIT_TESTS += tests/unit/test-job-tar tests/unit/test-job-ovf tests/unit/test-job-recognize tests/unit/test-job-image tests/unit/test-job-child \
	tests/unit/test-job-part-folder tests/unit/test-job-convert tests/unit/test-job-hostile tests/unit/test-job-nbd
UNIT_TESTS += tests/unit/test-job-map tests/unit/test-job-parallels
UNIT_TESTS += tests/unit/test-job-vmdk tests/unit/test-job-chain
tests_unit_test_job_chain_SOURCES = tests/unit/test-job-chain.c tests/unit/job-front.h
tests_unit_test_job_chain_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_chain_LDADD = $(JOB_FRONT_LDADD)
JOB_FRONT_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS) $(CRYPTO_CFLAGS)
JOB_FRONT_LDADD = libhyper-job.la $(CHECK_LIBS) $(CRYPTO_LIBS)

tests_unit_test_job_tar_SOURCES = tests/unit/test-job-tar.c tests/unit/job-front.h
tests_unit_test_job_tar_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_tar_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_ovf_SOURCES = tests/unit/test-job-ovf.c tests/unit/job-front.h
tests_unit_test_job_ovf_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_ovf_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_image_SOURCES = tests/unit/test-job-image.c tests/unit/job-front.h
tests_unit_test_job_image_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_image_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_child_SOURCES = tests/unit/test-job-child.c tests/unit/job-front.h
tests_unit_test_job_child_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_child_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_convert_SOURCES = tests/unit/test-job-convert.c tests/unit/job-front.h
tests_unit_test_job_convert_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_convert_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_vmdk_SOURCES = tests/unit/test-job-vmdk.c tests/unit/job-front.h
tests_unit_test_job_vmdk_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_vmdk_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_hostile_SOURCES = tests/unit/test-job-hostile.c tests/unit/job-front.h
tests_unit_test_job_hostile_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_hostile_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_part_folder_SOURCES = tests/unit/test-job-part-folder.c tests/unit/job-front.h
tests_unit_test_job_part_folder_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_part_folder_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_nbd_SOURCES = tests/unit/test-job-nbd.c tests/unit/job-front.h tests/unit/job-servers.h
tests_unit_test_job_nbd_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_nbd_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_map_SOURCES = tests/unit/test-job-map.c tests/unit/job-front.h
tests_unit_test_job_map_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_map_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_parallels_SOURCES = tests/unit/test-job-parallels.c tests/unit/job-front.h
tests_unit_test_job_parallels_CPPFLAGS = $(JOB_FRONT_CPPFLAGS)
tests_unit_test_job_parallels_LDADD = $(JOB_FRONT_LDADD)
tests_unit_test_job_recognize_SOURCES = tests/unit/test-job-recognize.c tests/unit/job-front.h
tests_unit_test_job_recognize_CPPFLAGS = $(JOB_FRONT_CPPFLAGS) $(ARCHIVE_CFLAGS)
tests_unit_test_job_recognize_LDADD = $(JOB_FRONT_LDADD) $(ARCHIVE_LIBS)
