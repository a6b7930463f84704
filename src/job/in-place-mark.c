/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/in-place-mark.h"

#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "json/json-parse.h"

/* With the paths of all disks. */
#define MARK_MAX ((size_t) 1024 * 1024)

static const char *first_disk(const Attempt *a) {
        return a->plan->spec->source.path;
}

/* 0 with *ret; -ENOENT: there is none. */
static int load(const PartDirectory *p, json_t **ret) {
        _cleanup_free_ char *text = NULL, *why = NULL;
        size_t size;
        int r = p->fd < 0 ? -ENOENT : read_file_at(p->fd, PART_COMMIT_FILE, MARK_MAX, &text, &size);

        return r < 0 ? r : json_parse_object(text, size, ret, &why);
}

static int store(const PartDirectory *p, json_t *mark) {
        char *text = mark ? json_dumps(mark, JSON_COMPACT) : NULL;
        int r = text ? write_file_atomic_at(p->fd, PART_COMMIT_FILE, text, strlen(text), 0600) : -ENOMEM;

        free(text);
        return r;
}

/* Of the disk @path. The caller calls part_directory_done(). */
static int open_of(const char *path, PartDirectory *ret) {
        _cleanup_free_ char *part = job_part_path(path), *why = NULL;

        return part ? part_directory_open(part, ret, &why) : -ENOMEM;
}

/* --- interrupted commits --------------------------------------------------------------------------- */

static bool lists(json_t *mark, const char *path) {
        json_t *disk;
        size_t i;

        json_array_foreach(json_object_get(mark, "disks"), i, disk)
                if (streq_ptr(json_string_value(json_object_get(disk, "path")), path))
                        return true;
        return false;
}

/* Whether a commit into @path, one of the disks whose first one is @first, is not complete. */
static bool is_interrupted(const char *first, const char *path) {
        _cleanup_part_directory_ PartDirectory p = PART_DIRECTORY_INIT;
        _cleanup_json_ json_t *mark = NULL;
        int r = open_of(first, &p);

        if (r >= 0)
                r = load(&p, &mark);
        if (r == -ENOENT)
                return false;
        /* What cannot be read may have been any note. */
        return r < 0 || (lists(mark, path) && !json_is_true(json_object_get(mark, "done")));
}

bool in_place_is_interrupted(const char *path) {
        _cleanup_part_directory_ PartDirectory p = PART_DIRECTORY_INIT;
        _cleanup_json_ json_t *mark = NULL;
        int r = open_of(path, &p);

        if (r >= 0)
                r = load(&p, &mark);
        if (r < 0)
                return r == -EBADMSG;
        const char *first = json_string_value(json_object_get(mark, "first"));
        return is_interrupted(first ? first : path, path);
}

int in_place_mark_check_further(Attempt *a) {
        STRV_FOREACH(path, a->plan->spec->source.further_disks)
                if (in_place_is_interrupted(*path))
                        return attempt_fail(a, EBUSY, "source_in_use",
                                        "The changes of the guest of %s are not completely written: repeat "
                                        "the job that writes them first",
                                        *path);
        return 0;
}

/* --- reading --------------------------------------------------------------------------------------- */

static int decode_disk(Attempt *a, json_t *disk, InPlaceMark *m) {
        const char *path = json_string_value(json_object_get(disk, "path")),
                   *format = json_string_value(json_object_get(disk, "format"));

        if (m->n_disks >= PART_DISKS_MAX || !path || !format)
                return -EBADMSG;
        if (!streq_ptr(job_source_disk(&a->plan->spec->source, m->n_disks), path))
                return attempt_fail(a, EBUSY, "source_in_use",
                                "The changes of the guest of %s and of other disks, such as %s, are not "
                                "completely written: repeat the job that writes them, or give the same disks",
                                first_disk(a), path);
        m->formats[m->n_disks] = (int) disk_format_from_string(format);
        return m->formats[m->n_disks++] < 0 ? -EBADMSG : 0;
}

