/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "image/image-names.h"
#include "image/image-paths.h"
#include "unit/lib/test.h"

/* An image of the fuzzer's corpus. */
static void read_sample(const char *name, ImageNames *ret) {
        const char *srcdir = getenv("srcdir");
        _cleanup_free_ char *path =
                        strprintf("%s/tests/fuzz/corpus/image-names/%s", srcdir ? srcdir : ".", name);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *error = NULL;
        struct stat st;

        ck_assert_msg(fd >= 0 && fstat(fd, &st) == 0, "%s", path);
        ck_assert_msg(image_names_read(fd, (uint64_t) st.st_size, FORMAT_PROBE, ret, &error) == 0, "%s: %s",
                        name, strna(error));
}

static const struct {
        const char *sample;
        int format, parent_format;
        const char *parents, *id, *parent_id;
} samples[] = {
        { "qcow2", FORMAT_QCOW2, FORMAT_QCOW2, "../base.qcow2", NULL, NULL },
        { "qcow2-raw", FORMAT_QCOW2, FORMAT_RAW, "/srv/base.raw", NULL, NULL },
        { "vmdk", FORMAT_VMDK, FORMAT_VMDK, "C:\\VMs\\a.vmdk", "CID 00000001", "CID 00000002" },
        { "vmdk-embedded", FORMAT_VMDK, FORMAT_VMDK, "../a.vmdk", "CID 00000003", "CID 00000001" },
        { "vhd", FORMAT_VHD, FORMAT_VHD, ".\\up\\base.vhd|base.vhd", "UUID 000102030405060708090a0b0c0d0e0f",
                        "UUID 101112131415161718191a1b1c1d1e1f" },
        { "vhdx", FORMAT_VHDX, FORMAT_VHDX, ".\\base.vhdx|C:\\VMs\\base.vhdx",
                        "{11111111-2222-3333-4444-555555555502}", "{83ed0ec3-24c8-49a6-a959-5e4bd1288fbb}" },
};

START_TEST(a_parent_is_read) {
        for (size_t i = 0; i < ELEMENTSOF(samples); i++) {
                _cleanup_image_names_ ImageNames n = {};
                _cleanup_free_ char *parents = NULL;

                read_sample(samples[i].sample, &n);
                parents = strv_join(n.parents, "|");
                ck_assert_int_eq(n.format, samples[i].format);
                ck_assert(n.has_parent);
                ck_assert_int_eq(n.parent_format, samples[i].parent_format);
                ck_assert_str_eq(parents, samples[i].parents);
                ck_assert_msg(streq_ptr(n.id, samples[i].id), "%s", strna(n.id));
                ck_assert_msg(streq_ptr(n.parent_id, samples[i].parent_id), "%s", strna(n.parent_id));
        }
}
END_TEST

static const struct {
        const char *name, *beside,
                        *exact; /* the paths of an image that fits by its identity, and of others */
} paths[] = {
        { "base", "/srv/vm/base", "/srv/vm/base" },
        { "./base", "/srv/vm/base", "/srv/vm/base" },
        { "../a/base", "/srv/a/base /srv/vm/base", "/srv/a/base" },
        { "/b/base", "/b/base /srv/vm/base", "/b/base" },
        { "/b//c/../base", "/b/base /srv/vm/base", "/b/base" },
        { "../../../../etc/x", "/etc/x /srv/vm/x", "/etc/x" },
        { "C:\\VMs\\base", "/srv/vm/base", "" },
        { "..\\up\\base", "/srv/up/base /srv/vm/base", "/srv/vm/..\\up\\base" },
        { "\\\\server\\share\\base", "/srv/vm/base", "/srv/vm/\\\\server\\share\\base" },
        { "nbd://host/x", "/srv/vm/x", "" },
        { "json:{}", "", "" },
        { "file:/etc/x", "/srv/vm/x", "" },
        { "", "", "" },
        { "..", "/srv", "/srv" },
        { "a/..", "/srv/vm /srv", "/srv/vm" },
};

START_TEST(a_name_leads_to_paths) {
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                for (int beside = 0; beside < 2; beside++) {
                        _cleanup_strv_free_ char **list = NULL;
                        _cleanup_free_ char *joined = NULL;

                        ck_assert_int_eq(image_parent_paths("/srv/vm/top", paths[i].name, beside, &list), 0);
                        joined = strv_join(list, " ");
                        ck_assert_msg(streq(joined, beside ? paths[i].beside : paths[i].exact), "%s: %s",
                                        paths[i].name, joined);
                }
}
END_TEST

TEST_MAIN("image-names", a_parent_is_read, a_name_leads_to_paths)
