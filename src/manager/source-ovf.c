/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/source-ovf.h"

#include <dirent.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/ovf-names.h"

/* As much of a descriptor as the job reads. */
#define OVF_MAX ((size_t) 4 * 1024 * 1024)
#define HEAD ((size_t) 4096)
#define ENTRIES_MAX 20000u
#define CHUNK_DIGITS 9u

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

static bool has_suffix(const char *name, const char *suffix) {
        size_t n = strlen(name), k = strlen(suffix);

        return n > k && strcasecmp(name + n - k, suffix) == 0;
}

int source_ovf_in_directory(const char *directory, char **ret) {
        _cleanup_(closedirp) DIR *d = opendir(directory);
        _cleanup_free_ char *found = NULL;
        unsigned n = 0;

        if (!d)
                return -errno;
        for (struct dirent *e = readdir(d); e && n < ENTRIES_MAX; e = readdir(d), n++) {
                if (!has_suffix(e->d_name, ".ovf") || startswith(e->d_name, "._"))
                        continue;
                if (found) {
                        *ret = strprintf("%s and %s", strrchr(found, '/') + 1, e->d_name);
                        return *ret ? -ENOTUNIQ : -ENOMEM;
                }
                found = strprintf("%s/%s", directory, e->d_name);
                if (!found)
                        return -ENOMEM;
        }
        if (!found)
                return -ENOENT;
        *ret = TAKE_PTR(found);
        return 0;
}

/* --- what it names --------------------------------------------------------------------------------- */

/* Adds a file if it is one, and may be used; what may not be is as if it was not there. */
static int add_file(const PathRules *rules, JobFiles *f, const char *directory, size_t directory_length,
                const char *name) {
        _cleanup_free_ char *path = strprintf("%.*s/%s", (int) directory_length, directory, name),
                            *real = NULL;
        const char *why = NULL;
        struct stat st;

        if (!path)
                return -ENOMEM;
        _cleanup_close_ int fd = path_open(rules, path, false, false, &real, &why);
        if (fd == -ENOMEM)
                return fd;
        if (fd < 0 || !streq(real, path) || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
                        strv_contains(f->source_files, path))
                return 0;
        int r = job_files_note(f, path, &st);
        return r < 0 ? r : strv_consume(&f->source_files, TAKE_PTR(path));
}

static const char *last_part(const char *name) {
        const char *slash = strrchr(name, '/');

        return slash ? slash + 1 : name;
}

/* @entry is "<name>", or one of its chunks, "<name>.000000000"; in any case. */
static bool is_named(const char *entry, const char *name) {
        size_t n = strlen(name);

        if (strncasecmp(entry, name, n) != 0)
                return false;
        return !entry[n] ||
                        (entry[n] == '.' && strspn(entry + n + 1, "0123456789") == CHUNK_DIGITS &&
                                        !entry[n + 1 + CHUNK_DIGITS]);
}

static bool is_manifest(const char *entry, const char *ovf) {
        size_t stem = strlen(ovf) - strlen(".ovf");

        return has_suffix(entry, ".mf") && strlen(entry) == stem + strlen(".mf") &&
                        strncasecmp(entry, ovf, stem) == 0;
}

static int add_named(const PathRules *rules, JobFiles *f, char *const *names) {
        const char *directory = f->source_path, *ovf = last_part(f->source_path);
        size_t directory_length = (size_t) (ovf - 1 - directory);
        _cleanup_free_ char *path = strndup(directory, MAX(directory_length, (size_t) 1));
        _cleanup_(closedirp) DIR *d = path ? opendir(path) : NULL;
        unsigned n = 0;
        int r = 0;

        if (!d)
                return path ? -errno : -ENOMEM;
        for (struct dirent *e = readdir(d); e && r >= 0 && n < ENTRIES_MAX; e = readdir(d), n++) {
                bool wanted = is_manifest(e->d_name, ovf);

                for (char *const *name = names; name && *name && !wanted; name++)
                        wanted = is_named(e->d_name, last_part(*name));
                if (wanted)
                        r = add_file(rules, f, directory, directory_length, e->d_name);
        }
        /* Those in directories of their own; their chunks are counted from 0. */
        for (char *const *name = names; name && *name && r >= 0; name++) {
                size_t before = strv_length(f->source_files);

                if (!strchr(*name, '/'))
                        continue;
                r = add_file(rules, f, directory, directory_length, *name);
                for (unsigned i = 0; r >= 0 && i < ENTRIES_MAX; i++) {
                        _cleanup_free_ char *chunk = strprintf("%s.%0*u", *name, (int) CHUNK_DIGITS, i);

                        if (!chunk)
                                return -ENOMEM;
                        r = add_file(rules, f, directory, directory_length, chunk);
                        if (strv_length(f->source_files) == before)
                                break;
                        before = strv_length(f->source_files);
                }
        }
        return r;
}

static int refuse(JobFiles *f, JsonErrors *errors, const char *text) {
        int r = json_errors_add(errors, "source.path", "%s: %s", f->source_path, text);

        return r < 0 ? r : -EBADMSG;
}

/* Nothing is followed, nothing is waited for. */
static int read_descriptor(const char *path, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        _cleanup_free_ char *text = NULL;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -ENOTBLK;
        if ((uint64_t) st.st_size > OVF_MAX)
                return -EFBIG;
        text = malloc((size_t) st.st_size + 1);
        if (!text)
                return -ENOMEM;
        int r = pread_full(fd, text, (size_t) st.st_size, 0);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        *ret_size = (size_t) st.st_size;
        return 0;
}

int source_ovf_add(const JobSpec *spec, const PathRules *rules, JobFiles *f, JsonErrors *errors) {
        _cleanup_strv_free_ char **names = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size = 0;

        if (!has_suffix(f->source_path, ".ovf") ||
                        (spec->source.format != FORMAT_PROBE &&
                                        !disk_format_has(spec->source.format, FORMAT_IS_PACKAGE)))
                return 0;
        int r = read_descriptor(f->source_path, &text, &size);
        if (r == -EFBIG)
                return refuse(f, errors, "an OVF descriptor has 4 MiB at most");
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(f, errors, strerror(-r));
        if (!ovf_is_descriptor(text, MIN(size, HEAD)))
                return 0;
        r = ovf_names(text, size, &names);
        if (r == -E2BIG)
                return refuse(f, errors, "it names too many files");
        if (r >= 0)
                r = add_named(rules, f, names);
        return r < 0 && r != -ENOMEM ? refuse(f, errors, strerror(-r)) : r;
}
