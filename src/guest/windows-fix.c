/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/windows-fix.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "guest/first-boot.h"
#include "guest/guest-registry.h"
#include "guest/virtio-win.h"
#include "guest/windows-table.h"
#include "guest/windows.h"

#define STEP "offline_fix"
#define HELPER DATADIR "/hyper/" FIRST_BOOT_PROGRAM
#define HELPER_MAX ((off_t) 4 * 1024 * 1024)

/* --- files ----------------------------------------------------------------------------------------- */

/* A path below the directory of Windows: parts that exist are spelled as they are, since Windows does not
 * distinguish "drivers" and "Drivers". NULL when out of memory. */
static char *windows_path(Guest *guest, const char *below) {
        char *path = strdup(guest->windows->directory);

        for (const char *p = below; *p && path;) {
                size_t n = strcspn(p, "/");
                _cleanup_free_ char *before = path, *wanted = strprintf("%s/%.*s", before, (int) n, p);

                path = wanted ? guestfs_case_sensitive_path(guest->g, wanted) : NULL;
                if (!path) /* there is no such directory yet */
                        path = TAKE_PTR(wanted);
                p += n + (p[n] == '/');
        }
        return path;
}

static int write_file(Guest *guest, const char *below, const char *data, size_t size) {
        _cleanup_free_ char *path = windows_path(guest, below);

        return path ? guest_write(guest, path, data, size) : -ENOMEM;
}

static int note_file(Guest *guest, const char *below, const char *what) {
        _cleanup_free_ char *path = windows_path(guest, below);

        return path ? changes_add(&guest->changes, STEP, path, NULL, what) : -ENOMEM;
}

/* --- drivers --------------------------------------------------------------------------------------- */

/* Without drivers, there is a reason. */
static int warn_drivers(Guest *guest, const char *reason) {
        const Windows *w = guest->windows;

        if (w->disk_driver && w->nic_driver)
                return 0;
        return changes_warn(&guest->changes, STEP,
                        "No virtio drivers were installed, so that the guest needs a SATA disk and an e1000e "
                        "network interface, which are slower: %s",
                        reason);
}

static int read_drivers(Guest *guest, VirtioWin *ret) {
        const Windows *w = guest->windows;
        const char *const *versions = windows_driver_directories(w->build, w->server);
        const char *path = guest->orders->virtio_win;
        _cleanup_free_ char *why = NULL, *reason = NULL;

        if (!path)
                return warn_drivers(guest, "set guest.virtio_win in the configuration");
        if (!versions || !w->arch)
                return warn_drivers(guest, "there are none for this processor");
        int r = virtio_win_read(path, versions, w->arch, ret, &why);
        if (r >= 0 && ret->n > 0)
                return 0;
        if (r == -ENOMEM)
                return r;
        reason = r < 0 ? strprintf("reading %s, see guest.virtio_win, failed: %s", path, strna(why))
                       : strprintf("%s, see guest.virtio_win, has none for %s (%s)", path, versions[0],
                                         w->arch);
        return reason ? warn_drivers(guest, reason) : -ENOMEM;
}

