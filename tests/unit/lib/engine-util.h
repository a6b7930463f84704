/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of the copy engine share: disks to copy, real servers for them as processes that end with
 * the test, and qemu-img as the judge. */

#include <sys/types.h>

#include "engine/copy.h"
#include "engine/endpoint-nbd.h"
#include "engine/part.h"
#include "unit/lib/test.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)

/* Before main(), the whole test is skipped (exit status 77) if qemu-img, qemu-nbd or nbdkit are not
 * installed. */

/* Runs a program to its end, its output thrown away; its exit status. The list ends with NULL. */
int run_program(const char *program, ...);
#define RUN_OK(...) ck_assert_int_eq(run_program(__VA_ARGS__, NULL), 0)

/* --- disks
 * ------------------------------------------------------------------------------------------------- */

/* Bytes that look random and are the same for the same seed. */
void fill_random(void *buf, size_t size, uint64_t seed);

/* A raw disk with all that matters: random data, text, written zeroes, holes, torn blocks, data at its very
 * end. */
void make_disk(const char *path, uint64_t size);

/* One that is mostly empty, with such data around the borders of what one qcow2 L2 table covers. */
void make_wide_disk(const char *path);

/* Both files hold the same bytes and have the same length. */
void assert_same_file(const char *a, const char *b);
/* The same for two raw files that are mostly empty. */
void assert_same_raw(const char *a, const char *b);

/* qemu-img check finds nothing at all, and the image reads as @raw does (which may end with a broken
 * sector). */
void assert_good_qcow2(const char *image, const char *raw);

/* --- servers
 * ------------------------------------------------------------------------------------------------ */

typedef struct Server {
        pid_t pid;
        char *socket;
} Server;

void server_done(Server *s);
#define _cleanup_server_ _cleanup_(server_done)

/* A listening unix socket. */
int listen_at(const char *path);

/* Starts a server on "<dir>/<name>.sock", which is ready when this returns: the socket is made here and
 * handed over as sd_listen_fds(3) says. The list of arguments ends with NULL. */
Server serve(const char *dir, const char *name, const char *program, ...);
#define SERVE_NBDKIT(dir, name, ...) \
        serve(dir, name, "nbdkit", "--exit-with-parent", "-f", __VA_ARGS__, NULL)
#define SERVE_QEMU(dir, name, format, ...) \
        serve(dir, name, "qemu-nbd", "--persistent", "--shared=16", "-f", format, __VA_ARGS__, NULL)

/* --- copies
 * ------------------------------------------------------------------------------------------------- */

typedef struct TestCopy {
        const char *part; /* the part directory, made if missing */
        const char *format; /* "raw", "qcow2", "qcow2 compress", "qcow2 zstd" */
        const char *sources[5]; /* sockets */
        const char *identity; /* NULL: "a source" */
        CopyOptions options;
        /* What happened. */
        uint64_t watermark; /* where it began */
        CopyProgress progress;
        char *error;
} TestCopy;

void test_copy_done(TestCopy *t);
#define _cleanup_copy_ _cleanup_(test_copy_done)
#define TEST_COPY(p, f, ...) \
        { .part = (p), .format = (f), .sources = { __VA_ARGS__ }, .options.cancel_fd = -1 }

/* Opens everything and copies; what copy_run() or opening gave. */
int test_copy(TestCopy *t);

/* Opens an NBD endpoint that must open. */
Endpoint *open_nbd(const char *socket, unsigned flags, const char *label);

/* The watermark in a part directory's checkpoint; 0 if there is none. */
uint64_t saved_watermark(const char *part);
