/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which process holds a lock on a file. The kernel does not say that of locks of the open file description
 * kind, which qemu takes; /proc does, to whoever may look at the process. */

#include <sys/types.h>

/* "qemu-system-x86_64, process 1234 (virtual machine web)" for the file @fd; @pid as fcntl(2) gave it. NULL
 * if it cannot be found out. The caller frees it. */
char *lock_holder(int fd, pid_t pid);

/* The value of "-name" on qemu's command line, whose arguments end with NUL: "guest=web,debug-threads=on" is
 * "web". NULL if there is none. The caller frees it. */
char *qemu_guest_name(const char *command_line, size_t size);
