/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/step-package.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "engine/checkpoint.h"
#include "image/checksum.h"
#include "image/ovf-writer.h"
#include "image/tar-writer.h"

#define MANIFEST_ALGORITHM "SHA256"
#define PIECE ((size_t) 1024 * 1024)

/* A disk's file, when it is part of a package. */
typedef struct Member {
        char *name;
        int fd;
        uint64_t size;
} Member;

typedef struct Package {
        Run *run;
        const JobEndpoint *spec;
        Member disks[OVF_WRITE_MAX];
        size_t n_disks;
        char *ovf_name, *manifest_name;
        char *ovf, *manifest; /* their text */
        uint64_t done, total; /* bytes that are read, and written to a tar */
} Package;

static void package_done(Package *p) {
        for (size_t i = 0; i < p->n_disks; i++) {
                free(p->disks[i].name);
                safe_close(p->disks[i].fd);
        }
        free(p->ovf_name);
        free(p->manifest_name);
        free(p->ovf);
        free(p->manifest);
}

static int package_fail(const Package *p, int r, const char *what) {
        return attempt_fail(p->run->attempt, r, NULL, "%s the %s %s failed: %s", what,
                        layout_what(p->spec, 1), p->spec->path, strerror(abs(r)));
}

static char *base_name(const char *path) {
        return strdup(strrchr(path, '/') + 1);
}

/* "vm" of "/srv/vm.ova" */
static char *stem_of(const char *path) {
        const char *name = strrchr(path, '/') + 1, *dot = strrchr(name, '.');

        return strndup(name, dot && dot != name ? (size_t) (dot - name) : strlen(name));
}

/* --- what is in it --------------------------------------------------------------------------------- */

