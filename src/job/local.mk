# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-engine.la
libhyper_engine_la_SOURCES = \
	src/job/checkpoint.c \
	src/job/checkpoint.h \
	src/job/compare.c \
	src/job/compare.h \
	src/job/copy.c \
	src/job/copy.h \
	src/job/endpoint-nbd.c \
	src/job/endpoint-null.c \
	src/job/endpoint-qcow2.c \
	src/job/endpoint-raw.c \
	src/job/endpoint.c \
	src/job/endpoint.h \
	src/job/extent-cursor.c \
	src/job/extent-cursor.h \
	src/job/nbd-connect.c \
	src/job/nbd-connect.h \
	src/job/part.c \
	src/job/pool.c \
	src/job/pool.h \
	src/job/qcow2-layout.c \
	src/job/qcow2-layout.h \
	src/job/qcow2-map.c \
	src/job/qcow2-map.h \
	src/job/qcow2-refcount.c \
	src/job/qcow2-refcount.h \
	src/job/rate.h \
	src/job/zero.h
libhyper_engine_la_CFLAGS = $(AM_CFLAGS) $(NBD_CFLAGS) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS) -pthread
libhyper_engine_la_LIBADD = libhyper-basic.la $(NBD_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) -lpthread
