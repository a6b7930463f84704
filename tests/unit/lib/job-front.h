/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of hyper-job share: disks, archives, plans, and the program itself run as the unit runs it,
 * only without the unit. */

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "job/child.h"
#include "spec/job-file.h"
#include "spec/job-result.h"
#include "spec/job-state.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

#define MIB (UINT64_C(1) << 20)

/* --- programs -------------------------------------------------------------------------------------- */

static inline int run_argv(const char *const argv[], ChildOutput *ret) {
        static const ChildLimits limits = {
                .unconfined = true, .timeout = 120 * USEC_PER_SEC, .output_max = 1024 * 1024
        };
        int r = child_run(argv, &limits, -1, ret);

        ck_assert_msg(r == 0, "%s: %s", argv[0], strerror(-r));
        ck_assert_msg(WIFEXITED(ret->status), "%s: status 0x%x: %s", argv[0], ret->status, ret->errors);
        return WEXITSTATUS(ret->status);
}

/* Runs a program that must succeed. */
#define RUN(...)                                                                                    \
        do {                                                                                        \
                const char *const _argv[] = { __VA_ARGS__, NULL };                                  \
                _cleanup_child_output_ ChildOutput _o = {};                                         \
                int _status = run_argv(_argv, &_o);                                                 \
                ck_assert_msg(_status == 0, "%s exited with %d: %s", _argv[0], _status, _o.errors); \
        } while (0)

/* Runs a program and gives its exit status. */
#define RUN_STATUS(...)                                            \
        ({                                                         \
                const char *const _argv[] = { __VA_ARGS__, NULL }; \
                _cleanup_child_output_ ChildOutput _o = {};        \
                run_argv(_argv, &_o);                              \
        })

static inline bool program_exists(const char *name) {
        static const ChildLimits limits = { .unconfined = true, .output_max = 65536 };
        const char *const argv[] = { name, "--version", NULL };
        _cleanup_child_output_ ChildOutput o = {};

        return child_run(argv, &limits, -1, &o) == 0;
}

/* --- files ----------------------------------------------------------------------------------------- */

/* A string that lives as long as the test's process, where the leak checker sees it. */
static inline char *test_keep(char *s) {
        static char **kept;

        ck_assert_ptr_nonnull(s);
        ck_assert_int_eq(strv_consume(&kept, s), 0);
        return s;
}

#define PATH(dir, ...) test_path(dir, __VA_ARGS__)

/* A path below @dir, kept. */
static inline char *test_path(const char *dir, const char *format, ...) _printf_(2, 3);
static inline char *test_path(const char *dir, const char *format, ...) {
        _cleanup_free_ char *name = NULL;
        va_list ap;

        va_start(ap, format);
        ck_assert(vasprintf(&name, format, ap) >= 0);
        va_end(ap);
        static char **kept; /* until the test's process ends */
        char *path = strprintf("%s/%s", dir, name);
        ck_assert_int_eq(strv_consume(&kept, path), 0);
        return path;
}

static inline bool file_exists(const char *path) {
        struct stat st;
        return lstat(path, &st) == 0;
}

static inline uint64_t file_size(const char *path) {
        struct stat st;
        ck_assert_msg(stat(path, &st) == 0, "%s", path);
        return (uint64_t) st.st_size;
}

static inline void write_file(const char *path, const void *data, size_t size) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite_full(fd, data, size, 0), 0);
        close(fd);
}

static inline void write_text(const char *path, const char *text) {
        write_file(path, text, strlen(text));
}

static inline char *read_text(const char *path, size_t *ret_size) {
        char *data;
        size_t size;

        ck_assert_int_eq(read_file_at(AT_FDCWD, path, 1024 * MIB, &data, &size), 0);
        if (ret_size)
                *ret_size = size;
        return data;
}

/* A raw disk of @size bytes: a third data that does not compress, some written zeroes, the rest holes. */
static inline void make_disk(const char *path, uint64_t size, unsigned seed) {
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        _cleanup_free_ uint32_t *block = malloc(MIB);
        uint32_t x = seed * 2654435761u + 1;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, (off_t) size), 0);
        for (uint64_t offset = 0; offset < size; offset += 3 * MIB) {
                size_t n = (size_t) MIN(MIB, size - offset);
                for (size_t i = 0; i < MIB / sizeof(*block); i++) {
                        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
                        block[i] = x;
                }
                ck_assert_int_eq(pwrite_full(fd, block, n, offset), 0);
                if (offset + 2 * MIB <= size) {
                        memset(block, 0, 65536);
                        ck_assert_int_eq(pwrite_full(fd, block, 65536, offset + MIB), 0);
                }
        }
        close(fd);
}

