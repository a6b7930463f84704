/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "spec/job-file-internal.h"
#include "spec/job-file.h"
#include "json/json-parse.h"

#define PLAN_FILE "job.json"
/* A spec, with room for the names of a thousand files. */
#define PLAN_MAX (8 * JOB_SPEC_MAX)

const char *job_plan_target(const JobPlan *p) {
        return job_spec_is_in_place(p->spec) ? p->spec->source.path : p->spec->destination.path;
}

const char *job_source_disk(const JobEndpoint *source, size_t disk) {
        if (disk == 0)
                return source->path;
        return disk <= strv_length(source->further_disks) ? source->further_disks[disk - 1] : NULL;
}

static char **find_file(char **files, const char *path) {
        while (files && *files && !streq_ptr(*files, path))
                files++;
        return files && *files ? files : NULL;
}

char *const *job_plan_disk_files(const JobPlan *p, size_t disk, size_t *ret_n) {
        const char *next = job_source_disk(&p->spec->source, disk + 1);
        char **first = find_file(p->source_files, job_source_disk(&p->spec->source, disk)),
             **end = first && next ? find_file(first, next) : NULL;

        *ret_n = !first ? 0 : end ? (size_t) (end - first) : strv_length(first);
        return first;
}

JobPlan *job_plan_free(JobPlan *p) {
        if (!p)
                return NULL;
        free(p->job_id);
        free(p->user);
        strv_free(p->bound);
        job_spec_free(p->spec);
        strv_free(p->source_files);
        free(p->part_dir);
        free(p->virtio_win);
        free(p->vddk_libdir);
        free(p->vddk_plugin);
        return mfree(p);
}

static int open_directory(const char *directory) {
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int job_file_read(const char *directory, const char *name, size_t max, char **ret, size_t *ret_size) {
        _cleanup_close_ int dir = open_directory(directory), fd = -EBADF;
        _cleanup_free_ char *data = NULL;
        struct stat st;
        int r;

        if (dir < 0)
                return dir;
        /* O_NONBLOCK: a FIFO must not hold us up. */
        fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return errno == ELOOP || errno == ENXIO ? -EBADMSG : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t) st.st_size > max)
                return -EBADMSG;
        data = malloc((size_t) st.st_size + 1);
        if (!data)
                return -ENOMEM;
        r = pread_full(fd, data, (size_t) st.st_size, 0);
        if (r < 0)
                return r;
        data[st.st_size] = 0;
        *ret = TAKE_PTR(data);
        *ret_size = (size_t) st.st_size;
        return 0;
}

int job_file_write(const char *directory, const char *name, json_t *value) {
        _cleanup_close_ int dir = open_directory(directory);
        _cleanup_free_ char *text = NULL;

        if (dir < 0)
                return dir;
        text = json_dumps(value, JSON_INDENT(2));
        if (!text)
                return -ENOMEM;
        return write_file_atomic_at(dir, name, text, strlen(text), 0644);
}

