/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/look.h"

#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/archive-kind.h"
#include "image/image-header.h"
#include "image/image-names.h"
#include "image/ova-name.h"
#include "image/ova.h"
#include "image/ovf-names.h"
#include "job/recognize.h"
#include "spec/concern.h"
#include "spec/vm-json.h"
#include "json/json-table.h"

#define HEAD 4096u
#define UNNAMED "?" /* an image that another one is on top of */

typedef struct Look {
        int fd, cancel_fd;
        const char *name; /* of the file */
        uint64_t size;
        char head[HEAD];
        size_t n_head;
        const char *format;
        json_t *disks, *vm, *concerns;
} Look;

static void look_done(Look *l) {
        json_decref(l->disks);
        json_decref(l->vm);
        json_decref(l->concerns);
}

/* @size 0: not known. */
static int add_disk(Look *l, const char *file, const char *format, uint64_t size) {
        json_t *number = size > 0 && size <= INT64_MAX ? json_integer((json_int_t) size) : json_null();

        return json_array_append_new(l->disks,
                               json_pack("{s:s, s:s?, s:o}", "file", file, "format", format, "size",
                                               number)) < 0
                        ? -ENOMEM
                        : 0;
}

/* What the readers have said about @file becomes a concern; other errors are passed on. */
static int refused(Look *l, int r, const char *file, const char *why) {
        if (r != -EBADMSG && r != -EOPNOTSUPP && r != -EMEDIUMTYPE)
                return r;
        return concern_add(l->concerns, CONCERN_IMAGE_REFUSED, file,
                        why ? why : "it is damaged, or of a kind that is not supported");
}

/* --- one image ------------------------------------------------------------------------------------- */

/* It has no known format: a raw disk, or no disk at all. */
static int recognize(Look *l, Image *i, const char *file, bool is_raw, bool inner, char **ret_why) {
        _cleanup_sight_ Sight sight = {};
        _cleanup_free_ char *text = NULL;
        char head[HEAD];
        Candidate c = {
                .name = file,
                .head = head,
                .head_size = (size_t) MIN(i->length, (uint64_t) sizeof(head)),
                .length = i->length,
                .is_raw = is_raw,
                .inner = inner,
        };
        int r = pread_full(l->fd, head, c.head_size, i->offset);

        if (r >= 0)
                r = recognize_look(l->fd, i->offset, i->length, l->cancel_fd, &sight);
        if (r >= 0)
                r = recognize_judge(&sight, &c, &text);
        if (r == -EBADMSG)
                *ret_why = TAKE_PTR(text);
        return r;
}

/* An image on top of another one, which was not looked at. */
static int note_parent(Look *l, const Image *i, const char *file) {
        _cleanup_image_names_ ImageNames names = {};
        _cleanup_free_ char *why = NULL;
        int r = i->whole ? image_names_read(l->fd, i->length, i->format, &names, &why) : 0;

        if (r < 0)
                return refused(l, r, file, why);
        if (!names.has_parent && !i->differencing)
                return 0;
        return concern_add(
                        l->concerns, CONCERN_DIFFERENCING, file, names.parents ? names.parents[0] : UNNAMED);
}

static int examine(Look *l, Image *i, const char *file, bool is_raw, bool inner) {
        _cleanup_free_ char *why = NULL;
        int r = image_settle_format(l->fd, i, &why);

        /* A parent is a concern, and what is beside the file is not seen here. */
        i->flatten = i->format_given = true;
        if (r >= 0 && i->format == FORMAT_OVA)
                r = concern_add(l->concerns, CONCERN_IMAGE_REFUSED, file, "it is an archive itself");
        else if (r >= 0 && i->format == FORMAT_RAW)
                r = recognize(l, i, file, is_raw, inner, &why);
        else if (r >= 0)
                r = image_check_header(l->fd, i, NULL, &why);
        if (r >= 0)
                r = image_check_map(l->fd, i, l->cancel_fd, &why);
        if (r < 0 && r != -ECANCELED)
                return refused(l, r, file, why);
        return note_parent(l, i, file);
}

static const char *format_of(const Image *i) {
        return i->format == FORMAT_PROBE ? NULL : disk_format_to_string((DiskFormat) i->format);
}

static int look_at_image(Look *l) {
        Image i = { .label = strdup(l->name),
                .path = strprintf("/%s", l->name),
                .whole = true,
                .length = l->size,
                .format = FORMAT_PROBE };
        int r = i.label && i.path ? examine(l, &i, l->name, false, false) : -ENOMEM;

        l->format = format_of(&i);
        if (r >= 0)
                r = add_disk(l, l->name, l->format, i.expected_size);
        image_done(&i);
        return r;
}

/* Its extents are other files, whose names the manager checks when a job is submitted. */
static int look_at_descriptor(Look *l) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        _cleanup_free_ char *text = NULL, *why = NULL;
        size_t size = (size_t) MIN(l->size, (uint64_t) VMDK_DESCRIPTOR_MAX);
        int r;

        l->format = disk_format_to_string(FORMAT_VMDK);
        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        r = pread_full(l->fd, text, size, 0);
        if (r >= 0)
                r = vmdk_descriptor_parse(text, size, &d, &why);
        if (r < 0)
                return refused(l, r, l->name, why);
        if (vmdk_descriptor_has_parent(&d))
                r = concern_add(l->concerns, CONCERN_DIFFERENCING, l->name, d.parent ? d.parent : UNNAMED);
        return r < 0 ? r : add_disk(l, l->name, l->format, d.sectors * VMDK_SECTOR);
}

