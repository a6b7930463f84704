# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-notify.la
libhyper_notify_la_SOURCES = \
	src/notify/address.c \
	src/notify/address.h \
	src/notify/credential.c \
	src/notify/credential.h \
	src/notify/lane.c \
	src/notify/lane.h \
	src/notify/notifier.c \
	src/notify/notifier.h \
	src/notify/signature.c \
	src/notify/signature.h
libhyper_notify_la_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS) $(CRYPTO_CFLAGS)
libhyper_notify_la_LIBADD = libhyper-http.la libhyper-shared.la libhyper-basic.la $(SYSTEMD_LIBS) $(JANSSON_LIBS) $(CURL_LIBS) $(CRYPTO_LIBS)

libexec_PROGRAMS += hyper-notifyd
hyper_notifyd_SOURCES = src/notify/notify-main.c
hyper_notifyd_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS)
hyper_notifyd_LDADD = libhyper-notify.la

EXTRA_DIST += src/notify/README.md
