/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/initramfs.h"
#include "basic/string-util.h"
#include "guest/driver-list.h"
#include "guest/initramfs-append.h"
#include "guest/initramfs-native.h"

#define STEP "initramfs_regenerate"

typedef struct Tasks {
        bool drivers; /* are added where they are missing */
        bool native; /* the guest's own program makes it anew before */
        bool lvm; /* the configuration of LVM was changed */
} Tasks;

static int describe(Guest *guest, const Kernel *k, bool fixed) {
        json_t *missing = json_array(), *unavailable = json_array();

        for (char **m = k->modules.missing; m && *m && !fixed; m++)
                json_array_append_new(missing, guest_text(*m));
        STRV_FOREACH(m, k->modules.unavailable) {
                json_array_append_new(missing, guest_text(*m));
                json_array_append_new(unavailable, guest_text(*m));
        }
        return json_array_append_new(guest->kernels,
                               json_pack("{s:o, s:o, s:o, s:o}", "version", guest_text(k->version),
                                               "initramfs", guest_text(k->initramfs), "missing", missing,
                                               "unavailable", unavailable)) < 0
                        ? -ENOMEM
                        : 0;
}

static bool was_changed(const Guest *guest, const char *path) {
        json_t *change;
        size_t i;

        json_array_foreach(guest->changes.changes, i, change)
                if (streq_ptr(json_string_value(json_object_get(change, "file")), path))
                        return true;
        return false;
}

/* The files that were changed, and that the initramfs has copies of. */
static void list_copies(const Guest *guest, const Kernel *k, bool lvm,
                const char *ret[static INITRAMFS_FILES_MAX + 1]) {
        size_t n = 0;

        for (size_t i = 0; i < INITRAMFS_FILES_MAX; i++) {
                const char *path = initramfs_files[i];
                if (startswith(path, "/etc/lvm/") ? lvm : k->list.has[i] && was_changed(guest, path))
                        ret[n++] = path;
        }
        ret[n] = NULL;
}

/* Whether appended drivers are found: very old ones load what a script names. */
static bool loads_drivers(const Kernel *k) {
        return k->list.directory != NULL;
}

/* 1: its drivers are complete. */
static int append(Guest *guest, const Kernel *k, const Tasks *tasks) {
        const char *files[INITRAMFS_FILES_MAX + 1];
        bool drivers = tasks->drivers && k->modules.missing;
        int r;

        list_copies(guest, k, tasks->lvm, files);
        if (drivers && !loads_drivers(k)) {
                r = changes_warn(&guest->changes, STEP,
                                "The initramfs %s has no directory of modules: drivers that are appended "
                                "would not be loaded",
                                k->initramfs);
                if (r < 0)
                        return r;
                drivers = false;
        }
        if (!drivers && !files[0])
                return 0;
        r = initramfs_append(guest, k, drivers, files);
        return r < 0 ? r : r > 0 && drivers;
}

/* What is in the old one says what the new one needs. It may also be damaged. */
static int make_anew(Guest *guest, Kernel *k) {
        int r = kernel_read(guest, k);

        return r < 0 && r != -EFBIG && r != -ENOENT ? r : initramfs_make(guest, k);
}

static int do_kernel(Guest *guest, Kernel *k, const Tasks *tasks) {
        int r = tasks->native ? make_anew(guest, k) : 0;

        if (r >= 0)
                r = kernel_read(guest, k);
        if (r == -EFBIG || r == -ENOENT)
                return changes_warn(&guest->changes, STEP, "The initramfs %s cannot be read", k->initramfs);
        if (r >= 0 && !k->list.complete)
                return changes_warn(&guest->changes, STEP,
                                "The initramfs %s is in a format that is not known: it was not checked",
                                k->initramfs);
        if (r >= 0 && k->modules.unavailable)
                r = changes_warn(&guest->changes, STEP, "The kernel %s has no driver %s", k->version,
                                k->modules.unavailable[0]);
        if (r >= 0)
                r = append(guest, k, tasks);
        return r < 0 ? r : describe(guest, k, r > 0 && !guest->look);
}

/* --- the guest's next kernel ------------------------------------------------------------------------- */

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

/* --- all kernels ------------------------------------------------------------------------------------- */

static int do_kernels(Guest *guest, char *const *versions, const Tasks *tasks) {
        unsigned n = 0, left = 0;

        for (; versions && *versions; versions++) {
                _cleanup_kernel_ Kernel k = {};
                int r = kernel_find(guest, *versions, &k);

                if (r >= 0 && k.initramfs && n == KERNELS_MAX)
                        left++;
                else if (r >= 0 && k.initramfs) {
                        k.newest = n++ == 0;
                        guest_progress(STEP, 75 + MIN(n, 20u));
                        r = do_kernel(guest, &k, tasks);
                }
                if (r < 0)
                        return r;
        }
        if (n == 0)
                return changes_warn(&guest->changes, STEP,
                                "No kernel with an initramfs was found: whether it has the drivers of virtio "
                                "was not checked");
        return left == 0 ? 0
                         : changes_warn(&guest->changes, STEP,
                                           "The initramfs of the newest %u kernels was checked, that of %u "
                                           "older ones was not",
                                           n, left);
}

/* Names that can be part of a pattern of glob(7). */
static int list_versions(Guest *guest, char ***ret) {
        _cleanup_guest_list_ char **all = guest_is_directory(guest, "/lib/modules")
                        ? guestfs_ls(guest->g, "/lib/modules")
                        : NULL;
        _cleanup_strv_free_ char **plain = NULL;

        STRV_FOREACH(v, all) {
                if (strlen(*v) >= GUEST_TEXT_MAX || strpbrk(*v, "*?[\\") ||
                                strv_length(plain) >= GUEST_LIST_MAX)
                        continue;
                int r = strv_extend(&plain, *v);
                if (r < 0)
                        return r;
        }
        kernel_versions_sort(plain);
        *ret = TAKE_PTR(plain);
        return 0;
}

int initramfs_regenerate(Guest *guest, bool fix, bool lvm_changed) {
        Tasks tasks = {
                .drivers = fix, .native = fix && !guest->look && guest->orders->native, .lvm = lvm_changed
        };
        _cleanup_strv_free_ char **versions = NULL;
        int r;

        guest_progress(STEP, 75);
        guest->kernels = json_array();
        if (!guest->kernels)
                return -ENOMEM;
        /* The guest's own program reads the lists, too. */
        r = fix ? demand_drivers(guest) : 0;
        if (r >= 0)
                r = list_versions(guest, &versions);
        return r < 0 ? r : do_kernels(guest, versions, &tasks);
}

bool initramfs_has_drivers(Guest *guest) {
        json_t *kernel;
        size_t i;

        json_array_foreach(guest->kernels, i, kernel)
                if (json_array_size(json_object_get(kernel, "missing")) > 0)
                        return false;
        return json_array_size(guest->kernels) > 0;
}
