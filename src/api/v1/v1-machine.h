/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The load of this machine, as the kernel reports it, and its file systems. */

#include <jansson.h>

#include "basic/time-util.h"

/* The texts of files in /proc; pure. All return 0, or -EBADMSG if the text is another one. */
typedef struct V1CpuTimes {
        uint64_t busy, all; /* ticks since the start */
} V1CpuTimes;
int v1_cpu_times_parse(const char *stat, V1CpuTimes *ret);
/* MemTotal and MemAvailable, in bytes */
int v1_memory_parse(const char *meminfo, uint64_t *ret_total, uint64_t *ret_available);
/* "some avg10" of /proc/pressure/…, in percent */
int v1_pressure_parse(const char *pressure, double *ret);

/* {"cores", "percent", "load"}, {"total_bytes", "used_bytes", "available_bytes", "percent"}, {"cpu",
 * "memory", "io"}, [{"path", "total_bytes", "available_bytes", "percent"}]: what cannot be read is null.
 * "percent" of the processors is that since the last call. NULL when out of memory. */
json_t *v1_cpu_json(void);
json_t *v1_memory_json(void);
json_t *v1_pressure_json(void);
json_t *v1_disks_json(char *const *roots);
usec_t v1_uptime(void);

typedef struct V1Space {
        uint64_t total, available; /* bytes */
} V1Space;
/* Of the file system of a directory, or, if that does not exist, of the one above it. 0 or negative errno. */
int v1_space(const char *path, V1Space *ret);
