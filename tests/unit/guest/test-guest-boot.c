/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a boot loader starts by default, and which disk the firmware starts. */

#include "guest/boot-default.h"
#include "unit/lib/test.h"

#define ENTRY(title, id, n)                                                         \
        "menuentry '" title "' --class debian $menuentry_id_option '" id "' {\n"    \
        "\tload_video\n\tif [ x$grub_platform = xxen ]; then insmod xzio; fi\n"     \
        "\tlinux\t/boot/vmlinuz-" n " root=UUID=1 ro quiet\n\techo 'Loading …'\n" \
        "\tinitrd\t/boot/initrd.img-" n "\n}\n"
#define DEFAULT(value)                                           \
        "if [ -s $prefix/grubenv ]; then\n  load_env\nfi\n"      \
        "if [ \"${next_entry}\" ] ; then\n"                      \
        "   set default=\"${next_entry}\"\n   set next_entry=\n" \
        "else\n   set default=\"" value "\"\nfi\n"               \
        "function load_video {\n  insmod all_video\n}\n# menuentry x {\n"
#define ADVANCED "submenu 'Advanced options' $menuentry_id_option 'advanced' {\n\t"
#define OLD "submenu 'Old' --id old {\n"
#define MEMTEST "menuentry \"memtest\" --id mem {\n linux16 /boot/memtest\n}\n"
#define NEWEST ENTRY("Debian", "simple", "3")
#define THIRD ENTRY("Debian, 3", "a-3", "3")
#define SECOND ENTRY("Debian, 2", "a-2", "2")
#define FIRST ENTRY("Debian, 1", "a-1", "1")
#define RESCUE ENTRY("Rescue", "rescue", "0")
#define MENU NEWEST ADVANCED THIRD SECOND OLD FIRST "}\n}\n" MEMTEST RESCUE
#define DEBIAN(value) DEFAULT(value) MENU
#define IMAGE(n) "/boot/initrd.img-" n " "

static const struct {
        const char *config, *env, *expected;
} grubs[] = {
        { DEBIAN("0"), NULL, IMAGE("3") },
        { DEBIAN("1"), NULL, IMAGE("3") }, /* a submenu: its first entry */
        { DEBIAN("1>1"), NULL, IMAGE("2") },
        { DEBIAN("advanced>a-2"), NULL, IMAGE("2") },
        { DEBIAN("Advanced options>Debian, 2"), NULL, IMAGE("2") },
        { DEBIAN("advanced>old>0"), NULL, IMAGE("1") },
        { DEBIAN("advanced>2"), NULL, IMAGE("1") },
        { DEBIAN("rescue"), NULL, IMAGE("0") },
        { DEBIAN("3"), NULL, IMAGE("0") },
        { DEBIAN("2"), NULL, NULL }, /* it has no initramfs */
        { DEBIAN("a-2"), NULL, IMAGE("3") }, /* not on the top level: as if it were not there */
        { DEBIAN("gone"), NULL, IMAGE("3") },
        { DEBIAN("${saved_entry}"), "# GRUB Environment Block\nsaved_entry=1>1\n####", IMAGE("2") },
        { DEBIAN("${saved_entry}"), "# GRUB Environment Block\nsaved_entry=\n####", IMAGE("3") },
        { DEBIAN("${saved_entry}"), NULL, IMAGE("3") },
        { "menuentry 'CentOS' --unrestricted {\n\tlinux16 /vmlinuz-3\n\tinitrd16 /initramfs-3.img\n}\n",
                        NULL, "/initramfs-3.img " },
        { "menuentry x {\ninitrd /ucode.img /i.img\n", NULL, "/ucode.img /i.img " },
        { "menuentry a {\nmenuentry b {\ninitrd /b\n}\ninitrd /a\n}\n", NULL, "/b /a " },
        { "blscfg\n", NULL, NULL },
        { "", NULL, NULL },
        { "}\n}\n}\nmenuentry 'a {\nmenuentry b {\ninitrd /b\n}", NULL, "/b " },
        { "menuentry {\ninitrd\n}\n", NULL, " " },
};

START_TEST(grub_has_a_default) {
        for (size_t i = 0; i < ELEMENTSOF(grubs); i++) {
                _cleanup_free_ char *paths = NULL;
                int r = boot_default_grub2(grubs[i].config, grubs[i].env, &paths);
                ck_assert_int_eq(r, grubs[i].expected != NULL);
                ck_assert_msg(streq_ptr(paths, grubs[i].expected), "row %zu: %s", i, strna(paths));
        }
}
END_TEST

