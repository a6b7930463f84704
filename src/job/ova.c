/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/ova.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"

Ova *ova_free(Ova *o) {
        if (!o)
                return NULL;
        for (size_t i = 0; i < o->n_disks; i++)
                image_done(&o->disks[i]);
        free(o->disks);
        tar_index_done(&o->index);
        manifest_done(&o->manifest);
        free(o);
        return NULL;
}

static int read_from_fd(void *userdata, void *buf, size_t size, uint64_t offset) {
        return pread_full(*(int *) userdata, buf, size, offset);
}

/* The one member that ends so; *ret NULL if there is none. */
static int find_one(const TarIndex *index, const char *suffix, const TarMember **ret, char **ret_error) {
        const TarMember *found = NULL;

        for (size_t i = 0; i < index->n_members; i++) {
                if (!endswith(index->members[i].name, suffix))
                        continue;
                if (found)
                        return refuse(ret_error, "it holds more than one %s file", suffix);
                found = &index->members[i];
        }
        *ret = found;
        return 0;
}

static int read_member(int fd, const TarMember *m, size_t max, char **ret, char **ret_error) {
        if (m->size > max)
                return refuse(ret_error, "%s has more than %zu bytes", m->name, max);
        _cleanup_free_ char *text = malloc((size_t) m->size + 1);
        if (!text)
                return -ENOMEM;
        int r = pread_full(fd, text, (size_t) m->size, m->offset);
        if (r < 0)
                return r;
        text[m->size] = 0;
        *ret = TAKE_PTR(text);
        return 0;
}

static const TarMember *find_disk(const TarIndex *index, const char *href) {
        const TarMember *m = tar_index_find(index, href);
        _cleanup_free_ char *decoded = m ? NULL : ovf_decode_href(href);

        return decoded ? tar_index_find(index, decoded) : m;
}

static int add_disk(Ova *o, int fd, const char *path, const OvfDisk *disk, char **ret_error) {
        const TarMember *m = find_disk(&o->index, disk->file);
        _cleanup_free_ char *why = NULL;
        DiskFormat format;

        if (!m)
                return refuse(ret_error, "its OVF names the disk file \"%s\", which it does not hold",
                                disk->file);
        Image *i = &o->disks[o->n_disks++];
        *i = (Image){
                .label = strprintf("%s in %s", m->name, path),
                .path = strdup(path),
                .offset = m->offset,
                .length = m->size,
                .format = FORMAT_PROBE,
        };
        if (!i->label || !i->path)
                return -ENOMEM;
        if (endswith(m->name, ".gz") || endswith(m->name, ".xz") || endswith(m->name, ".bz2"))
                return refuse(ret_error,
                                "%s in it is compressed as a whole: unpack it and make the OVA again "
                                "without compression",
                                m->name);
        int r = image_probe(fd, i, &format, &why);
        if (r == -EOPNOTSUPP)
                return refuse(ret_error, "%s in it: %s", m->name, strna(why));
        if (r < 0)
                return r;
        if (format == FORMAT_OVA)
                return refuse(ret_error, "%s in it is an archive itself", m->name);
        i->format = (int) format;
        return 0;
}

static int read_ovf(Ova *o, int fd, const char *path, char **ret_error) {
        _cleanup_free_ char *text = NULL, *why = NULL;
        _cleanup_ovf_ OvfDescriptor d = {};
        const TarMember *m;

        int r = find_one(&o->index, ".ovf", &m, ret_error);
        if (r >= 0 && !m)
                return refuse(ret_error, "it holds no .ovf file");
        if (r >= 0)
                r = read_member(fd, m, OVF_MAX, &text, ret_error);
        if (r < 0)
                return r;
        r = ovf_parse(text, (size_t) m->size, &d, &why);
        if (r == -EBADMSG)
                return refuse(ret_error, "%s in it: %s", m->name, strna(why));
        if (r < 0)
                return r;
        o->disks = new0(Image, MAX(d.n_disks, (size_t) 1));
        if (!o->disks)
                return -ENOMEM;
        for (size_t i = 0; i < d.n_disks; i++) {
                if (!d.disks[i].file) {
                        o->n_empty++;
                        continue;
                }
                r = add_disk(o, fd, path, &d.disks[i], ret_error);
                if (r < 0)
                        return r;
        }
        return o->n_disks > 0 ? 0 : refuse(ret_error, "its OVF names no disk with content");
}

static int read_manifest(Ova *o, int fd, char **ret_error) {
        _cleanup_free_ char *text = NULL;
        const TarMember *m;

        int r = find_one(&o->index, ".mf", &m, ret_error);
        if (r < 0 || !m)
                return r;
        r = read_member(fd, m, MANIFEST_MAX, &text, ret_error);
        return r < 0 ? r : manifest_parse(text, (size_t) m->size, &o->manifest, ret_error);
}

int ova_open(int fd, const char *path, uint64_t size, Ova **ret, char **ret_error) {
        _cleanup_ova_ Ova *o = new0(Ova, 1);

        if (!o)
                return -ENOMEM;
        int r = tar_index_read(read_from_fd, &fd, size, &o->index, ret_error);
        if (r >= 0)
                r = read_ovf(o, fd, path, ret_error);
        if (r >= 0)
                r = read_manifest(o, fd, ret_error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}
