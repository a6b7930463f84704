/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "job/chain.h"
#include "job/checksum.h"
#include "job/identity.h"
#include "job/safe-open.h"
#include "job/source.h"

Source *source_free(Source *s) {
        if (!s)
                return NULL;
        safe_close(s->fd);
        ova_free(s->ova);
        image_done(&s->image);
        free(s->identity);
        free(s);
        return NULL;
}

/* --- the files ---------------------------------------------------------------------------------------- */

static int open_source_file(Job *j, const char *path, int *ret_fd, struct stat *ret_stat) {
        int r = open_regular(path, ret_fd, ret_stat);

        switch (r) {
        case -ENOENT:
        case -ENOTDIR:
                return job_fail(j, r, "source_missing", "The source file %s is not there", path);
        case -ELOOP:
                return job_fail(j, r, "image_refused",
                                "The source file %s is a symbolic link, or behind one, which was not so when "
                                "the job was submitted",
                                path);
        case -EISDIR:
        case -ENOTBLK:
                return job_fail(j, r, "image_refused", "The source %s is not a regular file", path);
        default:
                return r < 0 ? job_fail(j, r, NULL, "Opening the source file %s failed: %s", path,
                                               strerror(-r))
                             : 0;
        }
}

/* Of every file. */
static int files_identity(Job *j, int *ret_fd, struct stat *ret_stat, char **ret) {
        _cleanup_strv_free_ char **parts = NULL;
        _cleanup_close_ int first_fd = -EBADF;
        struct stat first_stat = {};

        STRV_FOREACH(path, j->plan->source_files) {
                _cleanup_close_ int fd = -EBADF;
                struct stat st;
                int r = open_source_file(j, *path, &fd, &st);
                if (r < 0)
                        return r;
                r = identity_add_file(&parts, *path, &st, j->plan->job_id);
                if (r < 0)
                        return r;
                if (first_fd < 0) {
                        first_fd = TAKE_FD(fd);
                        first_stat = st;
                }
        }
        if (first_fd < 0)
                return job_fail(j, EINVAL, "failed", "The job's plan names no source file");
        *ret = strv_join(parts, "\n");
        if (!*ret)
                return -ENOMEM;
        if (ret_fd) {
                *ret_fd = TAKE_FD(first_fd);
                *ret_stat = first_stat;
        }
        return 0;
}

int source_open(Job *j, Source **ret) {
        _cleanup_source_ Source *s = new0(Source, 1);
        int r;

        if (!s)
                return -ENOMEM;
        s->job = j;
        s->spec = &j->plan->spec->source;
        s->fd = -EBADF;
        if (s->spec->type == ENDPOINT_NBD) {
                s->n_disks = 1;
                s->identity = identity_of_server(s->spec->uri, j->plan->job_id);
                if (!s->identity)
                        return -ENOMEM;
        } else {
                r = files_identity(j, &s->fd, &s->st, &s->identity);
                if (r < 0)
                        return r;
                if (!streq(j->plan->source_files[0], s->spec->path))
                        return job_fail(j, EINVAL, "failed",
                                        "The first source file of the job's plan is not the source");
        }
        *ret = TAKE_PTR(s);
        return 0;
}

int source_check_unchanged(Source *s) {
        _cleanup_free_ char *now = NULL;

        if (s->spec->type == ENDPOINT_NBD)
                return 0;
        int r = files_identity(s->job, NULL, NULL, &now);
        if (r < 0)
                return r;
        return streq(now, s->identity)
                        ? 0
                        : job_fail(s->job, ESTALE, "source_changed",
                                          "The source %s was changed while it was converted. Make sure that "
                                          "nothing writes to it, then submit the job again.",
                                          s->spec->path);
}

/* --- the checksum ------------------------------------------------------------------------------------- */

typedef struct HashProgress {
        Job *job;
        const char *what;
        uint64_t total;
} HashProgress;

static int hash_progress(void *userdata, uint64_t done) {
        HashProgress *p = userdata;

        report_progress(&p->job->report, p->what, done, p->total, 0, false);
        return 0;
}

static int compare_digest(Source *s, const char *label, uint64_t offset, uint64_t size,
                const char *algorithm, const char *expected) {
        char digest[CHECKSUM_HEX_MAX];
        _cleanup_free_ char *what = strprintf("Verifying the checksum of %s", label);
        HashProgress progress = { .job = s->job, .what = what, .total = size };

        if (!what)
                return -ENOMEM;
        int r = checksum_file(
                        s->fd, offset, size, algorithm, s->job->cancel_fd, hash_progress, &progress, digest);
        if (r < 0)
                return job_fail(s->job, r, NULL, "Reading %s to verify its checksum failed: %s", label,
                                strerror(-r));
        if (!streq(digest, expected))
                return job_fail(s->job, EBADMSG, "checksum_mismatch",
                                "The %s checksum of %s is %s, but %s was given: the file is damaged or not the "
                                "one that was meant",
                                algorithm, label, digest, expected);
        return 0;
}