static inline void assert_same_disk(
                const char *a, const char *a_format, const char *b, const char *b_format) {
        RUN("qemu-img", "compare", "-f", a_format, "-F", b_format, a, b);
}

/* --- archives -------------------------------------------------------------------------------------- */

typedef struct TarBuilder {
        char *data;
        size_t size, allocated;
} TarBuilder;

static inline void tar_builder_done(TarBuilder *t) {
        free(t->data);
}

static inline char *tar_room(TarBuilder *t, size_t n) {
        ck_assert(GREEDY_REALLOC(t->data, t->allocated, t->size + n));
        memset(t->data + t->size, 0, n);
        t->size += n;
        return t->data + t->size - n;
}

static inline void tar_sum(char *header) {
        unsigned sum = 0;

        memset(header + 148, ' ', 8);
        for (unsigned i = 0; i < 512; i++)
                sum += (unsigned char) header[i];
        snprintf(header + 148, 8, "%06o", sum);
}

/* A header that claims @size, without content. */
static inline char *tar_header(TarBuilder *t, const char *name, char type, uint64_t size) {
        char *h = tar_room(t, 512);

        snprintf(h, 100, "%s", name);
        snprintf(h + 100, 8, "%07o", 0644u);
        snprintf(h + 108, 8, "%07o", 0u);
        snprintf(h + 116, 8, "%07o", 0u);
        if (size <= 077777777777u)
                snprintf(h + 124, 12, "%011" PRIo64, size);
        else {
                h[124] = (char) 0x80;
                for (int i = 0; i < 8; i++)
                        h[135 - i] = (char) (size >> 8 * i);
        }
        snprintf(h + 136, 12, "%011o", 0u);
        h[156] = type;
        memcpy(h + 257, "ustar\00000", 8);
        tar_sum(h);
        return h;
}

static inline void tar_add(TarBuilder *t, const char *name, char type, const void *data, size_t size) {
        tar_header(t, name, type, size);
        if (size > 0)
                memcpy(tar_room(t, (size + 511) / 512 * 512), data, size);
}

static inline void tar_add_text(TarBuilder *t, const char *name, const char *text) {
        tar_add(t, name, '0', text, strlen(text));
}

static inline void tar_add_file(TarBuilder *t, const char *name, const char *path) {
        size_t size;
        _cleanup_free_ char *data = read_text(path, &size);

        tar_add(t, name, '0', data, size);
}

static inline void tar_end(TarBuilder *t) {
        tar_room(t, 1024);
}

/* An OVF with @n disks, whose files are named. */
static inline char *make_ovf(const char *const *files, size_t n) {
        char *refs = strdup(""), *disks = strdup("");

        for (size_t i = 0; i < n; i++) {
                char *r = strprintf("%s<File ovf:id=\"f%zu\" ovf:href=\"%s\"/>", refs, i, files[i]);
                char *d = strprintf("%s<Disk ovf:diskId=\"d%zu\" ovf:fileRef=\"f%zu\" ovf:capacity=\"1\"/>",
                                disks, i, i);
                free(refs);
                free(disks);
                refs = r;
                disks = d;
        }
        char *ovf = strprintf(
                        "<?xml version=\"1.0\"?>\n<Envelope "
                        "xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" "
                        "xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\"><References>%s</References>"
                        "<DiskSection><Info>disks</Info>%s</DiskSection></Envelope>\n",
                        refs, disks);
        free(refs);
        free(disks);
        ck_assert_ptr_nonnull(ovf);
        return ovf;
}

/* --- jobs ------------------------------------------------------------------------------------------ */

typedef struct Plan {
        const char *directory; /* the job's; made if it is not there */
        unsigned attempt; /* 0: 1 */
        const char *source, *source_format, *checksum; /* a path, or an NBD URI */
        const char *extents[8]; /* further source files */
        const char *destination, *destination_format;
        bool compress, verify, verify_full, allow_larger, in_use;
        const char *chain; /* NULL: not given */
        const char *job_id; /* NULL: "test" */
} Plan;

static inline char *part_dir(const char *destination) {
        const char *slash = strrchr(destination, '/');
        char *path = strprintf("%.*s/.%s.hyper-part", (int) (slash - destination), destination, slash + 1);

        ck_assert_ptr_nonnull(path);
        return path;
}