/* --- packages -------------------------------------------------------------------------------------- */

static int note_compressed(Look *l, const char *file, const char *how) {
        return concern_add(l->concerns, CONCERN_COMPRESSED, file, how);
}

static int take_vm(Look *l, const VmHardware *vm) {
        const ConcernVm facts = {
                .tpm = vm && vm->tpm,
                .n_nics = vm ? vm->n_nics : 0,
        };

        if (vm && !(l->vm = vm_hardware_to_json(vm)))
                return -ENOMEM;
        return concerns_add_vm(l->concerns, &facts);
}

/* A disk of an OVA, whose images are read in place. */
static int look_at_member(Look *l, Ova *o, size_t k) {
        const OvaDisk *d = &o->details[k];
        Image *i = &o->disks[k];
        char head[ARCHIVE_HEAD] = {};
        int r;

        r = content_pread(&d->content, head, (size_t) MIN(d->content.size, (uint64_t) sizeof(head)), 0);
        if (r < 0)
                return r;
        ArchiveKind kind = archive_kind(head, sizeof(head));
        if (kind != ARCHIVE_NONE || d->in_pieces) {
                r = kind != ARCHIVE_NONE ? note_compressed(l, d->file, archive_kind_to_string(kind)) : 0;
                return r < 0 ? r : add_disk(l, d->file, NULL, d->capacity);
        }
        r = examine(l, i, d->file, d->is_raw, true);
        return r < 0 ? r : add_disk(l, d->file, format_of(i), i->expected_size ?: d->capacity);
}

static int look_at_ova(Look *l) {
        _cleanup_free_ char *why = NULL, *path = strprintf("/%s", l->name);
        _cleanup_ova_ Ova *o = NULL;
        int r = path ? ova_open(l->fd, path, l->name, l->size, &o, &why) : -ENOMEM;

        l->format = disk_format_to_string(FORMAT_OVA);
        if (r < 0)
                return refused(l, r, l->name, why);
        r = take_vm(l, o->vm);
        for (size_t k = 0; k < o->n_disks && r >= 0; k++)
                r = look_at_member(l, o, k);
        return r;
}

/* The disks are beside it, and not seen here. */
static int look_at_ovf(Look *l) {
        size_t size = (size_t) MIN(l->size, (uint64_t) OVF_MAX);
        _cleanup_free_ char *text = malloc(size + 1), *why = NULL;
        _cleanup_ovf_ OvfDescriptor d = {};
        int r = text ? pread_full(l->fd, text, size, 0) : -ENOMEM;

        l->format = disk_format_to_string(FORMAT_OVF);
        if (r >= 0)
                r = ovf_parse(text, size, &d, &why);
        if (r < 0)
                return refused(l, r, l->name, why);
        r = take_vm(l, d.vm);
        for (size_t i = 0; i < d.n_disks && r >= 0; i++)
                if (d.disks[i].file)
                        r = add_disk(l, d.disks[i].file, NULL, d.disks[i].capacity);
        return r;
}

/* --- the file -------------------------------------------------------------------------------------- */

static int look_inside(Look *l) {
        _cleanup_free_ char *why = NULL;
        Image i = { .length = l->size };
        ArchiveKind kind = archive_kind(l->head, l->n_head);
        DiskFormat format = FORMAT_RAW;

        if (ova_name_has_suffix(l->name, ".ovf") && ovf_is_descriptor(l->head, l->n_head))
                return look_at_ovf(l);
        if (vmdk_is_descriptor(l->head, l->n_head))
                return look_at_descriptor(l);
        if (kind != ARCHIVE_NONE) {
                l->format = archive_kind_to_string(kind);
                return note_compressed(l, l->name, l->format);
        }
        /* What is not supported is told by look_at_image(). */
        return image_probe(l->fd, &i, &format, &why) >= 0 && format == FORMAT_OVA ? look_at_ova(l)
                                                                                  : look_at_image(l);
}

static int open_look(Look *l) {
        off_t end = lseek(l->fd, 0, SEEK_END);
        struct stat st;

        if (end < 0 || fstat(l->fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
                return -EBADF;
        l->size = (uint64_t) end;
        l->n_head = (size_t) MIN(l->size, (uint64_t) sizeof(l->head));
        l->disks = json_array();
        l->concerns = json_array();
        return l->disks && l->concerns ? pread_full(l->fd, l->head, l->n_head, 0) : -ENOMEM;
}

int look_at(int fd, const char *name, int cancel_fd, json_t **ret) {
        _cleanup_(look_done) Look l = { .fd = fd, .cancel_fd = cancel_fd, .name = name };
        int r = open_look(&l);

        if (r >= 0)
                r = l.size > 0 ? look_inside(&l)
                               : concern_add(l.concerns, CONCERN_IMAGE_REFUSED, name, "it is empty");
        if (r < 0)
                return r;
        if (json_array_size(l.disks) == 0 && !concerns_error(l.concerns) && json_array_size(l.concerns) == 0)
                r = concern_add(l.concerns, CONCERN_NO_DISKS);
        if (r < 0)
                return r;
        *ret = json_pack("{s:s?, s:O, s:O?, s:O}", "format", l.format, "disks", l.disks, "vm", l.vm,
                        "concerns", l.concerns);
        return *ret ? 0 : -ENOMEM;
}
