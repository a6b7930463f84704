/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/initramfs-native.h"
#include "basic/string-util.h"

#define STEP "initramfs_regenerate"
/* For the new one beside the old one. */
#define SPACE_MIN ((uint64_t) 50 * 1024 * 1024)

enum { ARGUMENTS_MAX = 12, OPTIONS_MAX = 4 };

/* @version and @initramfs are replaced. What detects the hardware would find that of the appliance: all
 * drivers are included instead. Then dracut does not know what the root is on, either, and rd.auto has it
 * look for volumes of all kinds, unless the kernel's command line names some. */
static const struct {
        const char *name;
        const char *paths[3];
        const char *arguments[ARGUMENTS_MAX];
        const char *options[OPTIONS_MAX + 1]; /* added, if the help of the program has the first one */
        bool crypttab; /* is included only if that is demanded */
} tools[] = {
        { "update-initramfs", { "/usr/sbin/update-initramfs" }, { "-u", "-k", "@version" }, {}, false },
        { "dracut", { "/usr/bin/dracut", "/sbin/dracut" }, { "--force", "@initramfs", "@version" },
                        { "--no-hostonly", "--kernel-cmdline", "rd.auto=1" }, true },
        { "mkinitcpio", { "/usr/bin/mkinitcpio" }, { "-k", "@version", "-g", "@initramfs" },
                        { "--skiphooks", "autodetect" }, false },
};

static const char *find_tool(Guest *guest, size_t *ret) {
        for (size_t i = 0; i < ELEMENTSOF(tools); i++)
                for (size_t p = 0; p < ELEMENTSOF(tools[i].paths) && tools[i].paths[p]; p++)
                        if (guest_is_file(guest, tools[i].paths[p])) {
                                *ret = i;
                                return tools[i].paths[p];
                        }
        return NULL;
}

static int check_space(Guest *guest, const Kernel *k) {
        _cleanup_free_ char *directory = kernel_boot_directory(k);
        uint64_t available = directory ? guest_free_space(guest, directory) : 0;

        if (!directory)
                return -ENOMEM;
        if (available >= SPACE_MIN)
                return 0;
        return guest_fail(guest, ENOSPC, "no_space_in_guest",
                        "Making the initramfs of %s anew needs %ju bytes, but %s of the guest has %ju free",
                        k->version, (uintmax_t) SPACE_MIN, directory, (uintmax_t) available);
}

static bool has_option(Guest *guest, const char *path, const char *option) {
        char *argv[] = { (char *) path, (char *) "--help", NULL };
        _cleanup_free_ char *help = option ? guestfs_command(guest->g, argv) : NULL;

        return help && strstr(help, option);
}

static void add_arguments(char **argv, size_t *n, const Kernel *k, const char *const *arguments) {
        for (; *n < ARGUMENTS_MAX && *arguments; arguments++)
                argv[(*n)++] = streq(*arguments, "@version")      ? k->version
                                : streq(*arguments, "@initramfs") ? k->initramfs
                                                                  : (char *) *arguments;
}

static int run(Guest *guest, const Kernel *k, const char *path, size_t tool) {
        static const char *const crypttab[] = { "--include", "/etc/crypttab", "/etc/crypttab", NULL };
        char *argv[ARGUMENTS_MAX + 1] = { (char *) path };
        size_t n = 1;

        add_arguments(argv, &n, k, tools[tool].arguments);
        if (has_option(guest, path, tools[tool].options[0]))
                add_arguments(argv, &n, k, tools[tool].options);
        if (tools[tool].crypttab && initramfs_has_file(&k->list, crypttab[1]) &&
                        guest_is_file(guest, crypttab[1]))
                add_arguments(argv, &n, k, crypttab);
        char *output = guestfs_command(guest->g, argv);
        if (!output) {
                _cleanup_free_ char *what = strprintf("%s %s in the guest", tools[tool].name, k->version);
                return what ? guest_fail_last(guest, "guest_initramfs_failed", what) : -ENOMEM;
        }
        free(output);
        return changes_add(&guest->changes, STEP, k->initramfs, NULL, tools[tool].name);
}

int initramfs_make(Guest *guest, const Kernel *k) {
        size_t tool;
        const char *path = find_tool(guest, &tool);
        int r;

        if (!path)
                return guest_fail(guest, EOPNOTSUPP, "guest_no_initramfs_tool",
                                "The guest has neither update-initramfs, dracut nor mkinitcpio to make an "
                                "initramfs");
        r = check_space(guest, k);
        if (r >= 0)
                r = kernel_keep_initramfs(guest, k, 2 * SPACE_MIN);
        return r < 0 ? r : run(guest, k, path, tool);
}
