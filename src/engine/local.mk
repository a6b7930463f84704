# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-engine.a
libhyper_engine_a_SOURCES = \
	src/engine/areas.c \
	src/engine/areas.h \
	src/engine/checkpoint.c \
	src/engine/checkpoint.h \
	src/engine/compare.c \
	src/engine/compare.h \
	src/engine/compress.c \
	src/engine/compress.h \
	src/engine/copy.c \
	src/engine/copy.h \
	src/engine/disk-digest.c \
	src/engine/disk-digest.h \
	src/engine/endpoint-file.c \
	src/engine/endpoint-file.h \
	src/engine/endpoint-http.c \
	src/engine/endpoint-http.h \
	src/engine/endpoint-layer.c \
	src/engine/endpoint-layer.h \
	src/engine/endpoint-nbd.c \
	src/engine/endpoint-nbd.h \
	src/engine/endpoint-null.c \
	src/engine/endpoint-null.h \
	src/engine/endpoint-qcow2.c \
	src/engine/endpoint-qcow2.h \
	src/engine/endpoint-raw.c \
	src/engine/endpoint-raw.h \
	src/engine/endpoint-stream.c \
	src/engine/endpoint-stream.h \
	src/engine/endpoint.c \
	src/engine/endpoint.h \
	src/engine/extent-cursor.c \
	src/engine/extent-cursor.h \
	src/engine/file-range.c \
	src/engine/file-range.h \
	src/engine/http-loop.c \
	src/engine/http-loop.h \
	src/engine/nbd-connect.c \
	src/engine/nbd-connect.h \
	src/engine/nbd-io.c \
	src/engine/nbd-io.h \
	src/engine/nbd-options.h \
	src/engine/nbd-request.c \
	src/engine/nbd-request.h \
	src/engine/part.c \
	src/engine/part.h \
	src/engine/pool.c \
	src/engine/pool.h \
	src/engine/qcow2-layout.c \
	src/engine/qcow2-layout.h \
	src/engine/qcow2-map.c \
	src/engine/qcow2-map.h \
	src/engine/qcow2-refcount.c \
	src/engine/qcow2-refcount.h \
	src/engine/rate.h \
	src/engine/writeback.c \
	src/engine/writeback.h
ENGINE_LIBS = libhyper-engine.a $(HTTP_LIBS) $(SPEC_LIBS) $(NBD_LIBS) $(ZLIB_LIBS) $(ISAL_LIBS) $(ZSTD_LIBS) $(CRYPTO_LIBS) -lpthread
EXTRA_DIST += src/engine/README.md
