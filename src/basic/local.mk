# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-basic.a
libhyper_basic_a_SOURCES = \
	src/basic/byte-order.h \
	src/basic/fd-util.c \
	src/basic/fd-util.h \
	src/basic/kvm.c \
	src/basic/kvm.h \
	src/basic/log.c \
	src/basic/log.h \
	src/basic/macro.h \
	src/basic/parse-util.c \
	src/basic/parse-util.h \
	src/basic/prioq.c \
	src/basic/prioq.h \
	src/basic/rights.c \
	src/basic/rights.h \
	src/basic/safe-open.c \
	src/basic/safe-open.h \
	src/basic/string-util.c \
	src/basic/string-util.h \
	src/basic/time-util.c \
	src/basic/time-util.h \
	src/basic/utf16.c \
	src/basic/utf16.h \
	src/basic/utf8.c \
	src/basic/utf8.h \
	src/basic/zero.h
BASIC_LIBS = libhyper-basic.a
EXTRA_DIST += src/README.md src/basic/README.md
