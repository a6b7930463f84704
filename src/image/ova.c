/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/ova.h"
#include "image/refusal.h"

#include <inttypes.h>
#include <strings.h>

#include "basic/fd-util.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "image/ova-name.h"

/* No program writes more chunks than this. */
#define CHUNKS_MAX 100000u

Ova *ova_free(Ova *o) {
        if (!o)
                return NULL;
        for (size_t i = 0; i < o->n_files; i++) {
                free(o->files[i].name);
                free(o->files[i].path);
                safe_close(o->files[i].fd);
                content_done(&o->files[i].content);
        }
        free(o->files);
        for (size_t i = 0; i < o->n_disks; i++) {
                image_done(&o->disks[i]);
                free(o->details[i].file);
                free(o->details[i].compression);
                content_done(&o->details[i].content);
        }
        free(o->disks);
        free(o->details);
        manifest_done(&o->manifest);
        vm_hardware_free(o->vm);
        free(o);
        return NULL;
}

/* --- files ----------------------------------------------------------------------------------------- */

/* Takes the next place in the list of files. */
static OvaFile *new_file(Ova *o, const char *name) {
        if (!GREEDY_REALLOC(o->files, o->allocated, o->n_files + 1))
                return NULL;
        OvaFile *f = &o->files[o->n_files];
        *f = (OvaFile){ .name = strdup(name), .fd = -EBADF };
        if (!f->name)
                return NULL;
        o->n_files++;
        return f;
}

static int add_member(Ova *o, int fd, const TarMember *m) {
        OvaFile *f = new_file(o, m->name);

        if (!f)
                return -ENOMEM;
        if (!m->is_sparse)
                return content_add(&f->content, fd, 0, m->offset, m->size);
        for (size_t i = 0; i < m->n_segments; i++) {
                int r = content_add(&f->content, fd, m->segments[i].at, m->segments[i].offset,
                                m->segments[i].length);
                if (r < 0)
                        return r;
        }
        f->content.size = m->size;
        return 0;
}

/* @visible is what the manager found to belong to the OVF: files below its directory. */
static int add_visible(Ova *o, const char *directory, size_t directory_length, const char *path) {
        struct stat st;

        if (strncmp(path, directory, directory_length) != 0 || path[directory_length] != '/')
                return 0;
        OvaFile *f = new_file(o, path + directory_length + 1);
        if (!f || !(f->path = strdup(path)))
                return -ENOMEM;
        int r = open_regular(path, &f->fd, &st);
        if (r < 0)
                return r;
        return content_add(&f->content, f->fd, 0, 0, (uint64_t) st.st_size);
}

static int read_file(const OvaFile *f, size_t max, char **ret, char **ret_error) {
        if (f->content.size > max)
                return refuse(ret_error, "%s has more than %zu bytes", f->name, max);
        _cleanup_free_ char *text = malloc((size_t) f->content.size + 1);
        if (!text)
                return -ENOMEM;
        int r = content_pread(&f->content, text, (size_t) f->content.size, 0);
        if (r < 0)
                return r;
        text[f->content.size] = 0;
        *ret = TAKE_PTR(text);
        return 0;
}

/* The one file that ends so; *ret NULL if there is none. */
static int find_one(const Ova *o, const char *suffix, const OvaFile **ret, char **ret_error) {
        const OvaFile *found = NULL;

        for (size_t i = 0; i < o->n_files; i++) {
                if (!ova_name_has_suffix(o->files[i].name, suffix) || ova_name_is_clutter(o->files[i].name))
                        continue;
                if (found)
                        return refuse(ret_error, "it holds more than one %s file: %s and %s", suffix,
                                        found->name, o->files[i].name);
                found = &o->files[i];
        }
        *ret = found;
        return 0;
}

static const char *name_at(const void *list, size_t i) {
        const Ova *o = list;

        return i < o->n_files ? o->files[i].name : NULL;
}

