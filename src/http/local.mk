# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-http.a
libhyper_http_a_SOURCES = \
	src/http/content-range.c \
	src/http/content-range.h \
	src/http/http-client.c \
	src/http/http-client.h \
	src/http/tls-trust.c \
	src/http/tls-trust.h
HTTP_LIBS = libhyper-http.a $(SHARED_LIBS) $(CURL_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)
EXTRA_DIST += src/http/README.md
