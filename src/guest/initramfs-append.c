/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/initramfs-append.h"

#include <sys/stat.h>

#include "basic/string-util.h"
#include "guest/cpio.h"

#define STEP "initramfs_regenerate"
#define MODULE_MAX ((size_t) 64 * 1024 * 1024)
#define CHUNK ((size_t) 1024 * 1024)
#define LVM_LOCAL "/etc/lvm/lvmlocal.conf"

/* The directories above a file, each once. */
static int add_directories(Buffer *b, char ***made, const char *path) {
        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                char *directory = strndup(path, (size_t) (slash - path));

                if (!directory)
                        return -ENOMEM;
                if (strv_contains(*made, directory)) {
                        free(directory);
                        continue;
                }
                cpio_add(b, directory, S_IFDIR | 0755, NULL, 0);
                int r = strv_consume(made, directory);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_file(Guest *guest, const Kernel *k, Buffer *b, char ***made, const char *name, bool must) {
        _cleanup_free_ char *from = strprintf("%s/%s", k->directory, name),
                            *to = strprintf("%s/%s/%s",
                                            k->list.directory ? k->list.directory : "lib/modules",
                                            k->version, name),
                            *data = NULL;
        size_t size;

        if (!from || !to)
                return -ENOMEM;
        int r = guest_read(guest, from, MODULE_MAX, &data, &size);
        if (r < 0)
                return must ? guest_fail(guest, r, "guest_initramfs_failed", "Reading %s failed: %s", from,
                                              strerror(-r))
                            : 0;
        r = add_directories(b, made, to);
        if (r >= 0)
                cpio_add(b, to, S_IFREG | 0644, data, size);
        return r;
}

/* A file of the guest as it is now. Without lvmlocal.conf in the guest, the initramfs gets one, too. */
static int add_copy(Guest *guest, Buffer *b, char ***made, const char *path) {
        /* The copy of the devices file cannot be removed. */
        static const char local[] = "\ndevices {\n\tuse_devicesfile = 0\n}\n";
        bool is_local = streq(path, LVM_LOCAL);
        _cleanup_free_ char *text = NULL, *whole = NULL;
        size_t size;
        int r = guest_read(guest, path, GUEST_FILE_MAX, &text, &size);

        if (r == -ENOMEM || (r < 0 && !is_local))
                return r == -ENOMEM ? r : 0;
        if (is_local) {
                whole = strprintf("%s%s", strempty(text), local);
                if (!whole)
                        return -ENOMEM;
                size = strlen(whole);
        }
        r = add_directories(b, made, path + 1);
        if (r >= 0)
                cpio_add(b, path + 1, S_IFREG | 0644, is_local ? whole : text, size);
        return r;
}

static int add_all(Guest *guest, const Kernel *k, bool drivers, const char *const *files, Buffer *archive) {
        static const char *const maps[] = { "modules.dep", "modules.dep.bin", "modules.alias",
                "modules.alias.bin", "modules.softdep" };
        _cleanup_strv_free_ char **made = NULL;
        int r = 0;

        if (drivers)
                STRV_FOREACH(file, k->modules.files)
                        if (r >= 0)
                                r = add_file(guest, k, archive, &made, *file, true);
        for (size_t i = 0; i < ELEMENTSOF(maps) && r >= 0 && drivers && k->modules.files; i++)
                r = add_file(guest, k, archive, &made, maps[i], false);
        for (; *files && r >= 0; files++)
                r = add_copy(guest, archive, &made, *files);
        cpio_end(archive);
        return r;
}

static int make_archive(Guest *guest, const Kernel *k, bool drivers, const char *const *files, char **ret,
                size_t *ret_size) {
        _cleanup_buffer_ Buffer archive = {};
        _cleanup_buffer_ Buffer b = {};
        int r = add_all(guest, k, drivers, files, &archive);

        if (r >= 0 && archive.failed)
                r = -ENOMEM;
        if (r < 0)
                return r;
        /* Archives begin at multiples of 4. */
        buffer_add_zeroes(&b, (4 - k->size % 4) % 4);
        buffer_add(&b, archive.data, archive.size);
        return buffer_finish(&b, ret, ret_size);
}

/* The kernel that starts first must have them. Of an older one it is a warning. 1: there is room. */
static int check_space(Guest *guest, const Kernel *k, size_t more) {
        static const char message[] = "The drivers of %s need %zu bytes, but %s of the guest has %ju free";
        _cleanup_free_ char *directory = kernel_boot_directory(k);
        uint64_t available = directory ? guest_free_space(guest, directory) : 0;

        if (!directory)
                return -ENOMEM;
        if (available >= more)
                return 1;
        return k->newest ? guest_fail(guest, ENOSPC, "no_space_in_guest", message, k->version, more,
                                           directory, (uintmax_t) available)
                         : changes_warn(&guest->changes, STEP, message, k->version, more, directory,
                                           (uintmax_t) available);
}

/* What the list of changes says. */
static char *describe(const Kernel *k, bool drivers, const char *const *files) {
        _cleanup_strv_free_ char **all = NULL;

        for (char **m = k->modules.missing; drivers && m && *m; m++)
                if (strv_extend(&all, *m) < 0)
                        return NULL;
        for (; *files; files++)
                if (strv_extend(&all, strrchr(*files, '/') + 1) < 0)
                        return NULL;
        return strv_join(all, " ");
}

int initramfs_append(Guest *guest, const Kernel *k, bool drivers, const char *const *files) {
        _cleanup_free_ char *archive = NULL, *names = describe(k, drivers, files);
        size_t size;
        int r = names ? 0 : -ENOMEM;

        if (r >= 0 && guest->look)
                return changes_add(&guest->changes, STEP, k->initramfs, NULL, names) < 0 ? -ENOMEM : 1;
        if (r >= 0)
                r = make_archive(guest, k, drivers, files, &archive, &size);
        if (r >= 0)
                r = check_space(guest, k, size);
        if (r <= 0)
                return r;
        r = kernel_keep_initramfs(guest, k, 2 * (uint64_t) size);
        for (size_t done = 0; r >= 0 && done < size;) {
                size_t n = MIN(size - done, CHUNK);
                if (guestfs_write_append(guest->g, k->initramfs, archive + done, n) < 0)
                        r = guest_fail_last(guest, "guest_initramfs_failed",
                                        "Appending drivers to the initramfs");
                done += n;
        }
        if (r >= 0)
                r = changes_add(&guest->changes, STEP, k->initramfs, NULL, names);
        return r < 0 ? r : 1;
}
