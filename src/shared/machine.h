/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What this machine can do for jobs: the same for the manager, which asks whether a job may run here, and
 * for the agent, which tells another machine. */

#include "spec/operation.h"

/* The first program of that name, as a shell would find it; NULL if there is none. Its directory may not be
 * readable to us, its name is enough. The caller frees it. */
char *machine_find_program(const char *name);

/* Mask of 1u << Capability: what hyper's own jobs can do here, by the programs that are installed. Tools for
 * LVM, mounts and SELinux are in none of it, installed or not, while no operation that is built in uses
 * them: whoever names them is given jobs that need them. Looked up once for each process. */
uint32_t machine_capabilities(void);

/* Mask of operation_bit(): the operations that are built in; of those on guests, only if hyper-guest is
 * installed. */
uint32_t machine_operations(void);

/* All of the memory, in MiB; 0: not known. */
uint64_t machine_memory_mb(void);

/* What is free for unprivileged users in the file system that @path is in, in MiB; 0 also if it is not
 * known. */
uint64_t machine_free_space_mb(const char *path);
