# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-tls.la
libhyper_tls_la_SOURCES = \
	src/tls/tls-pair.c \
	src/tls/tls-pair.h
TLS_LIBS = libhyper-tls.la $(GNUTLS_LIBS)
EXTRA_DIST += src/tls/README.md
