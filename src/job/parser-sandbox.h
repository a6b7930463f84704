/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a program that parses bytes from outside (qemu-img, qemu-nbd) may still do, less than hyper-job
 * itself:
 *
 *   - seccomp(2): the system calls of an allow list. No socket is made, bound, listened on or connected;
 * accept4() works on the one that was handed on. No process is made, signalled, traced or read; no second
 * program is executed.
 *   - Landlock: the files that it was given, the program itself, the libraries in /usr. Where the kernel has
 * no Landlock the unit's namespace alone decides about files, which is logged once.
 *   - its rights: none, but for reading an image, or writing to a block device, that belongs to somebody
 * else.
 *
 * All is put together before fork(); what comes after it is as signal-safety(7) allows. */

#include <linux/filter.h>

#include "basic/macro.h"

typedef struct ParserFiles {
        char **read; /* files */
        char **write; /* files that it may change, directories that it may make files in */
        unsigned rights; /* what it needs of basic/rights.h: mostly none */
        bool programs; /* it executes programs of /usr, and makes directories and sockets in those that it may
                        * write to: hyper-guest, whose qemu has a filter of system calls of its own. Only
                        * that of the unit applies. */
        bool network; /* it connects to servers, with a library whose system calls are not known: only the
                       * filter of the unit applies. It may read directories, and make what it likes in those
                       * that it may write to. */
} ParserFiles;

void parser_files_done(ParserFiles *f);
#define _cleanup_parser_files_ _cleanup_(parser_files_done)

typedef struct ParserSandbox {
        const struct sock_fprog *filter; /* not owned; NULL: none */
        int landlock_fd; /* -EBADF: the kernel has none */
        unsigned rights;
        const char *program;
} ParserSandbox;

#define PARSER_SANDBOX_INIT ((ParserSandbox){ .landlock_fd = -EBADF })
void parser_sandbox_done(ParserSandbox *s);

/* @program is an absolute path, which the sandbox refers to; @files may be NULL: none. A file that is not
 * there is left out: the program will say so. 0 or negative errno. */
int parser_sandbox_new(const char *program, const ParserFiles *files, ParserSandbox *ret);

/* In the child: enters the sandbox and executes the program. Returns only if that fails, with errno set. */
void parser_sandbox_exec(const ParserSandbox *s, char *const argv[], char *const envp[]);
