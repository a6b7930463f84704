# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-engine.la
libhyper_engine_la_SOURCES = \
	src/job/checkpoint.c \
	src/job/checkpoint.h \
	src/job/compare.c \
	src/job/compare.h \
	src/job/copy.c \
	src/job/copy.h \
	src/job/endpoint-layer.c \
	src/job/endpoint-layer.h \
	src/job/endpoint-nbd.c \
	src/job/endpoint-nbd.h \
	src/job/endpoint-null.c \
	src/job/endpoint-qcow2.c \
	src/job/endpoint-raw.c \
	src/job/endpoint.c \
	src/job/endpoint.h \
	src/job/extent-cursor.c \
	src/job/extent-cursor.h \
	src/job/nbd-connect.c \
	src/job/nbd-connect.h \
	src/job/nbd-io.c \
	src/job/nbd-request.c \
	src/job/part.c \
	src/job/pool.c \
	src/job/pool.h \
	src/job/qcow2-layout.c \
	src/job/qcow2-layout.h \
	src/job/qcow2-map.c \
	src/job/qcow2-map.h \
	src/job/qcow2-refcount.c \
	src/job/qcow2-refcount.h \
	src/job/rate.h \
	src/job/writeback.c \
	src/job/writeback.h \
	src/job/zero.h
libhyper_engine_la_CFLAGS = $(AM_CFLAGS) $(NBD_CFLAGS) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS) -pthread
libhyper_engine_la_LIBADD = libhyper-basic.la $(NBD_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) -lpthread

# The program around the engine: phases, inspection of images, servers, the part folder.
noinst_LTLIBRARIES += libhyper-job.la
libhyper_job_la_SOURCES = \
	src/job/archive-member.c \
	src/job/archive-member.h \
	src/job/archive.c \
	src/job/archive.h \
	src/job/chain.c \
	src/job/chain.h \
	src/job/bound.c \
	src/job/bound.h \
	src/job/checksum.c \
	src/job/checksum.h \
	src/job/child.c \
	src/job/child.h \
	src/job/complaint.c \
	src/job/complaint.h \
	src/job/connection.c \
	src/job/content.c \
	src/job/content.h \
	src/job/convert.c \
	src/job/convert.h \
	src/job/device.c \
	src/job/device.h \
	src/job/finish.c \
	src/job/gunzip.c \
	src/job/gunzip.h \
	src/job/helper.c \
	src/job/helper.h \
	src/job/identity.c \
	src/job/identity.h \
	src/job/image-header.c \
	src/job/image-info.c \
	src/job/image-log.c \
	src/job/image-log.h \
	src/job/image-vmdk.c \
	src/job/image-vmdk.h \
	src/job/image.c \
	src/job/image.h \
	src/job/in-use.c \
	src/job/in-use.h \
	src/job/inspect.c \
	src/job/job-owner.c \
	src/job/job-owner.h \
	src/job/job.c \
	src/job/job.h \
	src/job/manifest.c \
	src/job/manifest.h \
	src/job/layer-map.c \
	src/job/layer-map.h \
	src/job/map-format.h \
	src/job/map-parallels.c \
	src/job/map-qcow2.c \
	src/job/map-vdi.c \
	src/job/map-vhd.c \
	src/job/map-vhdx.c \
	src/job/map-vmdk.c \
	src/job/map.c \
	src/job/map.h \
	src/job/lock-holder.c \
	src/job/lock-holder.h \
	src/job/ova-name.c \
	src/job/ova-name.h \
	src/job/ova.c \
	src/job/ova.h \
	src/job/ovf.c \
	src/job/ovf.h \
	src/job/parallels.c \
	src/job/parallels.h \
	src/job/part-folder.c \
	src/job/part-folder.h \
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
	src/job/landlock.c \
	src/job/landlock.h \
	src/job/parser-sandbox.c \
	src/job/parser-sandbox.h \
	src/job/report.c \
	src/job/report.h \
	src/job/rights.c \
	src/job/rights.h \
	src/job/run.c \
	src/job/safe-open.c \
	src/job/safe-open.h \
	src/job/server.c \
	src/job/server.h \
	src/job/source-settle.c \
	src/job/source.c \
	src/job/source.h \
	src/job/sparse-writer.c \
	src/job/sparse-writer.h \
	src/job/tar-number.c \
	src/job/tar-number.h \
	src/job/tar-sparse.c \
	src/job/tar-sparse.h \
	src/job/tar.c \
	src/job/tar.h \
	src/job/unpack.c \
	src/job/unpack.h \
	src/job/verify.c \
	src/job/verify.h
libhyper_job_la_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS) $(XML_CFLAGS) $(CRYPTO_CFLAGS) \
	$(ZLIB_CFLAGS) $(ARCHIVE_CFLAGS) $(BLKID_CFLAGS) $(MAGIC_CFLAGS) $(SECCOMP_CFLAGS)
libhyper_job_la_LIBADD = libhyper-engine.la libhyper-shared.la libhyper-basic.la $(SYSTEMD_LIBS) $(JANSSON_LIBS) \
	$(XML_LIBS) $(CRYPTO_LIBS) $(ZLIB_LIBS) $(ARCHIVE_LIBS) $(BLKID_LIBS) $(MAGIC_LIBS) $(SECCOMP_LIBS)

libexec_PROGRAMS += hyper-job
hyper_job_SOURCES = src/job/job-main.c
hyper_job_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
hyper_job_LDADD = libhyper-job.la
EXTRA_DIST += src/job/README.md
