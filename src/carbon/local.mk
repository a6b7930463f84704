# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-carbon.a
libhyper_carbon_a_SOURCES = \
	src/carbon/carbon-answer.c \
	src/carbon/carbon-answer.h \
	src/carbon/carbon-cache.c \
	src/carbon/carbon-cache.h \
	src/carbon/carbon-fetch.c \
	src/carbon/carbon-fetch.h \
	src/carbon/carbon-source.c \
	src/carbon/carbon-source.h \
	src/carbon/carbond.c \
	src/carbon/carbond.h
CARBON_LIBS = libhyper-carbon.a $(HTTP_LIBS)

libexec_PROGRAMS += hyper-carbond
hyper_carbond_SOURCES = src/carbon/carbond-main.c
hyper_carbond_LDADD = $(CARBON_LIBS)
EXTRA_DIST += src/carbon/README.md
