/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/image-names.h"
#include "image/image-paths.h"
#include "image/vmdk-descriptor.h"
#include "manager/source-chain.h"

/* Each is a mount of the job's own, which takes systemd the longer the more there are. */
#define FILES_MAX 1000u

/* One image of the chain. */
typedef struct Link {
        char *path;
        int fd;
        uint64_t size;
        ImageNames names;
} Link;

typedef struct Walk {
        const JobSpec *spec;
        const char *field, *top; /* where the spec names the image, and its path */
        const PathRules *rules;
        JobFiles *files;
        char **images; /* the paths of all images, the top first; the last may be a name in quotes */
        JsonErrors *errors;
} Walk;

static void link_done(Link *l) {
        free(l->path);
        safe_close(l->fd);
        image_names_done(&l->names);
        *l = (Link){ .fd = -EBADF };
}

/* {"source.path", "PATH: TEXT"} */
static int refuse(Walk *w, const char *format, ...) _printf_(2, 3);
static int refuse(Walk *w, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = vstrprintf(format, ap);
        va_end(ap);
        if (!text)
                return -ENOMEM;
        int r = json_errors_add(w->errors, w->field, "%s: %s", w->top, text);
        return r < 0 ? r : -EBADMSG;
}

/* --- one image ------------------------------------------------------------------------------------- */

/* Opens a regular file without following anything. */
static int open_plain(const char *path, int *ret_fd, uint64_t *ret_size) {
        struct open_how how = {
                .flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                .resolve = RESOLVE_NO_SYMLINKS,
        };
        _cleanup_close_ int fd = (int) syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -ENOTBLK;
        *ret_fd = TAKE_FD(fd);
        *ret_size = (uint64_t) st.st_size;
        return 0;
}

/* @path passed the rules. */
static int link_open(Walk *w, const char *path, int format, Link *ret) {
        _cleanup_(link_done) Link l = { .path = strdup(path), .fd = -EBADF };
        _cleanup_free_ char *why = NULL;

        if (!l.path)
                return -ENOMEM;
        int r = open_plain(path, &l.fd, &l.size);
        if (r < 0)
                return r == -ENOMEM ? r : refuse(w, "%s cannot be opened: %s", path, strerror(-r));
        r = image_names_read(l.fd, l.size, format, &l.names, &why);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && streq(path, w->top))
                return refuse(w, "%s", why ? why : strerror(-r));
        if (r < 0)
                return refuse(w, "%s: %s", path, why ? why : strerror(-r));
        *ret = l;
        l = (Link){ .fd = -EBADF };
        return 0;
}

/* A further file of a split disk: a plain one beside the descriptor, and no link to another place. */
static int add_extent(Walk *w, const Link *l, const char *name) {
        const char *slash = strrchr(l->path, '/');
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (!vmdk_extent_name_is_plain(name))
                return refuse(w, "its descriptor names an extent that is not a plain file beside it");
        path = strprintf("%.*s/%s", (int) (slash - l->path), l->path, name);
        if (!path)
                return -ENOMEM;
        if (lstat(path, &st) < 0)
                return refuse(w, "its extent %s cannot be used: %s", name, strerror(errno));
        if (!S_ISREG(st.st_mode))
                return refuse(w, "its extent %s is not a regular file", name);
        if (strv_contains(w->files->source_files, path))
                return w->spec->source.further_disks ? refuse(w, "%s is named twice", path) : 0;
        int r = job_files_note(w->files, path, &st);
        return r < 0 ? r : strv_consume(&w->files->source_files, TAKE_PTR(path));
}

