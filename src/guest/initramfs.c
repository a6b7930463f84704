/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/initramfs.h"

#include <sys/stat.h>

#include "basic/string-util.h"
#include "guest/cpio.h"
#include "guest/driver-list.h"
#include "guest/initramfs-list.h"
#include "guest/module-set.h"

#define STEP "initramfs_regenerate"
#define KERNELS_MAX 32u
#define MODULE_TEXT_MAX ((size_t) 16 * 1024 * 1024)
#define MODULE_MAX ((size_t) 64 * 1024 * 1024)
#define GUEST_INITRAMFS_MAX ((size_t) 512 * 1024 * 1024)
#define BACKUP ".before-hyper"

typedef struct Kernel {
        char *version;
        char *directory; /* of its modules */
        char *initramfs;
        InitramfsList list;
        ModuleSet modules;
        size_t size; /* of the initramfs */
} Kernel;

static void kernel_done(Kernel *k) {
        free(k->version);
        free(k->directory);
        free(k->initramfs);
        initramfs_list_done(&k->list);
        module_set_done(&k->modules);
}

static const char *const places[] = { "/boot/initrd.img-%s", "/boot/initramfs-%s.img", "/boot/initrd-%s",
        "/boot/initramfs-%s", "/boot/*/%s/initrd" };

/* Arch has one kernel of a kind, "linux" or "linux-lts": its initramfs has that name and no version. */
static int find_by_package(Guest *guest, Kernel *k) {
        _cleanup_free_ char *path = strprintf("%s/pkgbase", k->directory), *name = NULL;
        int r = path ? guest_read(guest, path, GUEST_TEXT_MAX, &name, NULL) : -ENOMEM;

        if (r < 0)
                return r == -ENOMEM ? r : 0;
        name[strcspn(name, "\n")] = 0;
        if (isempty(name) || strchr(name, '/'))
                return 0;
        _cleanup_free_ char *initramfs = strprintf("/boot/initramfs-%s.img", name);
        if (!initramfs)
                return -ENOMEM;
        if (guest_is_file(guest, initramfs))
                k->initramfs = TAKE_PTR(initramfs);
        return 0;
}

static int find_initramfs(Guest *guest, Kernel *k) {
        for (size_t i = 0; i < ELEMENTSOF(places) && !k->initramfs; i++) {
                const char *mark = strstr(places[i], "%s");
                _cleanup_free_ char *pattern = strprintf(
                                "%.*s%s%s", (int) (mark - places[i]), places[i], k->version, mark + 2);
                if (!pattern)
                        return -ENOMEM;
                _cleanup_guest_list_ char **paths = guestfs_glob_expand(guest->g, pattern);
                if (strv_length(paths) > 0 && !(k->initramfs = strdup(paths[0])))
                        return -ENOMEM;
        }
        return k->initramfs ? 0 : find_by_package(guest, k);
}

static char *read_text(Guest *guest, const Kernel *k, const char *name) {
        _cleanup_free_ char *path = strprintf("%s/%s", k->directory, name);
        char *text = NULL;

        if (path && guest_read(guest, path, MODULE_TEXT_MAX, &text, NULL) < 0)
                text = NULL;
        return text;
}

static int read_kernel(Guest *guest, Kernel *k, char **ret_initramfs) {
        _cleanup_free_ char *dep = read_text(guest, k, "modules.dep"),
                            *builtin = read_text(guest, k, "modules.builtin"), *data = NULL;
        int r = guest_read(guest, k->initramfs, GUEST_INITRAMFS_MAX, &data, &k->size);

        if (r < 0)
                return r == -EIO ? guest_fail_last(guest, "guest_initramfs_failed", "Reading the initramfs")
                                 : r;
        r = initramfs_list_read(data, k->size, &k->list);
        if (r >= 0)
                r = module_set_find(strempty(dep), strempty(builtin), k->list.modules, disk_drivers,
                                &k->modules);
        if (r >= 0)
                *ret_initramfs = TAKE_PTR(data);
        return r;
}

/* --- appending ------------------------------------------------------------------------------------- */

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

