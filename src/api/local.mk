# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-api.la
libhyper_api_la_SOURCES = \
	src/api/access.c \
	src/api/access.h \
	src/api/api.c \
	src/api/api.h \
	src/api/api-private.h \
	src/api/cors.c \
	src/api/database.c \
	src/api/database.h \
	src/api/event-hub.c \
	src/api/event-hub.h \
	src/api/http-server.c \
	src/api/http-server.h \
	src/api/journal-position.c \
	src/api/journal-position.h \
	src/api/json-reply.c \
	src/api/manager-client.c \
	src/api/manager-client.h \
	src/api/metrics.c \
	src/api/metrics.h \
	src/api/origin.c \
	src/api/origin.h \
	src/api/peer.c \
	src/api/peer.h \
	src/api/query.c \
	src/api/queue-waiters.c \
	src/api/queue-waiters.h \
	src/api/rate-limit.c \
	src/api/rate-limit.h \
	src/api/reply-cache.c \
	src/api/reply-cache.h \
	src/api/request.c \
	src/api/request.h \
	src/api/request-park.c \
	src/api/request-private.h \
	src/api/role-cache.c \
	src/api/role-cache.h \
	src/api/router.c \
	src/api/router.h \
	src/api/socket-diag.c \
	src/api/socket-diag.h \
	src/api/sse.c \
	src/api/sse.h \
	src/api/sse-private.h \
	src/api/sse-stream.c \
	src/api/uri.c \
	src/api/uri.h \
	src/api/websocket.c \
	src/api/websocket.h \
	src/api/websocket-handshake.c \
	src/api/websocket-io.c \
	src/api/websocket-private.h \
	src/api/ws-codec.c \
	src/api/ws-codec.h \
	src/api/ws-message.c \
	src/api/ws-message.h
libhyper_api_la_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(MICROHTTPD_CFLAGS) $(JANSSON_CFLAGS) $(GNUTLS_CFLAGS)
libhyper_api_la_LIBADD = libhyper-store.la libhyper-shared.la libhyper-basic.la $(MICROHTTPD_LIBS) $(SYSTEMD_LIBS) \
	$(JANSSON_LIBS) $(GNUTLS_LIBS) $(WSLAY_LIBS)
EXTRA_DIST += src/api/README.md
include src/api/dialects.mk

libexec_PROGRAMS += hyper-apid
hyper_apid_SOURCES = src/api/apid-main.c
hyper_apid_CPPFLAGS = $(libhyper_api_la_CPPFLAGS)
hyper_apid_LDADD = libhyper-dialects.la libhyper-api.la
