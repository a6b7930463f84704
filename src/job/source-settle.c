/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a source is: archives are unpacked, an OVA's disks are found, manifests are checked, and each disk
 * gets its format. What is not recognized is refused. */

#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/archive-member.h"
#include "image/ova-name.h"
#include "image/ovf-names.h"
#include "job/inspect.h"
#include "job/part-directory.h"
#include "job/recognize.h"
#include "job/source-file.h"
#include "job/source-settle.h"
#include "job/unpack.h"

#define HEAD ((size_t) 4096)

static int duplicate(int fd) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return copy < 0 ? -errno : copy;
}

/* --- one image ------------------------------------------------------------------------------------- */

/* An image whose format is being settled. */
typedef struct Settling {
        Source *source;
        Image *image;
        size_t disk; /* from 0 */
        int *fd; /* where its bytes are; owned by the source */
        char *name; /* of its file */
        bool is_raw; /* the OVF says so */
        bool inner; /* it is a disk of an OVA */
} Settling;

static int read_head(const Settling *t, char head[static HEAD], size_t *ret) {
        *ret = (size_t) MIN(t->image->length, (uint64_t) HEAD);
        return pread_full(*t->fd, head, *ret, t->image->offset);
}

/* "disk.vmdk.gz" is "disk.vmdk". */
static int set_unpacked_name(Settling *t, const char *member) {
        static const char *const suffixes[] = { ".gz", ".gzip", ".xz", ".bz2", ".zst", ".zip", ".7z" };
        size_t n = strlen(t->name);

        if (member)
                return free_and_strdup(&t->name, member);
        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (ova_name_has_suffix(t->name, suffixes[i])) {
                        t->name[n - strlen(suffixes[i])] = 0;
                        break;
                }
        return 0;
}

/* The image is what was written into the part directory now. */
static int take_unpacked(Settling *t, Unpacked *u) {
        Image *i = t->image;

        safe_close(*t->fd);
        *t->fd = TAKE_FD(u->fd);
        free(i->path);
        i->path = TAKE_PTR(u->path);
        i->whole = true;
        i->offset = 0;
        i->length = u->size;
        return 0;
}

/* Where disk @disk is unpacked, and what that depends on. */
static int open_place(Settling *t, int *ret_fd, char **ret_dir, char **ret_identity) {
        Source *s = t->source;
        unsigned disk = t->inner ? (unsigned) t->disk + 1 : 1;

        int r = part_directory_disk(s->part_fd, disk, true, ret_fd);
        if (r < 0)
                return attempt_fail(s->attempt, r, NULL, "Making a directory in %s failed: %s", s->part_dir,
                                strerror(-r));
        *ret_dir = disk == 1 ? strdup(s->part_dir) : strprintf("%s/disk%u", s->part_dir, disk);
        *ret_identity = strprintf("%s\n%s %u", s->identity, t->inner ? "disk" : "archive", disk);
        return *ret_dir && *ret_identity ? 0 : -ENOMEM;
}

static int unpack_image(Settling *t, ArchiveKind kind, const Content *pieces) {
        _cleanup_(unpacked_done) Unpacked u = UNPACKED_INIT;
        _cleanup_free_ char *dir = NULL, *identity = NULL;
        _cleanup_close_ int dir_fd = -EBADF;

        int r = open_place(t, &dir_fd, &dir, &identity);
        if (r < 0)
                return r;
        Unpack unpack = {
                .attempt = t->source->attempt,
                .dir_fd = dir_fd,
                .dir = dir,
                .name = pieces             ? "pieces"
                                : t->inner ? "source"
                                           : "archive",
                .label = t->image->label,
                .identity = identity,
        };
        r = pieces ? unpack_content(&unpack, pieces, &u)
                   : unpack_archive(&unpack, kind, *t->fd, t->image->offset, t->image->length, &u);
        if (r < 0)
                return r;
        if (u.size == 0)
                return image_refused(
                                t->source->attempt, t->image->label, -EBADMSG, "what is in it is empty");
        if (!pieces)
                r = set_unpacked_name(t, u.member);
        return r < 0 ? r : take_unpacked(t, &u);
}

static int unpack_if_archive(Settling *t, const char *compression) {
        Attempt *a = t->source->attempt;
        char head[HEAD];
        size_t n;

        int r = read_head(t, head, &n);
        if (r < 0)
                return image_refused(a, t->image->label, r, NULL);
        ArchiveKind kind = archive_kind(head, n);
        if (compression && kind == ARCHIVE_NONE)
                return image_refused(a, t->image->label, -EBADMSG,
                                "its OVF says that it is compressed, but it is neither gzip, xz, bzip2 nor "
                                "zstd");
        if (kind == ARCHIVE_NONE)
                return 0;
        r = unpack_image(t, kind, NULL);
        if (r >= 0)
                r = read_head(t, head, &n);
        if (r < 0)
                return r;
        return archive_kind(head, n) == ARCHIVE_NONE ? 0
                                                     : image_refused(a, t->image->label, -EBADMSG,
                                                                       "what is in it is an archive again: "
                                                                       "unpack it, and give the image");
}