static inline void write_plan(const Plan *p) {
        bool from_file = p->source[0] == '/', to_file = p->destination[0] == '/';
        _cleanup_free_ char *path = strprintf("%s/job.json", p->directory);
        _cleanup_free_ char *part =
                        to_file && !startswith(p->destination, "/dev/") ? part_dir(p->destination) : NULL;
        _cleanup_json_ json_t *files = json_array();

        if (mkdir(p->directory, 0700) < 0)
                ck_assert_int_eq(errno, EEXIST);
        if (from_file)
                json_array_append_new(files, json_string(p->source));
        for (size_t i = 0; i < ELEMENTSOF(p->extents) && p->extents[i]; i++)
                json_array_append_new(files, json_string(p->extents[i]));
        json_t *source = json_pack("{s:s, s:s, s:s*, s:s*}", "type", from_file ? "file" : "nbd",
                        from_file ? "path" : "uri", p->source, "format", p->source_format, "checksum",
                        p->checksum);
        json_t *destination = json_pack("{s:s, s:s, s:s*}", "type", to_file ? "file" : "nbd",
                        to_file ? "path" : "uri", p->destination, "format", p->destination_format);
        const char *id = p->job_id ? p->job_id : "test";
        json_t *parameters = json_pack("{s:b, s:o, s:s, s:b, s:s*}", "compress", p->compress, "verify",
                        p->verify_full ? json_string("full") : json_boolean(p->verify), "in_use",
                        p->in_use ? "allow" : "refuse", "allow_larger", p->allow_larger, "chain", p->chain);
        _cleanup_json_ json_t *plan = json_pack("{s:s, s:i, s:{s:s, s:s, s:o, s:o, s:o}, s:O, s:s?}",
                        "job_id", id, "attempt", p->attempt ? (int) p->attempt : 1, "spec", "job_id", id,
                        "operation", "convert", "source", source, "destination", destination, "parameters",
                        parameters, "source_files", files, "part_dir", part);
        ck_assert_ptr_nonnull(plan);
        ck_assert_int_eq(json_dump_file(plan, path, 0), 0);
}

static inline int hyper_job(const char *verb, const char *directory) {
        return RUN_STATUS("./hyper-job", verb, directory);
}

static inline JobResult *read_result(const char *directory) {
        JobResult *result = NULL;
        int r = job_result_read(directory, &result);

        ck_assert_msg(r == 0, "%s/result.json: %s", directory, strerror(-r));
        return result;
}

/* The whole of an attempt; the exit status of run. */
static inline int attempt(const Plan *p) {
        write_plan(p);
        ck_assert_int_eq(hyper_job("prepare", p->directory), 0);
        int status = hyper_job("run", p->directory);
        ck_assert_int_eq(hyper_job("finish-later", p->directory), 0);
        return status;
}

/* An attempt that must go well, from the plan to the final name. */
static inline void assert_converts(const Plan *p) {
        int status = attempt(p);
        _cleanup_(job_result_freep) JobResult *result = read_result(p->directory);

        ck_assert_msg(status == 0 && result->outcome == OUTCOME_COMPLETED, "status %d: %s: %s", status,
                        strna(result->code), strna(result->message));
        _cleanup_free_ char *marker = strprintf("%s/published", p->directory);
        ck_assert_msg(file_exists(marker), "%s is not there", marker);
        if (p->destination[0] == '/' && !startswith(p->destination, "/dev/")) {
                _cleanup_free_ char *part = part_dir(p->destination);
                ck_assert_msg(file_exists(p->destination), "%s is not there", p->destination);
                ck_assert_msg(!file_exists(part), "%s is still there", part);
        }
}

/* An attempt that must be refused for @code, whose message holds @text, and that leaves nothing behind. */
static inline void assert_refused(const Plan *p, const char *code, const char *text) {
        int status = attempt(p);
        _cleanup_(job_result_freep) JobResult *result = read_result(p->directory);
        _cleanup_free_ char *part = part_dir(p->destination);

        ck_assert_str_eq(strna(result->code), code);
        ck_assert_msg(strstr(strna(result->message), text) != NULL, "\"%s\" is not in \"%s\"", text,
                        strna(result->message));
        ck_assert_int_eq(result->outcome, OUTCOME_FAILED);
        ck_assert_int_eq(status, JOB_EXIT_FAILED);
        ck_assert(!file_exists(p->destination));
        ck_assert_msg(!file_exists(part), "%s was left behind", part);
}
