# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-manager.la
libhyper_manager_la_SOURCES = \
	src/manager/attempt.c \
	src/manager/attempt.h \
	src/manager/caller.c \
	src/manager/caller.h \
	src/manager/credentials.c \
	src/manager/credentials.h \
	src/manager/idle.c \
	src/manager/job-bus.c \
	src/manager/job-folder.c \
	src/manager/job-places.c \
	src/manager/job-places.h \
	src/manager/job-folder.h \
	src/manager/job-json.c \
	src/manager/job-retry.c \
	src/manager/job-retry.h \
	src/manager/job-unit.c \
	src/manager/job-user.c \
	src/manager/job-user.h \
	src/manager/job.c \
	src/manager/job.h \
	src/manager/key-bus.c \
	src/manager/key.c \
	src/manager/key.h \
	src/manager/lookup.c \
	src/manager/lookup.h \
	src/manager/manager-bus.c \
	src/manager/manager.c \
	src/manager/manager.h \
	src/manager/outbox-bus.c \
	src/manager/outbox.c \
	src/manager/path-rules.c \
	src/manager/path-rules.h \
	src/manager/progress.c \
	src/manager/queue.c \
	src/manager/reconcile.c \
	src/manager/restore.c \
	src/manager/restore.h \
	src/manager/retell.c \
	src/manager/schedule.c \
	src/manager/schedule-bus.c \
	src/manager/schedule-definition.c \
	src/manager/schedule-definition.h \
	src/manager/schedule-run.c \
	src/manager/schedule-timer.c \
	src/manager/settle.c \
	src/manager/source-chain.c \
	src/manager/source-chain.h \
	src/manager/source-files.c \
	src/manager/source-files.h \
	src/manager/source-ovf.c \
	src/manager/source-ovf.h \
	src/manager/submit-options.c \
	src/manager/submit.c \
	src/manager/unit-properties.c \
	src/manager/unit-properties.h \
	src/manager/webhook-bus.c \
	src/manager/worker-bus.c \
	src/manager/worker-lease.c \
	src/manager/worker-report.c \
	src/manager/worker.c \
	src/manager/webhook-credentials.c \
	src/manager/webhook-credentials.h \
	src/manager/webhook.c \
	src/manager/webhook.h
libhyper_manager_la_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS) $(NETTLE_CFLAGS)
libhyper_manager_la_LIBADD = libhyper-store.la libhyper-shared.la libhyper-basic.la $(SYSTEMD_LIBS) $(JANSSON_LIBS) \
	$(NETTLE_LIBS) -lpthread

libexec_PROGRAMS += hyper-managerd
hyper_managerd_SOURCES = src/manager/managerd-main.c
hyper_managerd_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
hyper_managerd_LDADD = libhyper-manager.la

EXTRA_DIST += src/manager/README.md