/* Its LVM has a configuration of its own, which may name the disks of VMware. */
static int add_lvm(Guest *guest, Buffer *b, char ***made) {
        static const char local[] = "devices {\n\tuse_devicesfile = 0\n}\n";
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = guest_read(guest, "/etc/lvm/lvm.conf", GUEST_FILE_MAX, &text, &size);

        if (r == -ENOMEM)
                return r;
        r = add_directories(b, made, "etc/lvm/lvm.conf");
        if (text)
                cpio_add(b, "etc/lvm/lvm.conf", S_IFREG | 0644, text, size);
        cpio_add(b, "etc/lvm/lvmlocal.conf", S_IFREG | 0644, local, strlen(local));
        return r;
}

static int make_archive(Guest *guest, const Kernel *k, bool lvm, char **ret, size_t *ret_size) {
        static const char *const maps[] = { "modules.dep", "modules.dep.bin", "modules.alias",
                "modules.alias.bin", "modules.softdep" };
        _cleanup_buffer_ Buffer b = {};
        _cleanup_strv_free_ char **made = NULL;
        int r = 0;

        /* Archives begin at multiples of 4. */
        buffer_add_zeroes(&b, (4 - k->size % 4) % 4);
        Buffer archive = {};
        STRV_FOREACH(file, k->modules.files)
                if (r >= 0)
                        r = add_file(guest, k, &archive, &made, *file, true);
        for (size_t i = 0; i < ELEMENTSOF(maps) && r >= 0 && k->modules.files; i++)
                r = add_file(guest, k, &archive, &made, maps[i], false);
        if (r >= 0 && lvm)
                r = add_lvm(guest, &archive, &made);
        cpio_end(&archive);
        if (r >= 0 && archive.failed)
                r = -ENOMEM;
        if (r >= 0)
                buffer_add(&b, archive.data, archive.size);
        buffer_done(&archive);
        if (r < 0)
                return r;
        return buffer_finish(&b, ret, ret_size);
}

/* One copy of the original stays if there is room for it and for the drivers. */
static int keep_original(Guest *guest, const Kernel *k, size_t more) {
        _cleanup_free_ char *backup = strprintf("%s" BACKUP, k->initramfs);
        struct guestfs_statvfs *fs = guestfs_statvfs(guest->g, "/boot");
        uint64_t available = fs ? (uint64_t) fs->bavail * (uint64_t) fs->bsize : 0;

        if (fs)
                guestfs_free_statvfs(fs);
        if (!backup)
                return -ENOMEM;
        if (available < more)
                return guest_fail(guest, ENOSPC, "no_space_in_guest",
                                "The drivers of %s need %zu bytes, but /boot of the guest has %ju free",
                                k->version, more, (uintmax_t) available);
        if (available < 2 * more + k->size || guest_is_file(guest, backup))
                return 0;
        return guestfs_cp_a(guest->g, k->initramfs, backup) < 0
                        ? guest_warn_last(guest, STEP, "Keeping a copy of the initramfs")
                        : 0;
}

static int append(Guest *guest, const Kernel *k, bool lvm) {
        _cleanup_free_ char *archive = NULL, *drivers = strv_join(k->modules.missing, " "),
                            *names = drivers
                        ? strprintf("%s%s%s", drivers, lvm && *drivers ? " " : "", lvm ? "lvm.conf" : "")
                        : NULL;
        size_t size;
        int r = names ? make_archive(guest, k, lvm, &archive, &size) : -ENOMEM;

        if (r >= 0)
                r = keep_original(guest, k, size);
        for (size_t done = 0; r >= 0 && done < size;) {
                size_t n = MIN(size - done, (size_t) 1024 * 1024);
                if (guestfs_write_append(guest->g, k->initramfs, archive + done, n) < 0)
                        r = guest_fail_last(guest, "guest_initramfs_failed",
                                        "Appending drivers to the initramfs");
                done += n;
        }
        return r < 0 ? r : changes_add(&guest->changes, STEP, k->initramfs, NULL, names);
}

/* --- kernels --------------------------------------------------------------------------------------- */