static const OvaFile *find_file(const Ova *o, const char *name) {
        ssize_t i = ova_name_find(name_at, o, o->ovf->name, name);

        return i >= 0 ? &o->files[i] : NULL;
}

const OvaFile *ova_find(const Ova *o, const char *name) {
        return find_file(o, name);
}

/* --- disks ----------------------------------------------------------------------------------------- */

static int no_such_file(const OvfDisk *disk, const char *name, char **ret_error) {
        if (strstr(disk->file, "://") && strncasecmp(disk->file, "file:", 5) != 0)
                return refuse(ret_error,
                                "its OVF names the disk file \"%s\", which is on another machine: fetch it "
                                "and "
                                "put it beside the OVF",
                                disk->file);
        return refuse(ret_error, "its OVF names the disk file \"%s\", which it does not hold", name);
}

/* "<name>.000000000" and so on, each of chunk_size bytes but for the last. */
static int collect_chunks(const Ova *o, const OvfDisk *disk, Content *ret, char **ret_error) {
        for (unsigned i = 0;; i++) {
                _cleanup_free_ char *name = strprintf("%s.%09u", disk->file, i);
                if (!name)
                        return -ENOMEM;
                const OvaFile *f = i < CHUNKS_MAX ? find_file(o, name) : NULL;
                if (!f && i == 0)
                        return no_such_file(disk, name, ret_error);
                if (!f)
                        break;
                if (ret->size % disk->chunk_size != 0 || f->content.size > disk->chunk_size)
                        return refuse(ret_error,
                                        "the chunk before %s, or itself, has not the %" PRIu64
                                        " bytes that its OVF says",
                                        f->name, disk->chunk_size);
                int r = content_append(ret, &f->content);
                if (r < 0)
                        return r;
        }
        if (disk->file_size > 0 && ret->size != disk->file_size)
                return refuse(ret_error,
                                "the chunks of %s have %" PRIu64 " bytes in all, its OVF says %" PRIu64
                                ": some are missing",
                                disk->file, ret->size, disk->file_size);
        return 0;
}

static int locate_disk(
                const Ova *o, const OvfDisk *disk, OvaDisk *d, const OvaFile **ret_file, char **ret_error) {
        const OvaFile *f = disk->chunk_size > 0 ? NULL : find_file(o, disk->file);

        *ret_file = f;
        d->is_raw = disk->is_raw;
        d->capacity = disk->capacity;
        if (disk->compression && !(d->compression = strdup(disk->compression)))
                return -ENOMEM;
        if (disk->chunk_size > 0) {
                d->file = strdup(disk->file);
                d->in_pieces = true;
                return d->file ? collect_chunks(o, disk, &d->content, ret_error) : -ENOMEM;
        }
        if (!f)
                return no_such_file(disk, disk->file, ret_error);
        d->file = strdup(f->name);
        int r = d->file ? content_append(&d->content, &f->content) : -ENOMEM;
        d->in_pieces = !content_is_plain(&d->content);
        return r;
}

static int add_disk(Ova *o, const char *path, const char *label, const OvfDisk *disk, char **ret_error) {
        OvaDisk *d = &o->details[o->n_disks];
        Image *i = &o->disks[o->n_disks++];
        const OvaFile *f;

        int r = locate_disk(o, disk, d, &f, ret_error);
        if (r < 0)
                return r;
        if (d->content.size == 0)
                return refuse(ret_error, "its disk file %s is empty", d->file);
        d->is_raw = d->is_raw || ova_name_says_raw(d->file);
        *i = (Image){
                .label = f && f->path ? strdup(f->path) : strprintf("%s in %s", d->file, label),
                .path = d->in_pieces ? NULL : strdup(f->path ? f->path : path),
                .whole = !d->in_pieces && f->path,
                .offset = d->in_pieces ? 0 : d->content.pieces[0].offset,
                .length = d->content.size,
                .format = FORMAT_PROBE,
        };
        return i->label && (i->path || d->in_pieces) ? 0 : -ENOMEM;
}