/* Where Windows looks for drivers of new devices: DevicePath. */
static int copy_drivers(Guest *guest, const VirtioWin *drivers) {
        _cleanup_free_ char *directory = windows_path(guest, "Drivers/VirtIO"), *what = NULL;

        if (!directory)
                return -ENOMEM;
        if (guestfs_mkdir_p(guest->g, directory) < 0)
                return guest_fail_last(guest, "guest_write_failed", "Making the directory Drivers/VirtIO");
        for (size_t i = 0; i < drivers->n; i++) {
                const VirtioWinFile *f = &drivers->files[i];
                _cleanup_free_ char *below = strprintf("Drivers/VirtIO/%s", f->name);
                int r = below ? write_file(guest, below, f->data, f->size) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        what = strprintf("%zu files, such as %s", drivers->n, drivers->files[0].path);
        return what ? changes_add(&guest->changes, STEP, directory, NULL, what) : -ENOMEM;
}

/* Where the boot loader reads those that are started first. */
static int copy_boot_driver(Guest *guest, const VirtioWinFile *f) {
        _cleanup_free_ char *below = strprintf("System32/drivers/%s", f->name);
        int r = below ? write_file(guest, below, f->data, f->size) : -ENOMEM;

        return r < 0 ? r : note_file(guest, below, f->path);
}

static int register_ids(Guest *guest, const Registry *r, const WindowsDriver *driver) {
        const Windows *w = guest->windows;
        const RegistryEdit *edits =
                        w->build >= WINDOWS_8 ? windows_package_id_edits : windows_critical_edits;
        int k = 0;

        for (const char *const *id = driver->ids; *id && k >= 0; id++) {
                const RegistryWord words[] = { { "set", w->set }, { "driver", driver->name }, { "id", *id },
                        {} };
                k = registry_apply(r, edits, words, STEP, &guest->changes);
        }
        return k;
}

static int register_driver(Guest *guest, const Registry *r, const WindowsDriver *driver) {
        const Windows *w = guest->windows;
        const RegistryWord words[] = { { "set", w->set }, { "driver", driver->name }, {} };
        int k = registry_apply(r, windows_driver_edits, words, STEP, &guest->changes);

        if (k >= 0 && w->build >= WINDOWS_8)
                k = registry_apply(r, windows_package_edits, words, STEP, &guest->changes);
        return k < 0 ? k : register_ids(guest, r, driver);
}

static const VirtioWinFile *boot_file(const VirtioWin *drivers, const WindowsDriver *driver) {
        char name[64];

        (void) snprintf(name, sizeof(name), "%s.sys", driver->name);
        return virtio_win_find(drivers, name);
}

static int install_drivers(Guest *guest, const VirtioWin *drivers) {
        int r = copy_drivers(guest, drivers);

        for (size_t i = 0; i < n_windows_boot_drivers && r >= 0; i++) {
                const VirtioWinFile *f = boot_file(drivers, &windows_boot_drivers[i]);
                if (f)
                        r = copy_boot_driver(guest, f);
        }
        return r;
}

/* --- the first-boot helper ------------------------------------------------------------------------- */

/* -ENOENT: hyper was built without it. */
static int read_helper(char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = open(HELPER, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *data = NULL;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size > HELPER_MAX)
                return -EFBIG;
        data = malloc((size_t) st.st_size + 1);
        if (!data)
                return -ENOMEM;
        int r = pread_full(fd, data, (size_t) st.st_size, 0);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(data);
        *ret_size = (size_t) st.st_size;
        return 0;
}

static int warn_addresses(Guest *guest, const char *reason) {
        const WindowsNetwork *n = &guest->windows->network;

        for (size_t i = 0; i < n->n; i++)
                if (n->items[i].fixed)
                        return changes_warn(&guest->changes, STEP,
                                        "Windows has the static address %s, which its new network interface "
                                        "does not get: %s",
                                        n->items[i].addresses[0].address, reason);
        return 0;
}

/* 1 if it was installed. */
static int install_helper(Guest *guest) {
        _cleanup_free_ char *data = NULL, *orders = NULL;
        size_t size = 0;
        int r;

        if (!streq_ptr(guest->windows->arch, "amd64")) {
                r = warn_addresses(guest, "the first-boot helper is a program for x86-64");
                return MIN(r, 0);
        }
        r = read_helper(&data, &size);
        if (r == -ENOENT) {
                r = warn_addresses(guest, "hyper was built without the first-boot helper");
                return MIN(r, 0);
        }
        if (r < 0)
                return guest_fail(guest, r, "failed", "Reading " HELPER " failed: %s", strerror(-r));
        orders = first_boot_text(&guest->windows->network);
        r = orders ? write_file(guest, FIRST_BOOT_PROGRAM, data, size) : -ENOMEM;
        if (r >= 0)
                r = write_file(guest, FIRST_BOOT_ORDERS, orders, strlen(orders));
        if (r >= 0)
                r = note_file(guest, FIRST_BOOT_PROGRAM, "the first-boot helper");
        return r < 0 ? r : 1;
}

/* --- the registry ---------------------------------------------------------------------------------- */

static int fail_registry(Guest *guest, int error, const char *name) {
        _cleanup_free_ char *what = strprintf("Changing the registry of Windows, %s,", name);

        return error == -ENOMEM || !what ? -ENOMEM : guest_fail_last(guest, "guest_write_failed", what);
}

static int edit_system(Guest *guest, const VirtioWin *drivers, bool helper) {
        const RegistryWord words[] = { { "set", guest->windows->set }, {} };
        Registry registry;
        int r = guest_registry_open(guest, guest->windows->system_hive, "SYSTEM", true, &registry);

        if (r < 0)
                return fail_registry(guest, r, "SYSTEM");
        for (size_t i = 0; i < n_windows_boot_drivers && r >= 0; i++)
                if (boot_file(drivers, &windows_boot_drivers[i]))
                        r = register_driver(guest, &registry, &windows_boot_drivers[i]);
        if (r >= 0)
                r = registry_apply(&registry, windows_system_edits, words, STEP, &guest->changes);
        if (r >= 0 && helper)
                r = registry_apply(&registry, windows_first_boot_edits, words, STEP, &guest->changes);
        if (r >= 0)
                r = guest_registry_commit(guest);
        if (r < 0)
                r = fail_registry(guest, r, "SYSTEM");
        guest_registry_close(guest);
        return r;
}

static int edit_software(Guest *guest) {
        static const RegistryWord words[] = { {} };
        Registry registry;
        int r = guest_registry_open(guest, guest->windows->software_hive, "SOFTWARE", true, &registry);

        if (r < 0)
                return fail_registry(guest, r, "SOFTWARE");
        r = registry_apply(&registry, windows_software_edits, words, STEP, &guest->changes);
        if (r >= 0)
                r = guest_registry_commit(guest);
        if (r < 0)
                r = fail_registry(guest, r, "SOFTWARE");
        guest_registry_close(guest);
        return r;
}

int windows_offline_fix(Guest *guest) {
        _cleanup_(virtio_win_done) VirtioWin drivers = {};
        int helper, r;

        guest_progress(STEP, 65);
        r = read_drivers(guest, &drivers);
        if (r >= 0 && drivers.n > 0)
                r = install_drivers(guest, &drivers);
        if (r < 0)
                return r;
        guest_progress(STEP, 75);
        helper = install_helper(guest);
        if (helper < 0)
                return helper;
        r = edit_system(guest, &drivers, helper > 0);
        if (r < 0 || drivers.n == 0)
                return r;
        guest_progress(STEP, 85);
        guest->windows->disk_driver = true;
        guest->windows->nic_driver = guest->windows->nic_driver || virtio_win_find(&drivers, "netkvm.inf");
        return edit_software(guest);
}
