# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-store.la
libhyper_store_la_SOURCES = \
	src/store/api-keys.c \
	src/store/api-keys.h \
	src/store/deliveries.c \
	src/store/deliveries.h \
	src/store/facts.c \
	src/store/group.c \
	src/store/group.h \
	src/store/hosts.c \
	src/store/hosts.h \
	src/store/jobs-list.c \
	src/store/jobs.c \
	src/store/schedules.c \
	src/store/schedules.h \
	src/store/schema-hosts.c \
	src/store/schema.c \
	src/store/sql.c \
	src/store/sql.h \
	src/store/store.h \
	src/store/totals.c \
	src/store/totals.h \
	src/store/webhook-json.c \
	src/store/webhooks.c \
	src/store/webhooks.h \
	src/store/workers.c \
	src/store/workers.h
STORE_LIBS = libhyper-store.la $(SHARED_LIBS) $(SQLITE_LIBS)
EXTRA_DIST += src/store/README.md