/* @first is the first disk of the job that has left the note here. */
static int decode_further(Attempt *a, const char *first) {
        if (!is_interrupted(first, first_disk(a)))
                return 0;
        return attempt_fail(a, EBUSY, "source_in_use",
                        "The changes of the guest of %s and of further disks, such as %s, are not completely "
                        "written: repeat the job that writes them first",
                        first, first_disk(a));
}

static int decode(Attempt *a, json_t *mark, InPlaceMark *m) {
        const char *first = json_string_value(json_object_get(mark, "first"));
        json_t *disks = json_object_get(mark, "disks"), *disk;
        size_t i;

        if (first)
                return decode_further(a, first);
        m->own = streq_ptr(json_string_value(json_object_get(mark, "job_id")), a->plan->job_id);
        m->done = json_is_true(json_object_get(mark, "done"));
        if (m->done && !m->own)
                return 0;
        if (json_array_size(disks) == 0)
                return -EBADMSG;
        json_array_foreach(disks, i, disk) {
                int r = decode_disk(a, disk, m);
                if (r < 0)
                        return r;
        }
        return 0;
}

int in_place_mark_read(Attempt *a, const PartDirectory *p, InPlaceMark *ret) {
        _cleanup_json_ json_t *mark = NULL;
        int r = load(p, &mark);

        *ret = (InPlaceMark){};
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = decode(a, mark, ret);
        return r >= 0 || a->code ? r
                                 : attempt_fail(a, r, NULL, "Reading %s/" PART_COMMIT_FILE " failed: %s",
                                                   p->path, strerror(-r));
}

/* --- writing --------------------------------------------------------------------------------------- */

static int write_further(const Attempt *a, const char *path) {
        _cleanup_part_directory_ PartDirectory p = PART_DIRECTORY_INIT;
        _cleanup_json_ json_t *mark =
                        json_pack("{s:s, s:s}", "job_id", a->plan->job_id, "first", first_disk(a));
        int r = open_of(path, &p);

        if (r >= 0)
                r = part_directory_make(&p);
        return r < 0 ? r : store(&p, mark);
}

static json_t *encode(const Attempt *a, const InPlaceMark *m) {
        _cleanup_json_ json_t *disks = json_array();

        for (size_t i = 0; i < m->n_disks; i++)
                if (json_array_append_new(disks,
                                    json_pack("{s:s, s:s}", "path",
                                                    job_source_disk(&a->plan->spec->source, i), "format",
                                                    disk_format_to_string((DiskFormat) m->formats[i]))) < 0)
                        return NULL;
        return json_pack(
                        "{s:s, s:b, s:O}", "job_id", a->plan->job_id, "done", (int) m->done, "disks", disks);
}

int in_place_mark_write(const Attempt *a, const PartDirectory *p, const InPlaceMark *mark) {
        _cleanup_json_ json_t *object = encode(a, mark);
        int r = object ? 0 : -ENOMEM;

        for (size_t i = 1; i < mark->n_disks && r >= 0 && !mark->done; i++)
                r = write_further(a, job_source_disk(&a->plan->spec->source, i));
        if (r >= 0)
                r = store(p, object);
        return r;
}

/* Unless another job has left it there. */
static void remove_further(const Attempt *a, const char *path) {
        _cleanup_part_directory_ PartDirectory p = PART_DIRECTORY_INIT;
        _cleanup_json_ json_t *mark = NULL;
        int r = open_of(path, &p);

        if (r >= 0)
                r = load(&p, &mark);
        if (r >= 0 && streq_ptr(json_string_value(json_object_get(mark, "first")), first_disk(a)))
                r = part_directory_remove(&p);
        if (r < 0 && r != -ENOENT)
                log_warning_errno(r, "Failed to remove the note of a commit into %s: %m", path);
}

void in_place_mark_remove(const Attempt *a, const PartDirectory *p) {
        if (p->fd >= 0 && unlinkat(p->fd, PART_COMMIT_FILE, 0) < 0 && errno != ENOENT)
                log_warning_errno(errno, "Failed to remove %s/" PART_COMMIT_FILE ": %m", p->path);
        STRV_FOREACH(path, a->plan->spec->source.further_disks)
                remove_further(a, *path);
}
