/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>

#include "basic/string-util.h"
#include "guest/cpio.h"
#include "guest/initramfs-list.h"

#define MODULES_MAX 5000u
#define BLOCK ((size_t) 128 * 1024)

const char *const initramfs_files[INITRAMFS_FILES_MAX] = { "/etc/crypttab", "/etc/mdadm.conf",
        "/etc/mdadm/mdadm.conf", "/etc/lvm/lvm.conf", "/etc/lvm/lvmlocal.conf" };

bool initramfs_has_file(const InitramfsList *l, const char *path) {
        for (size_t i = 0; i < INITRAMFS_FILES_MAX; i++)
                if (streq(initramfs_files[i], path))
                        return l->has[i];
        return false;
}

void initramfs_list_done(InitramfsList *l) {
        l->modules = strv_free(l->modules);
        l->directory = mfree(l->directory);
}

char *module_name(const char *path, size_t size) {
        const char *slash = memrchr(path, '/', size), *base = slash ? slash + 1 : path, *end = path + size,
                   *dot = memmem(base, (size_t) (end - base), ".ko", 3);

        if (!dot || dot == base || (dot + 3 < end && dot[3] != '.'))
                return NULL;
        char *name = strndup(base, (size_t) (dot - base));
        for (char *p = name; p && *p; p++)
                if (*p == '-')
                        *p = '_';
        return name;
}

static int add_path(InitramfsList *l, const char *path, size_t size) {
        static const char *const directories[] = { "usr/lib/modules", "lib/modules" };
        size_t skip = size >= 2 && memcmp(path, "./", 2) == 0 ? 2 : size >= 1 && *path == '/' ? 1 : 0;

        path += skip;
        size -= skip;
        for (size_t i = 0; i < INITRAMFS_FILES_MAX; i++)
                if (size == strlen(initramfs_files[i]) - 1 &&
                                memcmp(path, initramfs_files[i] + 1, size) == 0)
                        l->has[i] = true;
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                size_t n = strlen(directories[i]);
                if (size < n || memcmp(path, directories[i], n) != 0 || (size > n && path[n] != '/'))
                        continue;
                if (!l->directory && !(l->directory = strdup(directories[i])))
                        return -ENOMEM;
                _cleanup_free_ char *name = module_name(path, size);
                if (!name)
                        return 0;
                if (strv_length(l->modules) >= MODULES_MAX) {
                        l->complete = false;
                        return 0;
                }
                return strv_consume(&l->modules, TAKE_PTR(name));
        }
        return 0;
}

/* An archive that is not compressed. */
static int read_plain(InitramfsList *l, const char *data, size_t size, size_t *offset) {
        CpioEntry e;
        int r;

        while ((r = cpio_next(data, size, offset, &e)) > 0) {
                r = add_path(l, e.name, e.name_size);
                if (r < 0)
                        return r;
        }
        if (r == -EBADMSG)
                l->complete = false;
        return r;
}

static void archive_freep(struct archive **a) {
        if (*a)
                archive_read_free(*a);
}

static int read_entries(InitramfsList *l, struct archive *a) {
        struct archive_entry *entry;
        size_t total = 0;
        int k;

        while ((k = archive_read_next_header(a, &entry)) == ARCHIVE_OK || k == ARCHIVE_WARN) {
                const char *path = archive_entry_pathname(entry);
                int64_t size = archive_entry_size(entry);
                int r = path ? add_path(l, path, strlen(path)) : 0;

                if (r < 0)
                        return r;
                if (size < 0 || (uint64_t) size > INITRAMFS_MAX - total) {
                        l->complete = false;
                        return 0;
                }
                total += (size_t) size;
        }
        l->complete = l->complete && k == ARCHIVE_EOF;
        return 0;
}

static int read_compressed(InitramfsList *l, const char *data, size_t size) {
        _cleanup_(archive_freep) struct archive *a = archive_read_new();

        if (!a)
                return -ENOMEM;
        if (archive_read_support_filter_gzip(a) < ARCHIVE_WARN ||
                        archive_read_support_filter_bzip2(a) < ARCHIVE_WARN ||
                        archive_read_support_filter_xz(a) < ARCHIVE_WARN ||
                        archive_read_support_filter_lzma(a) < ARCHIVE_WARN ||
                        archive_read_support_filter_zstd(a) < ARCHIVE_WARN ||
                        archive_read_support_filter_lz4(a) < ARCHIVE_WARN ||
                        archive_read_support_format_cpio(a) < ARCHIVE_WARN ||
                        archive_read_open_memory(a, data, size) != ARCHIVE_OK) {
                l->complete = false;
                return 0;
        }
        return read_entries(l, a);
}

static int take_entries(InitramfsList *l, InitramfsList *from) {
        STRV_FOREACH(m, from->modules) {
                int r = strv_extend(&l->modules, *m);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < INITRAMFS_FILES_MAX; i++)
                l->has[i] = l->has[i] || from->has[i];
        if (!l->directory)
                l->directory = TAKE_PTR(from->directory);
        l->complete = l->complete && from->complete;
        return 0;
}

/* Behind a compressed archive, up to three zeroes align the next one. Not all formats ignore them, and in
 * others they may be data: both are tried. */
static int read_segment(InitramfsList *l, const char *data, size_t size) {
        _cleanup_initramfs_list_ InitramfsList found = { .complete = true };
        int r = read_compressed(&found, data, size);

        for (unsigned i = 0; r >= 0 && !found.complete && i < 3 && size > 0 && data[size - 1] == 0; i++) {
                _cleanup_initramfs_list_ InitramfsList shorter = { .complete = true };
                r = read_compressed(&shorter, data, --size);
                if (r >= 0 && shorter.complete) {
                        initramfs_list_done(&found);
                        found = shorter;
                        shorter = (InitramfsList){};
                }
        }
        return r < 0 ? r : take_entries(l, &found);
}

/* Where a plain archive that ends in order begins behind @offset; @size if there is none. */
static size_t find_plain(const char *data, size_t size, size_t offset) {
        while (offset < size) {
                const char *p = memmem(data + offset, size - offset, "07070", 5);
                if (!p)
                        break;
                size_t begin = (size_t) (p - data), at = begin;
                CpioEntry e;
                int r = 1;
                while (begin % 4 == 0 && r > 0)
                        r = cpio_next(data, size, &at, &e);
                if (r == 0)
                        return begin;
                /* The entries of what was no archive begin none either. */
                offset = MAX(at, begin + 1);
        }
        return size;
}

int initramfs_list_read(const char *data, size_t size, InitramfsList *ret) {
        _cleanup_initramfs_list_ InitramfsList l = { .complete = true };
        size_t offset = 0;
        int r = 0;

        while (r >= 0) {
                while (offset < size && data[offset] == 0)
                        offset++;
                if (offset >= size)
                        break;
                if (size - offset >= 6 && memcmp(data + offset, "07070", 5) == 0) {
                        r = read_plain(&l, data, size, &offset);
                        continue;
                }
                size_t end = find_plain(data, size, offset);
                r = read_segment(&l, data + offset, end - offset);
                offset = end;
        }
        if (r < 0 && r != -EBADMSG)
                return r;
        *ret = l;
        l = (InitramfsList){};
        return 0;
}