static const struct {
        int (*read)(const char *config, char **ret);
        const char *config, *expected;
} menus[] = {
        { boot_default_legacy,
                        "default=1\ntimeout=5\ntitle CentOS (3)\n\troot (hd0,0)\n\tkernel /vmlinuz-3 ro\n"
                        "\tinitrd /initramfs-3.img\ntitle CentOS (2)\n\tkernel /vmlinuz-2\n\tinitrd /initramfs-2.img\n",
                        "/initramfs-2.img " },
        { boot_default_legacy, "title a\ninitrd (hd0,0)/boot/a.img\ntitle b\ninitrd /b.img\n",
                        "(hd0,0)/boot/a.img " },
        { boot_default_legacy, "default saved\ntitle a\ninitrd /a.img\n", NULL },
        { boot_default_legacy, "default\t7\ntitle a\ninitrd /a.img\n", NULL },
        { boot_default_extlinux,
                        "DEFAULT l1\nLABEL l0\n\tLINUX /boot/vmlinuz-3\n\tINITRD /boot/initrd.img-3\nLABEL l1\n"
                        "\tLINUX ../vmlinuz-2\n\tAPPEND initrd=../ucode.img,../initrd.img-2 root=/dev/sda1\n",
                        "../ucode.img ../initrd.img-2 " },
        { boot_default_extlinux, "label a\ninitrd /a\nlabel b\nmenu default\ninitrd /b\n", "/b " },
        { boot_default_extlinux, "label a\ninitrd /a\nlabel b\ninitrd /b\n", "/a " },
        { boot_default_extlinux, "default gone\nlabel a\ninitrd /a\n", NULL },
        { boot_default_loader, "#default a\ndefault  @saved\ndefault debian-*\n", "debian-*" },
        { boot_default_loader, "timeout 3\n", NULL },
        { boot_default_saved, "# GRUB\nkernelopts=root=x\nsaved_entry=0123-5.14\n##", "0123-5.14" },
        { boot_default_saved, "saved_entry=\nx=1\n", NULL },
};

START_TEST(menus_have_a_default) {
        for (size_t i = 0; i < ELEMENTSOF(menus); i++) {
                _cleanup_free_ char *paths = NULL;
                int r = menus[i].read(menus[i].config, &paths);
                ck_assert_int_eq(r, menus[i].expected != NULL);
                ck_assert_msg(streq_ptr(paths, menus[i].expected), "row %zu: %s", i, strna(paths));
        }
}
END_TEST

START_TEST(entries_have_a_default) {
        static const struct {
                const char *wanted, *expected;
        } rows[] = { { NULL, "/m/3/initrd " }, { "1", "/m/2/initrd " }, { "m-2", "/m/2/initrd " },
                { "m-2.conf", "/m/2/initrd " }, { "m-*", "/m/3/initrd " }, { "9", "/m/3/initrd " },
                { "[", "/m/3/initrd " } };
        char *const names[] = { (char *) "m-3.conf", (char *) "m-2.conf", NULL };
        char *const texts[] = { (char *) "title x\nlinux /m/3/linux\ninitrd /m/3/initrd\n",
                (char *) "linux /m/2/linux\r\ninitrd /m/2/initrd\r\n", NULL };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *paths = NULL;
                ck_assert_int_eq(boot_default_entry(names, texts, rows[i].wanted, &paths), 1);
                ck_assert_msg(streq_ptr(paths, rows[i].expected), "row %zu: %s", i, strna(paths));
        }
}
END_TEST

START_TEST(paths_are_compared) {
        static const struct {
                const char *paths, *initramfs;
                bool expected;
        } rows[] = {
                { "/boot/initrd.img-6", "/boot/initrd.img-6", true },
                { "/initrd.img-6 ", "/boot/initrd.img-6", true },
                { "/ucode.img ($root)/initrd.img-6", "/boot/initrd.img-6", true },
                { "/@rootfs/boot/initrd.img-6", "/boot/initrd.img-6", true },
                { "../initrd.img-6", "/boot/initrd.img-6", true },
                { "/initrd.img-6", "/boot/initrd.img-6.1", false },
                { "/boot/initrd.img-6.1", "/boot/initrd.img-6", false },
                { "/ / $initrd", "/boot/", false },
                { "", "/boot/initrd.img-6", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                ck_assert_msg(boot_default_is(rows[i].paths, rows[i].initramfs) == rows[i].expected,
                                "row %zu", i);
}
END_TEST

START_TEST(sectors_with_code_start) {
        unsigned char sector[512] = {};

        ck_assert(!boot_sector_starts(sector));
        sector[510] = 0x55;
        sector[511] = 0xaa;
        ck_assert(!boot_sector_starts(sector)); /* a partition table alone */
        sector[446] = 0x80;
        ck_assert(!boot_sector_starts(sector));
        sector[439] = 1;
        ck_assert(boot_sector_starts(sector));
        sector[510] = 0;
        ck_assert(!boot_sector_starts(sector));
}
END_TEST

TEST_MAIN("guest-boot", grub_has_a_default, menus_have_a_default, entries_have_a_default, paths_are_compared,
                sectors_with_code_start)