static json_t *strv_to_json(char *const *l) {
        _cleanup_json_ json_t *array = json_array();

        STRV_FOREACH(s, l)
                if (json_array_append_new(array, json_string(*s)) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

/* The spec's document with the paths as they were resolved. */
static json_t *resolved_document(const JobSpec *spec) {
        _cleanup_json_ json_t *document = json_deep_copy(spec->document);
        json_t *source = json_object_get(document, "source");
        json_t *destination = json_object_get(document, "destination");

        if (spec->source.path && json_object_set_new(source, "path", json_string(spec->source.path)) < 0)
                return NULL;
        if (spec->destination.path &&
                        json_object_set_new(destination, "path", json_string(spec->destination.path)) < 0)
                return NULL;
        return TAKE_PTR(document);
}

char *file_identity_text(const char *path, const struct stat *st) {
        if (!S_ISREG(st->st_mode))
                return strprintf("%ju %ju - %s", (uintmax_t) st->st_dev, (uintmax_t) st->st_ino, path);
        return strprintf("%ju %ju %jd %s", (uintmax_t) st->st_dev, (uintmax_t) st->st_ino,
                        (intmax_t) st->st_size, path);
}

/* The path in "device inode size /path". */
static const char *identity_path(const char *text) {
        for (unsigned i = 0; i < 3 && text; i++) {
                text = strchr(text, ' ');
                text = text ? text + 1 : NULL;
        }
        return text;
}

int file_identity_check(char *const *list, const char *path, const struct stat *st) {
        _cleanup_free_ char *text = file_identity_text(path, st);

        if (!text)
                return -ENOMEM;
        STRV_FOREACH(entry, list)
                if (streq_ptr(identity_path(*entry), path))
                        return streq(*entry, text) ? 0 : -ESTALE;
        return -ENOENT;
}

int job_plan_write(const JobPlan *p, const char *directory) {
        _cleanup_json_ json_t *plan = json_pack("{s:s, s:I, s:s?, s:o, s:o, s:o, s:s?, "
                                                "s:I, s:I, s:I, s:s?, s:s?, s:s?}",
                        "job_id", p->job_id, "attempt", (json_int_t) p->attempt, "user", p->user, "spec",
                        resolved_document(p->spec), "bound", strv_to_json(p->bound), "source_files",
                        strv_to_json(p->source_files), "part_dir", p->part_dir, "disks_parallel",
                        (json_int_t) (p->disks_parallel > 0 ? p->disks_parallel
                                                            : JOB_DISKS_PARALLEL_DEFAULT),
                        "appliances", (json_int_t) p->appliances, "appliance_memory",
                        (json_int_t) p->appliance_memory, "vddk_libdir", p->vddk_libdir, "vddk_plugin",
                        p->vddk_plugin, "virtio_win", p->virtio_win);

        if (!plan)
                return -ENOMEM;
        if (p->warm_pass > 0 &&
                        json_object_set_new(plan, "warm",
                                        json_pack("{s:I, s:b}", "pass", (json_int_t) p->warm_pass, "cutover",
                                                        (int) p->cutover)) < 0)
                return -ENOMEM;
        return job_file_write(directory, PLAN_FILE, plan);
}

/* Offsets count from the plan. */
static const JsonField plan_warm_fields[] = {
        { "pass", JSON_FIELD_UNSIGNED, offsetof(JobPlan, warm_pass), .flags = JSON_REQUIRED, .min = 1 },
        { "cutover", JSON_FIELD_BOOLEAN, offsetof(JobPlan, cutover), .flags = JSON_REQUIRED },
        {},
};

static const JsonField plan_fields[] = {
        { "job_id", JSON_FIELD_STRING, offsetof(JobPlan, job_id), .flags = JSON_REQUIRED },
        { "attempt", JSON_FIELD_UNSIGNED, offsetof(JobPlan, attempt), .flags = JSON_REQUIRED, .min = 1 },
        { "spec", JSON_FIELD_KNOWN, .flags = JSON_REQUIRED },
        { "user", JSON_FIELD_STRING, offsetof(JobPlan, user), .flags = JSON_NULLABLE | JSON_NONEMPTY,
                        .max = JOB_USER_MAX },
        { "bound", JSON_FIELD_STRV, offsetof(JobPlan, bound), .flags = JSON_NULLABLE,
                        .max = JSON_STRING_MAX + 64 },
        { "source_files", JSON_FIELD_STRV, offsetof(JobPlan, source_files), .flags = JSON_NULLABLE },
        { "part_dir", JSON_FIELD_STRING, offsetof(JobPlan, part_dir), .flags = JSON_NULLABLE },
        { "warm", JSON_FIELD_OBJECT, 0, .flags = JSON_NULLABLE, .nested = plan_warm_fields },
        { "virtio_win", JSON_FIELD_STRING, offsetof(JobPlan, virtio_win), .flags = JSON_NULLABLE },
        { "disks_parallel", JSON_FIELD_UNSIGNED, offsetof(JobPlan, disks_parallel), .min = 1,
                        .max = JOB_DISKS_PARALLEL_MAX },
        { "appliances", JSON_FIELD_UNSIGNED, offsetof(JobPlan, appliances), .flags = JSON_OR_ZERO,
                        .max = JOB_APPLIANCES_MAX },
        { "appliance_memory", JSON_FIELD_UNSIGNED, offsetof(JobPlan, appliance_memory),
                        .flags = JSON_OR_ZERO, .min = JOB_APPLIANCE_MEMORY_MIN,
                        .max = JOB_APPLIANCE_MEMORY_MAX },
        { "vddk_libdir", JSON_FIELD_STRING, offsetof(JobPlan, vddk_libdir), .flags = JSON_NULLABLE },
        { "vddk_plugin", JSON_FIELD_STRING, offsetof(JobPlan, vddk_plugin), .flags = JSON_NULLABLE },
        {},
};

/* The manager wrote it, but what it means for paths is checked here too: a plan decides what root
 * touches. */
static bool plan_makes_sense(const JobPlan *p) {
        _cleanup_free_ char *part = NULL;
        const char *reason;

        if (!job_id_is_valid(p->job_id) || (p->spec->job_id && !streq(p->spec->job_id, p->job_id)))
                return false;
        if (p->spec->parameters.warm != (p->warm_pass > 0))
                return false;
        STRV_FOREACH(file, p->source_files)
                if (!job_path_is_valid(*file, false, &reason))
                        return false;
        if (p->virtio_win && !job_path_is_valid(p->virtio_win, false, &reason))
                return false;
        STRV_FOREACH(entry, p->bound)
                if (isempty(identity_path(*entry)))
                        return false;
        if ((p->vddk_libdir && !job_path_is_valid(p->vddk_libdir, false, &reason)) ||
                        (p->vddk_plugin && !job_path_is_valid(p->vddk_plugin, false, &reason)))
                return false;
        if (endpoint_needs(&p->spec->source, ENDPOINT_NEEDS_FILES) &&
                        !streq_ptr(p->source_files ? p->source_files[0] : NULL, p->spec->source.path))
                return false;
        char **rest = p->source_files;
        STRV_FOREACH(disk, p->spec->source.further_disks) {
                rest = find_file(rest, *disk);
                if (!rest++)
                        return false;
        }
        if (job_spec_is_in_place(p->spec)) {
                part = p->spec->source.path ? job_part_path(p->spec->source.path) : NULL;
                return part && streq_ptr(p->part_dir, part);
        }
        if (!endpoint_needs(&p->spec->destination, ENDPOINT_NEEDS_FILES))
                return !p->part_dir;
        /* A block device is there already: nothing grows beside it. */
        if (!p->part_dir)
                return startswith(p->spec->destination.path, "/dev/") &&
                                p->spec->destination.format == FORMAT_RAW;
        part = job_part_path(p->spec->destination.path);
        return streq_ptr(p->part_dir, part);
}

int job_plan_decode(const char *text, size_t size, JobPlan **ret) {
        _cleanup_(job_plan_freep) JobPlan *p = new0(JobPlan, 1);
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *error = NULL;
        int r;

        if (!p)
                return -ENOMEM;
        p->disks_parallel = JOB_DISKS_PARALLEL_DEFAULT;
        r = json_parse_object(text, size, &object, &error);
        if (r >= 0)
                r = json_table_decode(plan_fields, object, "", p, &errors);
        if (r >= 0)
                r = job_spec_from_json(json_object_get(object, "spec"), &p->spec, &errors);
        if (r < 0)
                return r;
        if (errors.n_errors > 0 || !plan_makes_sense(p))
                return -EBADMSG;
        *ret = TAKE_PTR(p);
        return 0;
}

int job_plan_read(const char *directory, JobPlan **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = job_file_read(directory, PLAN_FILE, PLAN_MAX, &text, &size);

        return r < 0 ? r : job_plan_decode(text, size, ret);
}

int job_mark_set(const char *directory, const char *mark) {
        _cleanup_close_ int dir = open_directory(directory);

        return dir < 0 ? dir : write_file_atomic_at(dir, mark, "", 0, 0644);
}

int job_mark_clear(const char *directory, const char *mark) {
        _cleanup_close_ int dir = open_directory(directory);

        if (dir < 0)
                return dir;
        if (unlinkat(dir, mark, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return fsync(dir) < 0 ? -errno : 0;
}

int job_mark_is_set(const char *directory, const char *mark) {
        _cleanup_close_ int dir = open_directory(directory);
        struct stat st;

        if (dir < 0)
                return dir;
        if (fstatat(dir, mark, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        return 1;
}

/* What is claimed is what a symlink points to: that is made as a whole or not at all, and never replaces
 * another. */
#define CLAIM_LINK "ending"

/* 1 if it is @mark, 0 if it is another, -ENOENT if there is none. */
static int compare_claim(int dir, const char *mark) {
        char target[NAME_MAX + 1];
        ssize_t n = readlinkat(dir, CLAIM_LINK, target, sizeof(target));

        if (n < 0)
                return -errno;
        return (size_t) n == strlen(mark) && memcmp(target, mark, (size_t) n) == 0;
}

int job_mark_claim(const char *directory, const char *mark) {
        _cleanup_close_ int dir = open_directory(directory);
        int r;

        if (dir < 0)
                return dir;
        if (symlinkat(mark, dir, CLAIM_LINK) < 0) {
                if (errno != EEXIST)
                        return -errno;
                r = compare_claim(dir, mark);
                if (r <= 0)
                        return r < 0 ? r : -EALREADY;
        }
        return fsync(dir) < 0 ? -errno : 0;
}

int job_mark_release(const char *directory) {
        return job_mark_clear(directory, CLAIM_LINK);
}

int job_mark_is_claimed(const char *directory, const char *mark) {
        _cleanup_close_ int dir = open_directory(directory);
        int r = dir < 0 ? dir : compare_claim(dir, mark);

        return r == -ENOENT ? 0 : r;
}
