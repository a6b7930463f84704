# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-manager.la
libhyper_manager_la_SOURCES = \
	src/manager/attempt-end.c \
	src/manager/attempt-end.h \
	src/manager/attempt.c \
	src/manager/attempt.h \
	src/manager/boot-mark.c \
	src/manager/boot-mark.h \
	src/manager/caller.c \
	src/manager/caller.h \
	src/manager/commit-group.c \
	src/manager/commit-group.h \
	src/manager/credentials.c \
	src/manager/credentials.h \
	src/manager/executor-unit-list.c \
	src/manager/executor-unit-list.h \
	src/manager/executor-unit.c \
	src/manager/executor-unit.h \
	src/manager/executor-worker.c \
	src/manager/executor-worker.h \
	src/manager/executor.h \
	src/manager/executors.c \
	src/manager/executors.h \
	src/manager/idle.c \
	src/manager/idle.h \
	src/manager/job-bus.c \
	src/manager/job-bus.h \
	src/manager/job-cancel.c \
	src/manager/job-cancel.h \
	src/manager/job-directory.c \
	src/manager/job-directory.h \
	src/manager/job-files.c \
	src/manager/job-files.h \
	src/manager/job-index.c \
	src/manager/job-index.h \
	src/manager/job-json.c \
	src/manager/job-json.h \
	src/manager/job-paths.c \
	src/manager/job-paths.h \
	src/manager/job-retry.c \
	src/manager/job-retry.h \
	src/manager/job-signal.c \
	src/manager/job-signal.h \
	src/manager/job-user.c \
	src/manager/job-user.h \
	src/manager/job.c \
	src/manager/job.h \
	src/manager/journal-catchup.c \
	src/manager/journal-catchup.h \
	src/manager/key-bus.c \
	src/manager/key-bus.h \
	src/manager/key.c \
	src/manager/key.h \
	src/manager/lookup.c \
	src/manager/lookup.h \
	src/manager/manager-bus.c \
	src/manager/manager-bus.h \
	src/manager/manager-life.c \
	src/manager/manager-life.h \
	src/manager/manager-reload.c \
	src/manager/manager-reload.h \
	src/manager/manager.c \
	src/manager/manager.h \
	src/manager/path-missing.c \
	src/manager/path-missing.h \
	src/manager/path-rules.c \
	src/manager/path-rules.h \
	src/manager/progress.c \
	src/manager/progress.h \
	src/manager/queue-state.c \
	src/manager/queue-state.h \
	src/manager/queue.c \
	src/manager/queue.h \
	src/manager/restore.c \
	src/manager/restore.h \
	src/manager/schedule/cron-calendar.c \
	src/manager/schedule/cron-calendar.h \
	src/manager/schedule/cron.c \
	src/manager/schedule/cron.h \
	src/manager/schedule/schedule-bus.c \
	src/manager/schedule/schedule-bus.h \
	src/manager/schedule/schedule-definition.c \
	src/manager/schedule/schedule-definition.h \
	src/manager/schedule/schedule-run.c \
	src/manager/schedule/schedule-run.h \
	src/manager/schedule/schedule-signal.c \
	src/manager/schedule/schedule-signal.h \
	src/manager/schedule/schedule-timer.c \
	src/manager/schedule/schedule-timer.h \
	src/manager/schedule/schedule-times.c \
	src/manager/schedule/schedule-times.h \
	src/manager/schedule/schedule.c \
	src/manager/schedule/schedule.h \
	src/manager/source-chain.c \
	src/manager/source-chain.h \
	src/manager/source-ovf.c \
	src/manager/source-ovf.h \
	src/manager/source.c \
	src/manager/source.h \
	src/manager/source-bus.c \
	src/manager/source-bus.h \
	src/manager/submit-options.c \
	src/manager/submit-options.h \
	src/manager/submit.c \
	src/manager/submit.h \
	src/manager/unit-properties.c \
	src/manager/unit-properties.h \
	src/manager/webhook/outbox-bus.c \
	src/manager/webhook/outbox-bus.h \
	src/manager/webhook/outbox.c \
	src/manager/webhook/outbox.h \
	src/manager/webhook/webhook-bus.c \
	src/manager/webhook/webhook-bus.h \
	src/manager/webhook/webhook-credentials.c \
	src/manager/webhook/webhook-credentials.h \
	src/manager/webhook/webhook.c \
	src/manager/webhook/webhook.h \
	src/manager/worker/worker-bus.c \
	src/manager/worker/worker-bus.h \
	src/manager/worker/worker-local.c \
	src/manager/worker/worker-local.h \
	src/manager/worker/worker-report.c \
	src/manager/worker/worker-report.h \
	src/manager/worker/worker.c \
	src/manager/worker/worker.h \
	src/manager/worker/workers-list.c \
	src/manager/worker/workers-list.h
MANAGER_LIBS = libhyper-manager.la libhyper-store.la libhyper-image.la $(SHARED_LIBS) \
	$(SQLITE_LIBS) $(XML_LIBS) -lpthread

libexec_PROGRAMS += hyper-managerd
hyper_managerd_SOURCES = src/manager/managerd-main.c
hyper_managerd_LDADD = $(MANAGER_LIBS)
EXTRA_DIST += src/manager/README.md src/manager/schedule/README.md src/manager/webhook/README.md \
	src/manager/worker/README.md