static int describe(Guest *guest, const Kernel *k, bool fixed) {
        json_t *missing = json_array();

        for (char **m = k->modules.missing; m && *m && !fixed; m++)
                json_array_append_new(missing, guest_text(*m));
        STRV_FOREACH(m, k->modules.unavailable)
                json_array_append_new(missing, guest_text(*m));
        return json_array_append_new(guest->kernels,
                               json_pack("{s:o, s:o, s:o}", "version", guest_text(k->version), "initramfs",
                                               guest_text(k->initramfs), "missing", missing)) < 0
                        ? -ENOMEM
                        : 0;
}

static int do_kernel(Guest *guest, const char *version, bool fix, bool lvm) {
        _cleanup_(kernel_done) Kernel k = { .version = strdup(version),
                .directory = strprintf("/lib/modules/%s", version) };
        _cleanup_free_ char *data = NULL;
        int r = k.version && k.directory ? find_initramfs(guest, &k) : -ENOMEM;

        if (r < 0 || !k.initramfs)
                return r;
        r = read_kernel(guest, &k, &data);
        if (r == -EFBIG || r == -ENOENT)
                return changes_warn(&guest->changes, STEP, "The initramfs %s cannot be read", k.initramfs);
        if (r >= 0 && !k.list.complete)
                return changes_warn(&guest->changes, STEP,
                                "The initramfs %s is in a format that is not known: it was not checked",
                                k.initramfs);
        if (r >= 0 && k.modules.unavailable)
                r = changes_warn(&guest->changes, STEP, "The kernel %s has no driver %s", version,
                                k.modules.unavailable[0]);
        if (r >= 0 && fix && (k.modules.missing || lvm))
                r = append(guest, &k, lvm);
        return r < 0 ? r : describe(guest, &k, fix);
}

static int edit_initramfs_tools(
                const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return initramfs_tools_rewrite(step, file, text, &guest->changes, ret);
}

static int edit_mkinitcpio(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return mkinitcpio_rewrite(step, file, text, &guest->changes, ret);
}

static int edit_suse(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return suse_kernel_rewrite(step, file, text, &guest->changes, ret);
}

#define DRACUT_DIRECTORY "/etc/dracut.conf.d"
#define DRACUT_FILE DRACUT_DIRECTORY "/90-hyper.conf"

/* For the guest's next kernel. */
static int demand_drivers(Guest *guest) {
        int r = guest_edit(guest, STEP, "/etc/initramfs-tools/modules", edit_initramfs_tools);

        if (r >= 0)
                r = guest_edit(guest, STEP, "/etc/mkinitcpio.conf", edit_mkinitcpio);
        if (r >= 0)
                r = guest_edit(guest, STEP, "/etc/sysconfig/kernel", edit_suse);
        if (r < 0 || !guest_is_directory(guest, DRACUT_DIRECTORY) || guest_is_file(guest, DRACUT_FILE))
                return r;
        _cleanup_free_ char *text = dracut_text();
        r = text ? guest_write(guest, DRACUT_FILE, text, strlen(text)) : -ENOMEM;
        return r < 0 ? r : changes_add(&guest->changes, STEP, DRACUT_FILE, NULL, text);
}

int initramfs_regenerate(Guest *guest, bool fix, bool lvm_changed) {
        _cleanup_guest_list_ char **versions = NULL;
        unsigned n = 0;
        int r = 0;

        guest_progress(STEP, 75);
        guest->kernels = json_array();
        if (!guest->kernels)
                return -ENOMEM;
        versions = guest_is_directory(guest, "/lib/modules") ? guestfs_ls(guest->g, "/lib/modules") : NULL;
        STRV_FOREACH(v, versions) {
                if (n++ == KERNELS_MAX)
                        return changes_warn(
                                        &guest->changes, STEP, "Only %u kernels were checked", KERNELS_MAX);
                if (r >= 0 && strlen(*v) < GUEST_TEXT_MAX && !strpbrk(*v, "*?[\\"))
                        r = do_kernel(guest, *v, fix, lvm_changed);
                guest_progress(STEP, 75 + MIN(n, 20u));
        }
        return r < 0 || !fix ? r : demand_drivers(guest);
}

bool initramfs_has_drivers(Guest *guest) {
        json_t *kernel;
        size_t i;

        json_array_foreach(guest->kernels, i, kernel)
                if (json_array_size(json_object_get(kernel, "missing")) > 0)
                        return false;
        return json_array_size(guest->kernels) > 0;
}
