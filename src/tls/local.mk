# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-tls.a
libhyper_tls_a_SOURCES = \
	src/tls/tls-pair.c \
	src/tls/tls-pair.h
TLS_LIBS = libhyper-tls.a $(GNUTLS_LIBS)
EXTRA_DIST += src/tls/README.md
