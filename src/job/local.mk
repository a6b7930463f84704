# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-job.la
libhyper_job_la_SOURCES = \
	src/job/attempt.c \
	src/job/attempt.h \
	src/job/bound.c \
	src/job/bound.h \
	src/job/chain.c \
	src/job/chain.h \
	src/job/child.c \
	src/job/child.h \
	src/job/complaint.c \
	src/job/complaint.h \
	src/job/connection.c \
	src/job/connection.h \
	src/job/conversion.c \
	src/job/conversion.h \
	src/job/convert.c \
	src/job/convert.h \
	src/job/destination-file.c \
	src/job/destination-file.h \
	src/job/destination-kind.c \
	src/job/destination-kind.h \
	src/job/destination-nbd.c \
	src/job/destination-nbd.h \
	src/job/device.c \
	src/job/device.h \
	src/job/direct.c \
	src/job/direct.h \
	src/job/failure.c \
	src/job/failure.h \
	src/job/finish.c \
	src/job/finish.h \
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
	src/job/inspect.h \
	src/job/job-owner.c \
	src/job/job-owner.h \
	src/job/landlock.c \
	src/job/landlock.h \
	src/job/layer-map.c \
	src/job/layer-map.h \
	src/job/lock-holder.c \
	src/job/lock-holder.h \
	src/job/new-directories.c \
	src/job/new-directories.h \
	src/job/operation-steps.c \
	src/job/operation-steps.h \
	src/job/output-layout.c \
	src/job/output-layout.h \
	src/job/parser-sandbox.c \
	src/job/parser-sandbox.h \
	src/job/part-directory.c \
	src/job/part-directory.h \
	src/job/part-lock.c \
	src/job/part-lock.h \
	src/job/prepare.c \
	src/job/prepare.h \
	src/job/publish.c \
	src/job/publish.h \
	src/job/read-back.c \
	src/job/read-back.h \
	src/job/recognize-child.c \
	src/job/recognize-child.h \
	src/job/recognize.c \
	src/job/recognize.h \
	src/job/rename.c \
	src/job/rename.h \
	src/job/report.c \
	src/job/report.h \
	src/job/run.c \
	src/job/run.h \
	src/job/server.c \
	src/job/server.h \
	src/job/source-file.c \
	src/job/source-file.h \
	src/job/source-kind.c \
	src/job/source-kind.h \
	src/job/source-nbd.c \
	src/job/source-nbd.h \
	src/job/source-settle.c \
	src/job/source-settle.h \
	src/job/source.c \
	src/job/source.h \
	src/job/step-convert.c \
	src/job/step-convert.h \
	src/job/step-finalize.c \
	src/job/step-finalize.h \
	src/job/step-initialize.c \
	src/job/step-initialize.h \
	src/job/step-inspect.c \
	src/job/step-inspect.h \
	src/job/step-package.c \
	src/job/step-package.h \
	src/job/step-verify.c \
	src/job/step-verify.h \
	src/job/step.h \
	src/job/unpack.c \
	src/job/unpack.h \
	src/job/verify.c \
	src/job/verify.h
JOB_LIBS = libhyper-job.la libhyper-engine.la libhyper-image.la $(SHARED_LIBS) $(NBD_LIBS) $(XML_LIBS) \
	$(ZLIB_LIBS) $(ISAL_LIBS) $(ZSTD_LIBS) $(ARCHIVE_LIBS) $(CRYPTO_LIBS) $(BLKID_LIBS) $(MAGIC_LIBS) \
	$(SECCOMP_LIBS) -lpthread

libexec_PROGRAMS += hyper-job
hyper_job_SOURCES = src/job/job-main.c
hyper_job_LDADD = $(JOB_LIBS)
EXTRA_DIST += src/job/README.md
