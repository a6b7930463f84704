# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-engine.la
libhyper_engine_la_SOURCES = \
	src/job/checkpoint.h \
	src/job/compare.h \
	src/job/copy.h \
	src/job/endpoint.c \
	src/job/endpoint.h
libhyper_engine_la_CFLAGS = $(AM_CFLAGS) $(NBD_CFLAGS) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS) -pthread
libhyper_engine_la_LIBADD = libhyper-basic.la $(NBD_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) -lpthread
