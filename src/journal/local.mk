# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-journal.a
libhyper_journal_a_SOURCES = \
	src/journal/job-event.c \
	src/journal/job-event.h \
	src/journal/journal-audit.c \
	src/journal/journal-audit.h \
	src/journal/journal-batch.c \
	src/journal/journal-batch.h \
	src/journal/journal-follow.c \
	src/journal/journal-follow.h \
	src/journal/journal-log.c \
	src/journal/journal-log.h \
	src/journal/journal-open.c \
	src/journal/journal-open.h \
	src/journal/journal-read.c \
	src/journal/journal-read.h \
	src/journal/journal-sync.c \
	src/journal/journal-sync.h \
	src/journal/schedule-event.c \
	src/journal/schedule-event.h
JOURNAL_LIBS = libhyper-journal.a $(SPEC_LIBS) $(SYSTEMD_LIBS)
EXTRA_DIST += src/journal/README.md
