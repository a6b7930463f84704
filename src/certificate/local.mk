# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-certificate.a
libhyper_certificate_a_SOURCES = \
	src/certificate/self-signed.c \
	src/certificate/self-signed.h
CERTIFICATE_LIBS = libhyper-certificate.a $(TLS_LIBS) $(SHARED_LIBS)

libexec_PROGRAMS += hyper-certificate
hyper_certificate_SOURCES = src/certificate/certificate-main.c
hyper_certificate_LDADD = $(CERTIFICATE_LIBS)
EXTRA_DIST += src/certificate/README.md
