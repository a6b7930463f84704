# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-store.a
libhyper_store_a_SOURCES = \
	src/store/api-keys.c \
	src/store/api-keys.h \
	src/store/deliveries.c \
	src/store/deliveries.h \
	src/store/delivery-events.c \
	src/store/delivery-events.h \
	src/store/facts.c \
	src/store/facts.h \
	src/store/group.c \
	src/store/group.h \
	src/store/hosts.c \
	src/store/hosts.h \
	src/store/job-changes.c \
	src/store/job-changes.h \
	src/store/jobs-page.c \
	src/store/jobs-page.h \
	src/store/slurm-jobs.c \
	src/store/slurm-jobs.h \
	src/store/jobs-list.c \
	src/store/jobs-list.h \
	src/store/jobs.c \
	src/store/jobs.h \
	src/store/lease.h \
	src/store/limit-book.c \
	src/store/limit-book.h \
	src/store/limit-types.h \
	src/store/limit-waits.c \
	src/store/limit-waits.h \
	src/store/limits.c \
	src/store/limits.h \
	src/store/placement.c \
	src/store/placement.h \
	src/store/schedule-runs.c \
	src/store/schedule-runs.h \
	src/store/schedules.c \
	src/store/schedules.h \
	src/store/schema-hosts.c \
	src/store/schema-hosts.h \
	src/store/schema.c \
	src/store/schema.h \
	src/store/sessions.c \
	src/store/sessions.h \
	src/store/sources.c \
	src/store/sources.h \
	src/store/sql.c \
	src/store/sql.h \
	src/store/store.c \
	src/store/store.h \
	src/store/totals.c \
	src/store/totals.h \
	src/store/upload-json.c \
	src/store/upload-json.h \
	src/store/uploads.c \
	src/store/uploads.h \
	src/store/vsphere-totals.c \
	src/store/vsphere-totals.h \
	src/store/webhook-json.c \
	src/store/webhook-json.h \
	src/store/webhooks.c \
	src/store/webhooks.h \
	src/store/workers.c \
	src/store/workers.h
STORE_LIBS = libhyper-store.a $(SHARED_LIBS) $(SQLITE_LIBS)
EXTRA_DIST += src/store/README.md
