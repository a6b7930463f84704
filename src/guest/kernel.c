/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/kernel.h"
#include "basic/string-util.h"
#include "guest/driver-list.h"

#define STEP "initramfs_regenerate"
#define MODULE_TEXT_MAX ((size_t) 16 * 1024 * 1024)
#define GUEST_INITRAMFS_MAX ((size_t) 512 * 1024 * 1024)
#define BACKUP ".before-hyper"

static void clear_initramfs(Kernel *k) {
        initramfs_list_done(&k->list);
        module_set_done(&k->modules);
        k->list = (InitramfsList){};
        k->modules = (ModuleSet){};
}

void kernel_done(Kernel *k) {
        clear_initramfs(k);
        free(k->version);
        free(k->directory);
        free(k->initramfs);
}

static const char *const places[] = { "/boot/initrd.img-%s", "/boot/initramfs-%s.img", "/boot/initrd-%s",
        "/boot/initrd-%s.img", "/boot/initramfs-%s", "/boot/*/%s/initrd*", "/efi/*/%s/initrd*",
        "/boot/efi/*/%s/initrd*" };

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

int kernel_find(Guest *guest, const char *version, Kernel *ret) {
        _cleanup_kernel_ Kernel k = { .version = strdup(version),
                .directory = strprintf("/lib/modules/%s", version) };
        int r = k.version && k.directory ? find_initramfs(guest, &k) : -ENOMEM;

        if (r < 0)
                return r;
        *ret = k;
        k = (Kernel){};
        return 0;
}

static char *read_text(Guest *guest, const Kernel *k, const char *name) {
        _cleanup_free_ char *path = strprintf("%s/%s", k->directory, name);
        char *text = NULL;

        if (path && guest_read(guest, path, MODULE_TEXT_MAX, &text, NULL) < 0)
                text = NULL;
        return text;
}

int kernel_read(Guest *guest, Kernel *k) {
        _cleanup_free_ char *dep = read_text(guest, k, "modules.dep"),
                            *builtin = read_text(guest, k, "modules.builtin"), *data = NULL;
        int r;

        clear_initramfs(k);
        r = guest_read(guest, k->initramfs, GUEST_INITRAMFS_MAX, &data, &k->size);
        if (r < 0)
                return r == -EIO ? guest_fail_last(guest, "guest_initramfs_failed", "Reading the initramfs")
                                 : r;
        r = initramfs_list_read(data, k->size, &k->list);
        return r < 0 ? r
                     : module_set_find(strempty(dep), strempty(builtin), k->list.modules, disk_drivers,
                                       &k->modules);
}

static int compare_versions(const void *a, const void *b) {
        return strverscmp(*(char *const *) b, *(char *const *) a);
}

void kernel_versions_sort(char **versions) {
        qsort(versions, strv_length(versions), sizeof(char *), compare_versions);
}

char *kernel_boot_directory(const Kernel *k) {
        return strndup(k->initramfs, (size_t) (strrchr(k->initramfs, '/') - k->initramfs));
}

uint64_t guest_free_space(Guest *guest, const char *path) {
        struct guestfs_statvfs *fs = guestfs_statvfs(guest->g, path);
        uint64_t available = fs ? (uint64_t) fs->bavail * (uint64_t) fs->bsize : 0;

        if (fs)
                guestfs_free_statvfs(fs);
        return available;
}

int kernel_keep_initramfs(Guest *guest, const Kernel *k, uint64_t more) {
        _cleanup_free_ char *backup = strprintf("%s" BACKUP, k->initramfs),
                            *directory = kernel_boot_directory(k);

        if (!backup || !directory)
                return -ENOMEM;
        if (guest_free_space(guest, directory) < more + k->size || guest_is_file(guest, backup))
                return 0;
        return guestfs_cp_a(guest->g, k->initramfs, backup) < 0
                        ? guest_warn_last(guest, STEP, "Keeping a copy of the initramfs")
                        : 0;
}
