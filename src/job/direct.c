/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/direct.h"

#include "basic/fd-util.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "engine/endpoint-file.h"
#include "job/in-use.h"

#define EXTENTS_MAX ((size_t) 256) /* so many files may be open at once */

/* The files of a disk that are opened here. */
typedef struct Ranges {
        FileRange *ranges;
        size_t n;
        int *fds;
        size_t n_fds;
} Ranges;

static void ranges_done(Ranges *r) {
        while (r->n_fds > 0)
                safe_close(r->fds[--r->n_fds]);
        free(r->fds);
        free(r->ranges);
}

static int reserve(Ranges *r, size_t n) {
        r->ranges = new0(FileRange, n);
        r->fds = malloc(n * sizeof(*r->fds));
        return r->ranges && r->fds ? 0 : -ENOMEM;
}

/* While we read, no virtual machine may start to write, as with a server of qemu's. */
static int hold(Attempt *a, const Image *i, const char *path, int fd) {
        if (i->in_use || in_use_hold(fd) != -EBUSY)
                return 0;
        return attempt_fail(a, EBUSY, "source_in_use",
                        "%s is in use by another process, perhaps a running virtual machine, which has "
                        "locked it "
                        "for writing",
                        path);
}

static int open_extent(Attempt *a, const Image *i, const VmdkExtent *x, int *ret) {
        _cleanup_free_ char *path =
                        strprintf("%.*s/%s", (int) (strrchr(i->path, '/') - i->path), i->path, x->name);
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (!path)
                return -ENOMEM;
        int r = open_regular(path, &fd, &st);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Opening %s, which %s is made of, failed: %s", path,
                                i->label, strerror(-r));
        r = hold(a, i, path, fd);
        if (r >= 0)
                *ret = TAKE_FD(fd);
        return r;
}

static int add_extents(Attempt *a, const Image *i, Ranges *r) {
        for (size_t k = 0; k < i->vmdk.n_extents; k++) {
                const VmdkExtent *x = &i->vmdk.extents[k];
                FileRange *range = &r->ranges[r->n++];

                *range = (FileRange){ .fd = -EBADF, .length = x->sectors * VMDK_SECTOR };
                if (x->kind == VMDK_EXTENT_ZERO)
                        continue;
                range->offset = x->offset * VMDK_SECTOR;
                int q = open_extent(a, i, x, &r->fds[r->n_fds]);
                if (q < 0)
                        return q;
                range->fd = r->fds[r->n_fds++];
        }
        return 0;
}

/* What is missing of the last sector is zeroes, as qemu has it. */
static int add_file(Attempt *a, const Image *i, int fd, Ranges *r) {
        uint64_t length = MIN(i->length, i->virtual_size);

        r->ranges[r->n++] = (FileRange){ .fd = fd, .offset = i->offset, .length = length };
        r->ranges[r->n++] = (FileRange){ .fd = -EBADF, .length = i->virtual_size - length };
        return hold(a, i, i->path, fd);
}

static bool is_flat_vmdk(const Image *i) {
        if (i->vmdk.n_extents == 0 || i->vmdk.n_extents > EXTENTS_MAX || i->cut_size > 0)
                return false;
        for (size_t k = 0; k < i->vmdk.n_extents; k++)
                if (i->vmdk.extents[k].kind != VMDK_EXTENT_FLAT &&
                                i->vmdk.extents[k].kind != VMDK_EXTENT_ZERO)
                        return false;
        return true;
}

int direct_connect(Attempt *a, const Image *i, int fd, Connection *ret) {
        _cleanup_(ranges_done) Ranges ranges = {};
        bool file = i->format == FORMAT_RAW || i->flat;
        int r;

        if (i->parent || i->differencing || i->overlay || (!file && !is_flat_vmdk(i)))
                return 0;
        r = reserve(&ranges, file ? 2 : i->vmdk.n_extents);
        if (r >= 0)
                r = file ? add_file(a, i, fd, &ranges) : add_extents(a, i, &ranges);
        if (r < 0)
                return r;
        *ret = (Connection){};
        r = endpoint_file_new(ranges.ranges, ranges.n, i->label, &ret->endpoint);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Opening the image %s failed: %s", i->label, strerror(-r));
        return 1;
}