static int read_ovf(Ova *o, const char *path, const char *label, char **ret_error) {
        _cleanup_free_ char *text = NULL, *why = NULL;
        _cleanup_ovf_ OvfDescriptor d = {};

        int r = read_file(o->ovf, OVF_MAX, &text, ret_error);
        if (r >= 0)
                r = ovf_parse(text, (size_t) o->ovf->content.size, &d, &why);
        if (r == -EBADMSG)
                return why ? refuse(ret_error, "%s in it: %s", o->ovf->name, why) : r;
        if (r < 0)
                return r;
        o->disks = new0(Image, MAX(d.n_disks, (size_t) 1));
        o->details = new0(OvaDisk, MAX(d.n_disks, (size_t) 1));
        if (!o->disks || !o->details)
                return -ENOMEM;
        for (size_t i = 0; i < d.n_disks; i++) {
                if (!d.disks[i].file) {
                        o->n_empty++;
                        continue;
                }
                r = add_disk(o, path, label, &d.disks[i], ret_error);
                if (r < 0)
                        return r;
        }
        if (o->n_disks == 0)
                return refuse(ret_error, "its OVF names no disk with content");
        o->vm = TAKE_PTR(d.vm);
        return 0;
}

/* --- the manifest ---------------------------------------------------------------------------------- */

static int read_manifest(Ova *o, char **ret_error) {
        _cleanup_free_ char *text = NULL;

        if (!o->mf)
                return 0;
        int r = read_file(o->mf, MANIFEST_MAX, &text, ret_error);
        return r < 0 ? r : manifest_parse(text, (size_t) o->mf->content.size, &o->manifest, ret_error);
}

int ova_listed_content(const Ova *o, const char *name, Content *ret) {
        const OvaFile *f = find_file(o, name);

        if (f)
                return content_append(ret, &f->content);
        /* A file in chunks may be listed as what it is in one piece. */
        for (size_t i = 0; i < o->n_disks; i++)
                if (ova_name_is_same(o->details[i].file, name))
                        return content_append(ret, &o->details[i].content);
        return -ENOENT;
}

/* --- the whole ------------------------------------------------------------------------------------- */

static int read_all(Ova *o, const char *path, const char *label, char **ret_error) {
        int r = read_ovf(o, path, label, ret_error);

        if (r >= 0)
                r = find_one(o, ".mf", &o->mf, ret_error);
        return r < 0 ? r : read_manifest(o, ret_error);
}

static int read_from_fd(void *userdata, void *buf, size_t size, uint64_t offset) {
        return pread_full(*(int *) userdata, buf, size, offset);
}

int ova_open(int fd, const char *path, const char *label, uint64_t size, Ova **ret, char **ret_error) {
        _cleanup_ova_ Ova *o = new0(Ova, 1);
        _cleanup_tar_index_ TarIndex index = {};

        if (!o)
                return -ENOMEM;
        int r = tar_index_read(read_from_fd, &fd, size, &index, ret_error);
        for (size_t i = 0; i < index.n_members && r >= 0; i++)
                r = add_member(o, fd, &index.members[i]);
        if (r >= 0)
                r = find_one(o, ".ovf", &o->ovf, ret_error);
        if (r >= 0 && !o->ovf)
                return refuse(ret_error,
                                "it is a tar archive without an .ovf file: unpack it, and give the disk "
                                "image "
                                "in it");
        if (r >= 0)
                r = read_all(o, path, label, ret_error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

int ova_open_directory(const char *path, char *const *visible, Ova **ret, char **ret_error) {
        _cleanup_ova_ Ova *o = new0(Ova, 1);
        size_t directory = (size_t) (strrchr(path, '/') - path);

        if (!o)
                return -ENOMEM;
        STRV_FOREACH(v, visible) {
                int r = add_visible(o, path, directory, *v);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < o->n_files; i++)
                if (streq(o->files[i].path, path))
                        o->ovf = &o->files[i];
        if (!o->ovf)
                return -EINVAL;
        int r = read_all(o, path, path, ret_error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}
