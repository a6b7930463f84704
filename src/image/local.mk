# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-image.la
libhyper_image_la_SOURCES = \
	src/image/archive-member.c \
	src/image/archive-member.h \
	src/image/archive.c \
	src/image/archive.h \
	src/image/checksum.c \
	src/image/checksum.h \
	src/image/content.c \
	src/image/content.h \
	src/image/gunzip.c \
	src/image/gunzip.h \
	src/image/hyperv-names.c \
	src/image/hyperv-names.h \
	src/image/image-header.c \
	src/image/image-info.c \
	src/image/image-names.c \
	src/image/image-names.h \
	src/image/image-paths.c \
	src/image/image-vmdk.c \
	src/image/image-vmdk.h \
	src/image/image.c \
	src/image/image.h \
	src/image/manifest.c \
	src/image/manifest.h \
	src/image/map-format.h \
	src/image/map-parallels.c \
	src/image/map-qcow2.c \
	src/image/map-vdi.c \
	src/image/map-vhd.c \
	src/image/map-vhdx.c \
	src/image/map-vmdk.c \
	src/image/map.c \
	src/image/map.h \
	src/image/ova-name.c \
	src/image/ova-name.h \
	src/image/ova.c \
	src/image/ova.h \
	src/image/ovf-names.c \
	src/image/ovf-names.h \
	src/image/ovf.c \
	src/image/ovf.h \
	src/image/ovf-writer.c \
	src/image/ovf-writer.h \
	src/image/parallels.c \
	src/image/parallels.h \
	src/image/sparse-writer.c \
	src/image/sparse-writer.h \
	src/image/tar-number.c \
	src/image/tar-number.h \
	src/image/tar-sparse.c \
	src/image/tar-sparse.h \
	src/image/tar-writer.c \
	src/image/tar-writer.h \
	src/image/tar.c \
	src/image/tar.h \
	src/image/vmdk-descriptor.c \
	src/image/vmdk-descriptor.h \
	src/image/vmdk-embedded.c \
	src/image/vmdk-embedded.h \
	src/image/vmdk-text.c \
	src/image/vmdk-text.h
IMAGE_LIBS = libhyper-image.la $(SPEC_LIBS) $(XML_LIBS) $(ZLIB_LIBS) $(ARCHIVE_LIBS) $(CRYPTO_LIBS)
EXTRA_DIST += src/image/README.md
