/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/chain.h"
#include "basic/fd-util.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "engine/nbd-connect.h"
#include "image/image-names.h"
#include "image/image-paths.h"
#include "job/inspect.h"
#include "job/layer-map.h"

/* The first of the places where the parent may be that is a file of the job, in *ret (caller frees). */
static int find_parent(const Image *child, const ImageNames *n, char *const *visible, char **ret) {
        STRV_FOREACH(name, n->parents) {
                _cleanup_strv_free_ char **paths = NULL;
                int r = image_parent_paths(child->path, *name, n->parent_id != NULL, &paths);
                if (r < 0)
                        return r;
                STRV_FOREACH(path, paths)
                        if (strv_contains(visible, *path) && !streq(*path, child->path))
                                return free_and_strdup(ret, *path);
        }
        return -ENOENT;
}

static bool is_in_chain(const Image *top, const char *path) {
        for (const Image *i = top; i; i = i->parent)
                if (streq(i->path, path) || strv_contains(i->extents, path))
                        return true;
        return false;
}

static int new_image(const Image *child, const char *path, const struct stat *st, int format, Image **ret) {
        Image *i = new0(Image, 1);

        if (!i)
                return -ENOMEM;
        *i = (Image){
                .label = strdup(path),
                .path = strdup(path),
                .whole = true,
                .length = (uint64_t) st->st_size,
                .format = format,
                .flatten = true,
                .in_use = child->in_use,
        };
        if (!i->label || !i->path) {
                image_done(i);
                free(i);
                return -ENOMEM;
        }
        *ret = i;
        return 0;
}

/* The parent says of itself what its child says of it. */
static int check_identity(Attempt *a, const Image *child, const ImageNames *n, const Image *parent, int fd) {
        _cleanup_image_names_ ImageNames own = {};
        _cleanup_free_ char *why = NULL;

        if (!n->parent_id)
                return 0;
        int r = image_names_read(fd, parent->length, parent->format, &own, &why);
        if (r < 0)
                return image_refused(a, parent->label, r, why);
        if (streq_ptr(own.id, n->parent_id))
                return 0;
        return attempt_fail(a, EBADMSG, "image_refused",
                        "The image %s was refused: it is on top of an image with the %s, but %s has the "
                        "%s: that is "
                        "another image, or was changed since",
                        child->label, n->parent_id, parent->label, own.id ? own.id : "none");
}

/* Opens what @child is on top of, as child->parent. */
static int open_parent(Attempt *a, const Image *top, Image *child, const ImageNames *n, int *ret_fd) {
        _cleanup_free_ char *path = NULL, *why = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        int r = find_parent(child, n, a->plan->source_files, &path);
        if (r == -ENOENT)
                return attempt_fail(a, r, "image_refused",
                                "The image %s was refused: it is on top of %s%s%s, which is not one of "
                                "the files of "
                                "the job",
                                child->label, n->parents ? "\"" : "an image",
                                n->parents ? n->parents[0] : "",
                                n->parents ? "\"" : " that it does not name");
        if (r < 0)
                return r;
        if (is_in_chain(top, path))
                return attempt_fail(a, ELOOP, "image_refused",
                                "The image %s was refused: it is on top of itself", top->label);
        r = open_regular(path, &fd, &st);
        if (r < 0)
                return attempt_fail(a, r, "image_refused", "Opening %s, which %s is on top of, failed: %s",
                                path, child->label, strerror(-r));
        r = new_image(child, path, &st, n->parent_format, &child->parent);
        if (r < 0)
                return r;
        r = image_settle_format(fd, child->parent, &why);
        if (r < 0)
                return image_refused(a, path, r, why);
        r = check_identity(a, child, n, child->parent, fd);
        if (r >= 0)
                r = image_examine(a, fd, child->parent);
        if (r >= 0 && child->parent->differencing && !child->differencing)
                return attempt_fail(a, EOPNOTSUPP, "image_refused",
                                "The image %s was refused: %s, which it is on top of, is a differencing "
                                "disk, which "
                                "is supported only below others of its format: merge it first",
                                child->label, path);
        if (r >= 0)
                *ret_fd = TAKE_FD(fd);
        return r;
}

int chain_check_all_used(Attempt *a, const Image *disks, size_t n) {
        /* What was unpacked has no files of its own. */
        if (n == 0 || !a->plan->source_files || !streq(disks[0].path, a->plan->source_files[0]))
                return 0;
        STRV_FOREACH(path, a->plan->source_files) {
                bool used = false;

                for (size_t i = 0; i < n && !used; i++)
                        used = is_in_chain(&disks[i], *path);
                if (!used)
                        return attempt_fail(a, EBADMSG, "image_refused",
                                        "The image %s was refused: %s was a part of it when the job began, "
                                        "and is not any more",
                                        disks[0].label, *path);
        }
        return 0;
}

int chain_examine(Attempt *a, int fd, Image *top) {
        _cleanup_close_ int own = -EBADF;
        unsigned depth = 1;

        if (!top->whole)
                return 0;
        for (Image *i = top;; i = i->parent, depth++) {
                _cleanup_image_names_ ImageNames n = {};
                _cleanup_free_ char *why = NULL;

                int r = image_names_read(own >= 0 ? own : fd, i->length, i->format, &n, &why);
                if (r < 0)
                        return image_refused(a, i->label, r, why);
                if ((n.has_parent && !i->flatten) || (i->differencing && !n.has_parent))
                        return image_refused(a, i->label, -EBADMSG,
                                        "its tables do not agree on whether it has a parent");
                if (!n.has_parent)
                        break;
                if (depth == IMAGE_CHAIN_MAX)
                        return attempt_fail(a, EBADMSG, "image_refused",
                                        "The image %s was refused: more than %u images are on top of "
                                        "each other",
                                        top->label, IMAGE_CHAIN_MAX);
                int next = -EBADF;
                r = open_parent(a, top, i, &n, &next);
                if (r < 0)
                        return r;
                safe_close(own);
                own = next;
        }
        for (const Image *i = top->parent; i; i = i->parent)
                top->actual_size += i->actual_size;
        return 0;
}

/* --- reading --------------------------------------------------------------------------------------- */

static int add_layer(Attempt *a, const Image *i, Connection *c) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *why = NULL;
        LayerMap *map = NULL;
        struct stat st;

        int r = open_regular(i->path, &fd, &st);
        if (r >= 0)
                r = layer_map_open(fd, (uint64_t) st.st_size, (DiskFormat) i->format, &map, &why);
        if (r < 0)
                return image_refused(a, i->label, r, why);
        Endpoint *below = TAKE_PTR(c->endpoint);
        return endpoint_layer_new(below, map, i->label, &c->endpoint);
}

/* The last one first: each layer needs the disk below it. */
static int connect_layers(Attempt *a, const Image *i, Connection *c) {
        if (!i->differencing)
                return connect_image(a, i, false, NBD_SOURCE, i->label, c);
        int r = connect_layers(a, i->parent, c);
        return r < 0 ? r : add_layer(a, i, c);
}

int chain_connect(Attempt *a, const Image *top, Connection *ret) {
        _cleanup_connection_ Connection c = {};

        int r = connect_layers(a, top, &c);
        if (r < 0)
                return r;
        /* All that was read before says so. */
        if (c.endpoint->size != top->virtual_size)
                return attempt_fail(a, EBADMSG, "image_refused",
                                "The image %s was refused: it holds a disk of %ju bytes, but %ju can be "
                                "read",
                                top->label, (uintmax_t) top->virtual_size, (uintmax_t) c.endpoint->size);
        *ret = c;
        c = (Connection){};
        return 0;
}
