/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Labels of files by the policy of SELinux. */

#include "guest/file-contexts.h"
#include "unit/lib/test.h"

static const char policy[] = "# a comment\n"
                             "/.*\tu:r:default_t:s0\n"
                             "/etc(/.*)?   u:r:etc_t:s0\n"
                             "/etc/fstab   --   u:r:fstab_t:s0\n"
                             "/etc/f.*     u:r:later_t:s0\n"
                             "/etc/shadow.*  -l  u:r:link_t:s0\n"
                             "/etc/systemd/network(/.*)?  -d  u:r:net_dir_t:s0\n"
                             "/etc/systemd/network/.*\\.link  --  u:r:net_file_t:s0:c0.c1023\n"
                             "/usr/lib(64)?/modules(/.*)?  u:r:modules_t:s0\n"
                             "/(boot|efi)/.*\\.cfg  --  u:r:boot_t:s0\n"
                             "/proc(/.*)?  <<none>>\n"
                             "/twice  u:r:first_t:s0\n"
                             "/twice  u:r:second_t:s0\n"
                             "/plain\\.name  u:r:plain_t:s0\n"
                             "/expensive(a{1,255}){1,255}  u:r:x_t:s0\n"
                             "/repeated((((((((((a+)+)+)+)+)+)+)+)+)+)+  u:r:x_t:s0\n"
                             "/broken(  u:r:x_t:s0\n"
                             "/nocontext\n"
                             "/bad  u:r:x t:s0\n"
                             "/strange  u:r:x/t\n";

static const struct {
        const char *path;
        bool directory;
        const char *context;
} rows[] = {
        { "/etc/hosts", false, "u:r:etc_t:s0" },
        { "/etc", true, "u:r:etc_t:s0" },
        /* a line without wildcards counts more */
        { "/etc/fstab", false, "u:r:fstab_t:s0" },
        { "/etc/fstab", true, "u:r:later_t:s0" },
        { "/etc/shadow", false, "u:r:etc_t:s0" },
        { "/etc/systemd/network", true, "u:r:net_dir_t:s0" },
        { "/etc/systemd/network/10-hyper-ens192.link", false, "u:r:net_file_t:s0:c0.c1023" },
        { "/usr/lib/modules/6.1", true, "u:r:modules_t:s0" },
        { "/usr/lib64/modules", true, "u:r:modules_t:s0" },
        { "/efi/grub.cfg", false, "u:r:boot_t:s0" },
        { "/proc/1", true, NULL },
        { "/twice", false, "u:r:second_t:s0" },
        { "/plain.name", false, "u:r:plain_t:s0" },
        { "/plainxname", false, "u:r:default_t:s0" },
        { "/expensiveaaaa", false, "u:r:default_t:s0" },
        { "/repeatedaaaa", false, "u:r:default_t:s0" },
        { "/nocontext", false, "u:r:default_t:s0" },
        { "/bad", false, "u:r:x" },
        { "/strange", false, NULL },
};

START_TEST(labels_are_found) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *context = NULL;
                int r = file_contexts_find(policy, rows[i].path, rows[i].directory, &context);
                ck_assert_msg(r == (rows[i].context != NULL) && streq_ptr(context, rows[i].context),
                                "row %zu: %d %s", i, r, strna(context));
        }
}
END_TEST

START_TEST(the_configuration_is_read) {
        static const char config[] =
                        "# SELINUX=disabled\nSELINUX=enforcing\nSELINUXTYPE=targeted # x\nBAD=../x\n";
        _cleanup_free_ char *mode = selinux_config_value(config, "SELINUX"),
                            *type = selinux_config_value(config, "SELINUXTYPE");

        ck_assert_str_eq(mode, "enforcing");
        ck_assert_str_eq(type, "targeted");
        ck_assert_ptr_null(selinux_config_value(config, "BAD"));
        ck_assert_ptr_null(selinux_config_value(config, "NONE"));
}
END_TEST

TEST_MAIN("guest-selinux", labels_are_found, the_configuration_is_read)
