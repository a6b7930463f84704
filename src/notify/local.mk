# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-notify.a
libhyper_notify_a_SOURCES = \
	src/notify/address.c \
	src/notify/address.h \
	src/notify/credential.c \
	src/notify/credential.h \
	src/notify/delivery-queue.c \
	src/notify/delivery-queue.h \
	src/notify/notifier.c \
	src/notify/notifier.h \
	src/notify/signature.c \
	src/notify/signature.h
NOTIFY_LIBS = libhyper-notify.a $(HTTP_LIBS) $(CRYPTO_LIBS)

libexec_PROGRAMS += hyper-notifyd
hyper_notifyd_SOURCES = src/notify/notify-main.c
hyper_notifyd_LDADD = $(NOTIFY_LIBS)
EXTRA_DIST += src/notify/README.md
