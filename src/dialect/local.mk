# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-dialect.a
libhyper_dialect_a_SOURCES = \
	src/dialect/carbon-json.c \
	src/dialect/carbon-json.h \
	src/dialect/carbon-metadata.c \
	src/dialect/carbon-metadata.h \
	src/dialect/dialect-complete.c \
	src/dialect/dialect-complete.h \
	src/dialect/dialect-job.c \
	src/dialect/dialect-job.h \
	src/dialect/worker-job.c \
	src/dialect/worker-job.h \
	src/dialect/worker-message.c \
	src/dialect/worker-message.h
DIALECT_LIBS = libhyper-dialect.a $(JOURNAL_LIBS)
EXTRA_DIST += src/dialect/README.md
