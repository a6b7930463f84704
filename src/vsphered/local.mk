# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-vsphered.a
libhyper_vsphered_a_SOURCES = \
	src/vsphered/call.c \
	src/vsphered/call.h \
	src/vsphered/login.c \
	src/vsphered/login.h \
	src/vsphered/methods.c \
	src/vsphered/methods.h \
	src/vsphered/server.c \
	src/vsphered/server.h \
	src/vsphered/session-store.c \
	src/vsphered/session-store.h \
	src/vsphered/state.h \
	src/vsphered/vm-cursor.c \
	src/vsphered/vm-cursor.h \
	src/vsphered/vm-json.c \
	src/vsphered/vm-json.h \
	src/vsphered/vm-list.c \
	src/vsphered/vm-list.h \
	src/vsphered/vm-listing.c \
	src/vsphered/vm-listing.h \
	src/vsphered/vsphered.c \
	src/vsphered/vsphered.h
VSPHERED_LIBS = libhyper-vsphered.a $(VSPHERE_LIBS) -lpthread

libexec_PROGRAMS += hyper-vsphered
hyper_vsphered_SOURCES = src/vsphered/vsphered-main.c
hyper_vsphered_LDADD = $(VSPHERED_LIBS)
EXTRA_DIST += src/vsphered/README.md
