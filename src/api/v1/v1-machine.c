/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-machine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "api/job-json.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "json/json-table.h"

#define FILE_MAX ((size_t) 256 * 1024)

/* --- texts of the kernel --------------------------------------------------------------------------- */

int v1_cpu_times_parse(const char *stat, V1CpuTimes *ret) {
        uint64_t t[8];

        /* user, nice, system, idle, iowait, irq, softirq, steal: proc(5) */
        if (sscanf(stat,
                            "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                            " %" SCNu64 " %" SCNu64,
                            &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) != 8)
                return -EBADMSG;
        ret->busy = t[0] + t[1] + t[2] + t[5] + t[6] + t[7];
        ret->all = ret->busy + t[3] + t[4];
        return 0;
}

static int read_kib(const char *text, const char *key, uint64_t *ret) {
        const char *line = strstr(text, key);
        uint64_t kib;

        if (!line || sscanf(line + strlen(key), " %" SCNu64 " kB", &kib) != 1 || kib > UINT64_MAX / 1024)
                return -EBADMSG;
        *ret = kib * 1024;
        return 0;
}

int v1_memory_parse(const char *meminfo, uint64_t *ret_total, uint64_t *ret_available) {
        int r = read_kib(meminfo, "MemTotal:", ret_total);

        if (r >= 0)
                r = read_kib(meminfo, "MemAvailable:", ret_available);
        return r >= 0 && (*ret_total == 0 || *ret_available > *ret_total) ? -EBADMSG : r;
}

int v1_pressure_parse(const char *pressure, double *ret) {
        return sscanf(pressure, "some avg10=%lf", ret) == 1 ? 0 : -EBADMSG;
}

/* NULL if it cannot be read. */
static char *read_text(const char *path) {
        char *text = NULL;

        return read_file_at(AT_FDCWD, path, FILE_MAX, &text, NULL) < 0 ? NULL : text;
}

/* --- JSON ------------------------------------------------------------------------------------------ */

static json_t *percent(double part, double whole) {
        return whole > 0 ? json_real((double) (int64_t) (part / whole * 1000 + 0.5) / 10) : json_null();
}

static json_t *busy_percent(void) {
        static V1CpuTimes last; /* at the last call */
        _cleanup_free_ char *text = read_text("/proc/stat");
        V1CpuTimes now;

        if (!text || v1_cpu_times_parse(text, &now) < 0)
                return json_null();
        /* Counters of some processors go back when they go away. */
        V1CpuTimes before = now.all > last.all && now.busy >= last.busy ? last : (V1CpuTimes){};
        last = now;
        return percent((double) (now.busy - before.busy), (double) (now.all - before.all));
}

static json_t *load_json(const struct sysinfo *info) {
        json_t *list = json_array();

        for (size_t i = 0; i < ELEMENTSOF(info->loads); i++) {
                double load = (double) info->loads[i] / (1 << SI_LOAD_SHIFT);

                if (json_array_append_new(list, json_real((double) (int64_t) (load * 100 + 0.5) / 100)) < 0)
                        return json_decref(list), NULL;
        }
        return list;
}

json_t *v1_cpu_json(void) {
        struct sysinfo info;

        return json_pack("{s:I, s:o, s:o}", "cores", (json_int_t) sysconf(_SC_NPROCESSORS_ONLN), "percent",
                        busy_percent(), "load", sysinfo(&info) < 0 ? json_null() : load_json(&info));
}

usec_t v1_uptime(void) {
        struct sysinfo info;

        return sysinfo(&info) < 0 ? 0 : (usec_t) info.uptime * USEC_PER_SEC;
}

json_t *v1_memory_json(void) {
        _cleanup_free_ char *text = read_text("/proc/meminfo");
        uint64_t total, available;

        if (!text || v1_memory_parse(text, &total, &available) < 0)
                return json_null();
        return json_pack("{s:o, s:o, s:o, s:o}", "total_bytes", json_count(total), "used_bytes",
                        json_count(total - available), "available_bytes", json_count(available), "percent",
                        percent((double) (total - available), (double) total));
}

json_t *v1_pressure_json(void) {
        static const char *const names[] = { "cpu", "memory", "io" };
        json_t *o = json_object();

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = strprintf("/proc/pressure/%s", names[i]),
                                    *text = path ? read_text(path) : NULL;
                double value;
                json_t *json = text && v1_pressure_parse(text, &value) >= 0 ? json_real(value) : json_null();

                if (json_object_set_new(o, names[i], json) < 0)
                        return json_decref(o), NULL;
        }
        return o;
}

int v1_space(const char *path, V1Space *ret) {
        _cleanup_free_ char *p = strdup(path);
        struct statvfs st;

        if (!p)
                return -ENOMEM;
        while (statvfs(p, &st) < 0) {
                char *slash = strrchr(p, '/');

                if (errno != ENOENT || !slash || !p[1])
                        return -errno;
                slash[slash == p] = '\0';
        }
        *ret = (V1Space){ .total = (uint64_t) st.f_blocks * st.f_frsize,
                .available = (uint64_t) st.f_bavail * st.f_frsize };
        return 0;
}

json_t *v1_disks_json(char *const *roots) {
        json_t *list = json_array();

        STRV_FOREACH(root, roots) {
                V1Space s;
                json_t *o = v1_space(*root, &s) < 0
                                ? json_pack("{s:s, s:n, s:n, s:n}", "path", *root, "total_bytes",
                                                  "available_bytes", "percent")
                                : json_pack("{s:s, s:o, s:o, s:o}", "path", *root, "total_bytes",
                                                  json_count(s.total), "available_bytes",
                                                  json_count(s.available), "percent",
                                                  percent((double) (s.total - s.available),
                                                                  (double) s.total));

                if (json_array_append_new(list, o) < 0)
                        return json_decref(list), NULL;
        }
        return list;
}
