# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-job.la
libhyper_job_la_SOURCES = \
	src/job/bound.c \
	src/job/bound.h \
	src/job/chain.c \
	src/job/chain.h \
	src/job/child.c \
	src/job/child.h \
	src/job/complaint.c \
	src/job/complaint.h \
	src/job/connection.c \
	src/job/convert.c \
	src/job/convert.h \
	src/job/device.c \
	src/job/device.h \
	src/job/finish.c \
	src/job/helper.c \
	src/job/helper.h \
	src/job/identity.c \
	src/job/identity.h \
	src/job/image-files.c \
	src/job/image-files.h \
	src/job/image-log.c \
	src/job/image-log.h \
	src/job/in-use.c \
	src/job/in-use.h \
	src/job/inspect.c \
	src/job/job-owner.c \
	src/job/job-owner.h \
	src/job/job.c \
	src/job/job.h \
	src/job/landlock.c \
	src/job/landlock.h \
	src/job/layer-map.c \
	src/job/layer-map.h \
	src/job/lock-holder.c \
	src/job/lock-holder.h \
	src/job/parser-sandbox.c \
	src/job/parser-sandbox.h \
	src/job/part-directory.c \
	src/job/part-directory.h \
	src/job/part-lock.c \
	src/job/part-lock.h \
	src/job/prepare.c \
	src/job/read-back.c \
	src/job/read-back.h \
	src/job/recognize-child.c \
	src/job/recognize.c \
	src/job/recognize.h \
	src/job/rename.c \
	src/job/rename.h \
	src/job/report.c \
	src/job/report.h \
	src/job/run.c \
	src/job/server.c \
	src/job/server.h \
	src/job/source-settle.c \
	src/job/source.c \
	src/job/source.h \
	src/job/unpack.c \
	src/job/unpack.h \
	src/job/verify.c \
	src/job/verify.h
JOB_LIBS = libhyper-job.la libhyper-engine.la libhyper-image.la $(SHARED_LIBS) $(NBD_LIBS) $(XML_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) \
	$(ARCHIVE_LIBS) $(CRYPTO_LIBS) $(BLKID_LIBS) $(MAGIC_LIBS) $(SECCOMP_LIBS) -lpthread

libexec_PROGRAMS += hyper-job
hyper_job_SOURCES = src/job/job-main.c
hyper_job_LDADD = $(JOB_LIBS)
EXTRA_DIST += src/job/README.md