/* Its format is to be found out, and it has none. */
static int recognize_raw(Settling *t) {
        _cleanup_sight_ Sight sight = {};
        _cleanup_free_ char *text = NULL;
        Image *i = t->image;
        char head[HEAD];
        Candidate c = {
                .name = t->name, .head = head, .length = i->length, .is_raw = t->is_raw, .inner = t->inner
        };

        int r = read_head(t, head, &c.head_size);
        if (r >= 0)
                r = recognize_look(*t->fd, i->offset, i->length, t->source->attempt->cancel_fd, &sight);
        if (r == -ECANCELED)
                return r;
        if (r == -EBADMSG)
                return image_refused(t->source->attempt, i->label, r,
                                "what it is could not be found out: the program that looks at it ended. If "
                                "it is a "
                                "raw disk, give its format as raw.");
        if (r < 0)
                return image_refused(t->source->attempt, i->label, r, NULL);
        r = recognize_judge(&sight, &c, &text);
        if (r < 0)
                return image_refused(t->source->attempt, i->label, r, text);
        i->format = FORMAT_RAW;
        report_note(&t->source->attempt->report, "%s is taken for a raw disk: %s", i->label, text);
        return 0;
}

/* Believed, but worth a word. */
static int note_given_raw(Settling *t) {
        _cleanup_free_ char *why = NULL;
        DiskFormat found = FORMAT_RAW;
        char head[HEAD];
        size_t n;

        int r = read_head(t, head, &n);
        if (r >= 0)
                r = image_probe(*t->fd, t->image, &found, &why);
        if (r < 0 && r != -EOPNOTSUPP)
                return image_refused(t->source->attempt, t->image->label, r, why);
        ArchiveKind kind = archive_kind(head, n);
        if (r >= 0 && found == FORMAT_RAW && kind == ARCHIVE_NONE)
                return 0;
        return source_warn(t->source, t->disk,
                        "%s was converted as a raw disk, as its format was given, but it looks like %s",
                        t->image->label,
                        kind != ARCHIVE_NONE    ? archive_kind_to_string(kind)
                                        : r < 0 ? "an image of a format that is not supported"
                                                : disk_format_to_string(found));
}

static int settle_image(Settling *t, const char *compression) {
        _cleanup_free_ char *why = NULL;
        Image *i = t->image;
        DiskFormat found;

        if (i->format == FORMAT_RAW)
                return note_given_raw(t);
        int r = unpack_if_archive(t, compression);
        if (r < 0)
                return r;
        r = image_probe(*t->fd, i, &found, &why);
        if (r >= 0 && found == FORMAT_RAW && i->format == FORMAT_PROBE)
                return recognize_raw(t);
        if (r >= 0)
                r = image_settle_format(*t->fd, i, &why);
        return r < 0 ? image_refused(t->source->attempt, i->label, r, why) : 0;
}

/* --- an OVA ---------------------------------------------------------------------------------------- */

static int settle_ova_disk(Source *s, size_t disk) {
        OvaDisk *d = &s->ova->details[disk];
        Settling t = {
                .source = s,
                .image = &s->disks[disk],
                .disk = disk,
                .fd = &s->disk_fds[disk],
                .is_raw = d->is_raw,
                .inner = true,
        };
        int r;

        t.name = strdup(d->file);
        if (!t.name)
                return -ENOMEM;
        if (d->in_pieces)
                r = unpack_image(&t, ARCHIVE_NONE, &d->content);
        else
                r = s->disk_fds[disk] = duplicate(d->content.pieces[0].fd);
        if (r >= 0)
                r = settle_image(&t, d->compression);
        free(t.name);
        if (r >= 0 && s->disks[disk].format == FORMAT_OVA)
                return image_refused(s->attempt, s->disks[disk].label, -EBADMSG, "it is an archive itself");
        return r;
}

static int check_listed(Source *s, const ManifestEntry *e, size_t *n_checked) {
        _cleanup_content_ Content content = {};
        _cleanup_free_ char *label = strprintf("%s of %s", e->file, s->spec->path);

        if (!label)
                return -ENOMEM;
        /* Its own digest cannot be in it. */
        if (ova_find(s->ova, e->file) == s->ova->mf)
                return 0;
        int r = ova_listed_content(s->ova, e->file, &content);
        if (r == -ENOENT) {
                /* No disk: they were found before. */
                report_note(&s->attempt->report, "The manifest of %s lists %s, which is not there",
                                s->spec->path, e->file);
                return 0;
        }
        if (r < 0)
                return r;
        (*n_checked)++;
        return source_compare_digest(s, label, &content, e->algorithm, e->digest);
}

static int verify_manifest(Source *s) {
        size_t n = 0;

        for (size_t i = 0; i < s->ova->manifest.n_entries; i++) {
                int r = check_listed(s, &s->ova->manifest.entries[i], &n);
                if (r < 0)
                        return r;
        }
        if (s->ova->mf)
                report_note(&s->attempt->report, "The digests of %zu file%s in the manifest of %s are right",
                                n, n == 1 ? "" : "s", s->spec->path);
        return 0;
}

