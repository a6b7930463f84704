# SPDX-License-Identifier: LGPL-2.1-or-later

FUZZERS += tests/fuzz/fuzz-tar tests/fuzz/fuzz-ovf tests/fuzz/fuzz-image-info tests/fuzz/fuzz-map \
	tests/fuzz/fuzz-parallels tests/fuzz/fuzz-sight tests/fuzz/fuzz-extract
FUZZERS += tests/fuzz/fuzz-complaint
JOB_FUZZ_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)

tests_fuzz_fuzz_tar_SOURCES = tests/fuzz/fuzz-tar.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tar_CPPFLAGS = $(JOB_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_tar_LDADD = libhyper-job.la
tests_fuzz_fuzz_tar_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_ovf_SOURCES = tests/fuzz/fuzz-ovf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ovf_CPPFLAGS = $(JOB_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_ovf_LDADD = libhyper-job.la
tests_fuzz_fuzz_ovf_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_image_info_SOURCES = tests/fuzz/fuzz-image-info.c $(FUZZ_MAIN)
tests_fuzz_fuzz_image_info_CPPFLAGS = $(JOB_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_image_info_LDADD = libhyper-job.la
tests_fuzz_fuzz_image_info_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_map_SOURCES = tests/fuzz/fuzz-map.c $(FUZZ_MAIN)
tests_fuzz_fuzz_map_CPPFLAGS = $(JOB_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_map_LDADD = libhyper-job.la
tests_fuzz_fuzz_map_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_parallels_SOURCES = tests/fuzz/fuzz-parallels.c $(FUZZ_MAIN)
tests_fuzz_fuzz_parallels_CPPFLAGS = $(JOB_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_parallels_LDADD = libhyper-job.la
tests_fuzz_fuzz_parallels_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_complaint_SOURCES = tests/fuzz/fuzz-complaint.c $(FUZZ_MAIN)
tests_fuzz_fuzz_complaint_CPPFLAGS = $(JOB_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_complaint_LDADD = libhyper-job.la
tests_fuzz_fuzz_complaint_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-layer-map
tests_fuzz_fuzz_layer_map_SOURCES = tests/fuzz/fuzz-layer-map.c $(FUZZ_MAIN)
tests_fuzz_fuzz_layer_map_CPPFLAGS = $(JOB_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_layer_map_LDADD = libhyper-job.la
tests_fuzz_fuzz_layer_map_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_sight_SOURCES = tests/fuzz/fuzz-sight.c $(FUZZ_MAIN)
tests_fuzz_fuzz_sight_CPPFLAGS = $(JOB_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_sight_LDADD = libhyper-job.la
tests_fuzz_fuzz_sight_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_extract_SOURCES = tests/fuzz/fuzz-extract.c $(FUZZ_MAIN)
tests_fuzz_fuzz_extract_CPPFLAGS = $(JOB_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_extract_LDADD = libhyper-job.la
tests_fuzz_fuzz_extract_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