static int add_extents(Walk *w, const Link *l) {
        STRV_FOREACH(name, l->names.files) {
                int r = add_extent(w, l, *name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- parents --------------------------------------------------------------------------------------- */

/* Whether @path may be the parent of @child: 1, with the open file in *ret. What may not be used is as if it
 * was not there. */
static int try_parent(Walk *w, const Link *child, const char *path, Link *ret) {
        _cleanup_(link_done) Link l = { .fd = -EBADF };
        _cleanup_free_ char *real = NULL;
        const char *why = NULL;
        struct stat st, opened;

        _cleanup_close_ int handle = path_open(w->rules, path, false, false, &real, &why);
        if (handle == -ENOMEM)
                return handle;
        if (handle < 0 || !streq(real, path) || fstat(handle, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;
        if (strv_contains(w->images, path))
                return refuse(w, "it is on top of itself");
        int r = link_open(w, path, child->names.parent_format, &l);
        if (r < 0)
                return r;
        if (child->names.parent_id && !streq_ptr(child->names.parent_id, l.names.id))
                return 0;
        /* What was read is what the rules were asked about. */
        if (fstat(l.fd, &opened) < 0)
                return -errno;
        if (opened.st_dev != st.st_dev || opened.st_ino != st.st_ino)
                return 0;
        *ret = l;
        l = (Link){ .fd = -EBADF };
        return 1;
}

static int find_parent(Walk *w, const Link *child, Link *ret) {
        STRV_FOREACH(name, child->names.parents) {
                _cleanup_strv_free_ char **paths = NULL;
                int r = image_parent_paths(child->path, *name, child->names.parent_id != NULL, &paths);
                if (r < 0)
                        return r;
                STRV_FOREACH(path, paths) {
                        r = try_parent(w, child, *path, ret);
                        if (r != 0)
                                return r;
                }
        }
        return 0;
}

/* The chain as far as it is known: "/srv/c.qcow2 on /srv/b.qcow2 on /srv/a.qcow2" */
static char *chain_text(const Walk *w) {
        return strv_join(w->images, " on ");
}

static int refuse_missing(Walk *w, const Link *child) {
        const char *id = child->names.parent_id,
                   *name = child->names.parents ? child->names.parents[0] : NULL;
        _cleanup_free_ char *chain = chain_text(w);

        if (!chain)
                return -ENOMEM;
        if (!name)
                return refuse(w,
                                "it is a snapshot or differencing disk (%s), and its last image does "
                                "not name its "
                                "parent%s%s%s",
                                chain, id ? " (" : "", strempty(id), id ? ")" : "");
        return refuse(w,
                        "it is a snapshot or differencing disk (%s on \"%s\"), whose last parent%s%s%s "
                        "is not where "
                        "it was said to be, or may not be a source",
                        chain, name, id ? " (" : "", strempty(id), id ? ")" : "");
}

static int refuse_chain(Walk *w) {
        _cleanup_free_ char *chain = chain_text(w);

        return chain ? refuse(w,
                                       "it is a snapshot or differencing disk, which holds only the "
                                       "changes to its "
                                       "parent: %s; set parameters.chain to \"flatten\" to read all of "
                                       "them as one "
                                       "disk",
                                       chain)
                     : -ENOMEM;
}

static int walk(Walk *w, Link *top) {
        _cleanup_(link_done) Link l = *top;

        *top = (Link){ .fd = -EBADF };
        for (unsigned depth = 1;; depth++) {
                Link parent = { .fd = -EBADF };

                int r = strv_extend(&w->images, l.path);
                if (r >= 0)
                        r = add_extents(w, &l);
                if (r < 0 || !l.names.has_parent)
                        return r;
                if (depth == IMAGE_CHAIN_MAX)
                        return refuse(w, "more than %u images are on top of each other", IMAGE_CHAIN_MAX);
                r = find_parent(w, &l, &parent);
                if (r <= 0)
                        return r < 0 ? r : refuse_missing(w, &l);
                link_done(&l);
                l = parent;
                if (strv_contains(w->files->source_files, l.path))
                        continue;
                struct stat st;
                if (fstat(l.fd, &st) < 0)
                        return -errno;
                r = job_files_note(w->files, l.path, &st);
                if (r >= 0)
                        r = strv_extend(&w->files->source_files, l.path);
                if (r < 0)
                        return r;
        }
}

int source_chain_add(const JobSpec *spec, const PathRules *rules, const char *field, const char *path,
                JobFiles *f, JsonErrors *errors) {
        Walk w = { .spec = spec, .rules = rules, .field = field, .top = path, .files = f, .errors = errors };
        _cleanup_(link_done) Link top = { .fd = -EBADF };

        /* To a raw disk its first bytes are the guest's business. */
        if (spec->source.format == FORMAT_RAW)
                return 0;
        int r = link_open(&w, path, spec->source.format, &top);
        if (r >= 0)
                r = walk(&w, &top);
        if (r >= 0 && strv_length(f->source_files) > FILES_MAX)
                r = refuse(&w, "it is made of %zu files, at most %u are supported",
                                strv_length(f->source_files), FILES_MAX);
        if (r >= 0 && strv_length(w.images) > 1 && spec->parameters.chain != CHAIN_FLATTEN)
                r = refuse_chain(&w);
        strv_free(w.images);
        return r;
}
