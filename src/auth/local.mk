# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-auth.a
libhyper_auth_a_SOURCES = \
	src/auth/auth.c \
	src/auth/auth.h \
	src/auth/pam-check.c \
	src/auth/pam-check.h
AUTH_LIBS = libhyper-auth.a $(SHARED_LIBS) $(PAM_LIBS)

libexec_PROGRAMS += hyper-auth
hyper_auth_SOURCES = src/auth/auth-main.c
hyper_auth_LDADD = $(AUTH_LIBS)
EXTRA_DIST += src/auth/README.md

# The PAM service, which the administrator may change
pamdir = $(sysconfdir)/pam.d
dist_pam_DATA = src/auth/hyper