int source_verify_checksum(Source *s) {
        char expected[CHECKSUM_HEX_MAX];

        if (s->spec->type != ENDPOINT_FILE || !s->spec->checksum)
                return 0;
        const char *hex = startswith(s->spec->checksum, "sha256:");
        if (!hex || strlen(hex) != 64)
                return job_fail(s->job, EINVAL, "unsupported",
                                "The checksum is not of the form sha256:digest");
        for (size_t i = 0; i <= 64; i++)
                expected[i] = hex[i] >= 'A' && hex[i] <= 'F' ? (char) (hex[i] - 'A' + 'a') : hex[i];
        int r = compare_digest(s, s->spec->path, 0, (uint64_t) s->st.st_size, "SHA256", expected);
        if (r >= 0)
                report_note(&s->job->report, "The SHA-256 checksum of %s is right", s->spec->path);
        return r;
}

static int verify_manifest(Source *s) {
        for (size_t i = 0; i < s->ova->manifest.n_entries; i++) {
                const ManifestEntry *e = &s->ova->manifest.entries[i];
                const TarMember *m = tar_index_find(&s->ova->index, e->file);
                if (!m)
                        return job_fail(s->job, EBADMSG, "image_refused",
                                        "The manifest of %s speaks of \"%s\", which is not in it",
                                        s->spec->path, e->file);
                _cleanup_free_ char *label = strprintf("%s in %s", m->name, s->spec->path);
                if (!label)
                        return -ENOMEM;
                int r = compare_digest(s, label, m->offset, m->size, e->algorithm, e->digest);
                if (r < 0)
                        return r;
        }
        if (s->ova->manifest.n_entries > 0)
                report_note(&s->job->report, "All %zu digests in the manifest of %s are right",
                                s->ova->manifest.n_entries, s->spec->path);
        return 0;
}

/* --- inspection --------------------------------------------------------------------------------------- */

static int inspect_disk(Source *s, Image *i) {
        char size[BYTES_SIZE], used[BYTES_SIZE];

        i->flatten = i->whole && s->job->plan->spec->parameters.chain == CHAIN_FLATTEN;
        int r = image_examine(s->job, s->fd, i);
        if (r >= 0)
                r = chain_examine(s->job, s->fd, i);
        if (r < 0)
                return r;
        report_note(&s->job->report, "%s is a %s image with a disk of %s, %s in use", i->label,
                        disk_format_to_string((DiskFormat) i->format), format_bytes(size, i->virtual_size),
                        format_bytes(used, i->actual_size));
        return 0;
}

static int inspect_ova(Source *s) {
        _cleanup_free_ char *why = NULL;

        int r = ova_open(s->fd, s->spec->path, (uint64_t) s->st.st_size, &s->ova, &why);
        if (r < 0)
                return image_refused(s->job, s->spec->path, r, why);
        s->disks = s->ova->disks;
        s->n_disks = s->ova->n_disks;
        report_note(&s->job->report, "%s is an OVA with %zu disk%s", s->spec->path, s->n_disks,
                        s->n_disks == 1 ? "" : "s");
        if (s->ova->n_empty > 0)
                report_note(&s->job->report,
                                "%zu disk%s of the OVA %s empty and without a file, and left out",
                                s->ova->n_empty, s->ova->n_empty == 1 ? "" : "s",
                                s->ova->n_empty == 1 ? "is" : "are");
        return s->job->plan->spec->parameters.verify ? verify_manifest(s) : 0;
}

int source_inspect(Source *s) {
        _cleanup_free_ char *why = NULL;
        int r;

        if (s->spec->type == ENDPOINT_NBD)
                return 0;
        if (s->st.st_size == 0)
                return job_fail(s->job, EBADMSG, "image_refused", "The source %s is empty", s->spec->path);
        s->image = (Image){
                .label = strdup(s->spec->path),
                .path = strdup(s->spec->path),
                .whole = true,
                .length = (uint64_t) s->st.st_size,
                .format = s->spec->format,
        };
        if (!s->image.label || !s->image.path)
                return -ENOMEM;
        r = image_settle_format(s->fd, &s->image, &why);
        if (r < 0)
                return image_refused(s->job, s->image.label, r, why);
        if (s->image.format == FORMAT_OVA) {
                r = inspect_ova(s);
                if (r < 0)
                        return r;
        } else {
                s->disks = &s->image;
                s->n_disks = 1;
        }
        for (size_t i = 0; i < s->n_disks; i++) {
                r = inspect_disk(s, &s->disks[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int source_connect(Source *s, size_t disk, Connection *ret) {
        if (s->disks)
                return connect_image(s->job, &s->disks[disk], false, NBD_SOURCE, s->disks[disk].label, ret);
        *ret = (Connection){};
        return connect_nbd(s->job, s->spec, "source", NBD_SOURCE, &ret->endpoint);
}