static int open_disk(Package *p, size_t disk) {
        _cleanup_(image_done) Image image = {};
        Member *m = &p->disks[disk];
        struct stat st;

        int r = part_image(&p->run->conversion, disk, &image);
        if (r < 0)
                return r;
        *m = (Member){ .fd = -EBADF, .name = base_name(image.label) };
        p->n_disks++;
        if (!m->name)
                return -ENOMEM;
        m->fd = open(image.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (m->fd < 0 || fstat(m->fd, &st) < 0)
                return package_fail(p, errno, "Opening the disks of");
        m->size = (uint64_t) st.st_size;
        return 0;
}

static int make_descriptor(Package *p) {
        _cleanup_free_ char *stem = stem_of(p->spec->path);
        OvfWriteDisk disks[OVF_WRITE_MAX];

        for (size_t i = 0; i < p->n_disks; i++)
                disks[i] = (OvfWriteDisk){
                        .file = p->disks[i].name,
                        .size = p->disks[i].size,
                        .capacity = p->run->conversion.sizes[i],
                };
        p->ovf_name = stem ? strprintf("%s.ovf", stem) : NULL;
        p->manifest_name = stem ? strprintf("%s.mf", stem) : NULL;
        p->ovf = stem ? ovf_write(stem, p->run->source->vm, disks, p->n_disks) : NULL;
        return p->ovf_name && p->manifest_name && p->ovf ? 0 : -ENOMEM;
}

static int on_hashed(void *userdata, uint64_t done) {
        Package *p = userdata;

        report_progress(&p->run->attempt->report, "Computing the manifest", p->done + done, p->total, 0,
                        true);
        return 0;
}

static int add_digest(Package *p, const char *name, int fd, uint64_t size) {
        char digest[CHECKSUM_HEX_MAX];

        int r = checksum_file(
                        fd, 0, size, MANIFEST_ALGORITHM, p->run->attempt->cancel_fd, on_hashed, p, digest);
        if (r < 0)
                return r == -ECANCELED ? r : package_fail(p, r, "Computing the manifest of");
        char *longer = strprintf("%s" MANIFEST_ALGORITHM "(%s)= %s\n", strempty(p->manifest), name, digest);
        if (!longer)
                return -ENOMEM;
        free(p->manifest);
        p->manifest = longer;
        p->done += size;
        return 0;
}

/* --- writing it ------------------------------------------------------------------------------------ */

/* The image of a place, empty. */
static int create_place(Package *p, unsigned place, int *ret) {
        _cleanup_close_ int dir = -EBADF;

        int r = part_directory_disk(p->run->part_fd, place, true, &dir);
        if (r >= 0 && unlinkat(dir, PART_IMAGE_FILE, 0) < 0 && errno != ENOENT)
                r = -errno;
        if (r >= 0) {
                r = openat(dir, PART_IMAGE_FILE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
                r = r < 0 ? -errno : r;
        }
        if (r < 0)
                return package_fail(p, r, "Making a file of");
        *ret = r;
        return 0;
}

static int write_text(Package *p, unsigned place, const char *text) {
        _cleanup_close_ int fd = -EBADF;

        int r = create_place(p, place, &fd);
        if (r < 0)
                return r;
        r = pwrite_full(fd, text, strlen(text), 0);
        if (r >= 0 && fsync(fd) < 0)
                r = -errno;
        return r < 0 ? package_fail(p, r, "Writing") : 0;
}

typedef struct Tar {
        Package *package;
        int fd;
        uint64_t offset;
} Tar;

static int tar_write(Tar *t, const void *data, size_t size) {
        int r = pwrite_full(t->fd, data, size, t->offset);

        t->offset += size;
        return r;
}

static int tar_begin(Tar *t, const char *name, uint64_t size) {
        char header[TAR_BLOCK];

        int r = tar_write_header(name, size, (int64_t) time(NULL), header);
        return r < 0 ? r : tar_write(t, header, sizeof(header));
}

static int tar_end(Tar *t, uint64_t size) {
        static const char zeroes[TAR_END_SIZE] = {};

        return tar_write(t, zeroes, tar_padding(size));
}

static int tar_add_text(Tar *t, const char *name, const char *text) {
        size_t size = strlen(text);

        int r = tar_begin(t, name, size);
        if (r >= 0)
                r = tar_write(t, text, size);
        return r < 0 ? r : tar_end(t, size);
}

static int tar_add_disk(Tar *t, const Member *m) {
        Package *p = t->package;
        _cleanup_free_ char *buf = malloc(PIECE);

        if (!buf)
                return -ENOMEM;
        int r = tar_begin(t, m->name, m->size);
        for (uint64_t at = 0; r >= 0 && at < m->size;) {
                size_t n = (size_t) MIN((uint64_t) PIECE, m->size - at);
                r = pread_full(m->fd, buf, n, at);
                if (r >= 0)
                        r = tar_write(t, buf, n);
                at += n;
                p->done += n;
                report_progress(&p->run->attempt->report, "Writing the OVA", p->done, p->total, 0, true);
                if (r >= 0 && attempt_is_cancelled(p->run->attempt))
                        r = -ECANCELED;
        }
        return r < 0 ? r : tar_end(t, m->size);
}

/* The descriptor is the first file, as DSP0243 demands, and the manifest the second. */
static int write_tar(Package *p) {
        static const char zeroes[TAR_END_SIZE] = {};
        _cleanup_close_ int fd = -EBADF;

        int r = create_place(p, PLACE_PACKAGE, &fd);
        if (r < 0)
                return r;
        Tar t = { .package = p, .fd = fd };
        r = tar_add_text(&t, p->ovf_name, p->ovf);
        if (r >= 0)
                r = tar_add_text(&t, p->manifest_name, p->manifest);
        for (size_t i = 0; r >= 0 && i < p->n_disks; i++)
                r = tar_add_disk(&t, &p->disks[i]);
        if (r >= 0)
                r = tar_write(&t, zeroes, sizeof(zeroes));
        if (r >= 0) {
                report_flush(&p->run->attempt->report, p->total, t.offset);
                r = fsync(fd) < 0 ? -errno : 0;
        }
        return r == -ECANCELED ? r : r < 0 ? package_fail(p, r, "Writing") : 0;
}

static int write_manifest(Package *p) {
        int r = write_text(p, PLACE_PACKAGE, p->ovf);
        _cleanup_close_ int fd = -EBADF;

        if (r < 0)
                return r;
        fd = openat(p->run->part_fd, PART_IMAGE_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return package_fail(p, errno, "Opening");
        r = add_digest(p, p->ovf_name, fd, strlen(p->ovf));
        for (size_t i = 0; r >= 0 && i < p->n_disks; i++)
                r = add_digest(p, p->disks[i].name, p->disks[i].fd, p->disks[i].size);
        return r;
}

int step_package(Run *run) {
        _cleanup_(package_done) Package p = { .run = run, .spec = run->conversion.spec };
        Report *report = &run->attempt->report;

        if (!run->conversion.stream)
                return 0;
        report_phase(report, PHASE_FINALIZATION, "Writing the %s %s", layout_what(p.spec, 1), p.spec->path);
        for (size_t i = 0; i < run->source->n_disks; i++) {
                int r = open_disk(&p, i);
                if (r < 0)
                        return r;
                p.total += p.disks[i].size;
        }
        int r = make_descriptor(&p);
        if (r < 0)
                return r;
        bool tar = p.spec->format == FORMAT_OVA;
        p.total = p.total * (tar ? 2 : 1) + strlen(p.ovf);
        report_package(report, p.total);
        r = write_manifest(&p);
        if (r >= 0)
                r = tar ? write_tar(&p) : write_text(&p, PLACE_MANIFEST, p.manifest);
        return r;
}