static int settle_ova(Source *s, const char *kind) {
        int r = source_reserve_disks(s, s->ova->disks, s->ova->n_disks);

        if (r < 0)
                return r;
        s->vm = TAKE_PTR(s->ova->vm);
        report_note(&s->attempt->report, "%s is an %s with %zu disk%s", s->spec->path, kind, s->n_disks,
                        s->n_disks == 1 ? "" : "s");
        if (s->ova->n_empty > 0)
                report_note(&s->attempt->report,
                                "%zu disk%s of it %s empty and without a file, and left out",
                                s->ova->n_empty, s->ova->n_empty == 1 ? "" : "s",
                                s->ova->n_empty == 1 ? "is" : "are");
        if (s->n_disks > PART_DISKS_MAX)
                return attempt_fail(s->attempt, EFBIG, "unsupported",
                                "The source has %zu disks, %d are supported", s->n_disks, PART_DISKS_MAX);
        r = verify_manifest(s);
        for (size_t i = 0; i < s->n_disks && r >= 0; i++)
                r = settle_ova_disk(s, i);
        return r;
}

/* --- the source ------------------------------------------------------------------------------------ */

static int is_ovf(Source *s, bool *ret) {
        char head[HEAD];
        size_t n = (size_t) MIN((uint64_t) s->st.st_size, (uint64_t) HEAD);

        *ret = false;
        if (s->spec->format != FORMAT_PROBE && !disk_format_has(s->spec->format, FORMAT_IS_PACKAGE))
                return 0;
        int r = pread_full(s->fd, head, n, 0);
        if (r < 0)
                return image_refused(s->attempt, s->spec->path, r, NULL);
        *ret = ova_name_has_suffix(s->spec->path, ".ovf") && ovf_is_descriptor(head, n);
        return 0;
}

/* Disk @disk of a source that is no package. */
static int settle_disk(Source *s, size_t disk) {
        Image *image = &s->images[disk];
        Settling t = { .source = s, .image = image, .disk = disk, .fd = &s->disk_fds[disk] };
        int r = s->disk_fds[disk] = duplicate(disk == 0 ? s->fd : s->further_fds[disk - 1]);

        if (r < 0)
                return r;
        t.name = strdup(strrchr(image->path, '/') + 1);
        if (!t.name)
                return -ENOMEM;
        r = settle_image(&t, NULL);
        free(t.name);
        if (r >= 0 && s->n_images > 1 && (image->format == FORMAT_OVA || !streq(image->path, image->label)))
                return image_refused(s->attempt, image->label, -EBADMSG,
                                "it is an archive or a package, which is not supported for one of several "
                                "disks");
        return r;
}

static int settle_files(Source *s) {
        Image *first = s->images;
        _cleanup_free_ char *why = NULL;
        int r = 0;

        for (size_t i = 0; i < s->n_images && r >= 0; i++)
                r = settle_disk(s, i);
        if (r < 0 || first->format != FORMAT_OVA)
                return r;
        s->archive_fd = s->disk_fds[0];
        free(TAKE_PTR(s->disk_fds));
        free(TAKE_PTR(s->warnings));
        s->disks = NULL;
        s->n_disks = 0;
        r = ova_open(s->archive_fd, first->path, first->label, first->length, &s->ova, &why);
        return r < 0 ? image_refused(s->attempt, first->label, r, why) : settle_ova(s, "OVA");
}

static int add_image(Source *s, const char *path, uint64_t length) {
        Image *i = &s->images[s->n_images++];

        *i = (Image){
                .label = strdup(path),
                .path = strdup(path),
                .whole = true,
                .length = length,
                .format = s->spec->format,
        };
        return i->label && i->path ? 0 : -ENOMEM;
}

/* One for each disk. */
static int make_images(Source *s) {
        size_t n = strv_length(s->spec->further_disks);
        struct stat st;

        if (n != s->n_further)
                return attempt_fail(s->attempt, EINVAL, "failed", "The job's plan lacks files of its disks");
        s->images = new0(Image, n + 1);
        int r = s->images ? add_image(s, s->spec->path, (uint64_t) s->st.st_size) : -ENOMEM;
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (fstat(s->further_fds[i], &st) < 0)
                        return -errno;
                if (st.st_size == 0)
                        return image_refused(s->attempt, s->spec->further_disks[i], -EBADMSG, "it is empty");
                r = add_image(s, s->spec->further_disks[i], (uint64_t) st.st_size);
        }
        return r < 0 ? r : source_reserve_disks(s, s->images, s->n_images);
}

static int settle_directory(Source *s) {
        _cleanup_free_ char *why = NULL;
        int r = ova_open_directory(s->spec->path, s->attempt->plan->source_files, &s->ova, &why);

        return r < 0 ? image_refused(s->attempt, s->spec->path, r, why) : settle_ova(s, "OVF");
}

int source_settle_file(Source *s) {
        bool ovf;

        if (s->st.st_size == 0)
                return image_refused(s->attempt, s->spec->path, -EBADMSG, "it is empty");
        int r = is_ovf(s, &ovf);
        if (r < 0)
                return r;
        if (ovf)
                return settle_directory(s);
        r = make_images(s);
        return r < 0 ? r : settle_files(s);
}
