/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Drivers for Windows in a directory or an ISO image. */

#include <archive.h>
#include <archive_entry.h>

#include "guest/virtio-win.h"
#include "unit/lib/test.h"

static const char *const files[] = { "/viostor/w10/amd64/viostor.sys", "/viostor/w10/amd64/viostor.inf",
        "/viostor/w10/amd64/viostor.pdb", "/viostor/w10/x86/viostor.sys", "/viostor/2k22/amd64/viostor.sys",
        "/NetKVM/w10/amd64/netkvm.inf", "/NetKVM/w11/amd64/netkvm.inf", "/NetKVM/w10/amd64/NETKVM.SYS",
        "/fwcfg/w10/amd64/fwcfg.inf", "/qemufwcfg/w10/amd64/qemufwcfg.inf",
        "/guest-agent/qemu-ga-x86_64.msi" };

static void make_parents(const char *path) {
        for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                _cleanup_free_ char *parent = strndup(path, (size_t) (slash - path));
                ck_assert(mkdir(parent, 0755) == 0 || errno == EEXIST);
        }
}

/* The content of each file is its path. */
static char *make_directory(const char *dir) {
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_free_ char *path = strprintf("%s/drivers%s", dir, files[i]);
                make_parents(path);
                FILE *f = fopen(path, "we");
                ck_assert_ptr_nonnull(f);
                ck_assert_int_ge(fputs(files[i], f), 0);
                ck_assert_int_eq(fclose(f), 0);
        }
        return strprintf("%s/drivers", dir);
}

static char *make_image(const char *dir) {
        char *path = strprintf("%s/virtio-win.iso", dir);
        struct archive *a = archive_write_new();

        ck_assert_int_eq(archive_write_set_format_iso9660(a), ARCHIVE_OK);
        ck_assert_int_eq(archive_write_open_filename(a, path), ARCHIVE_OK);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                struct archive_entry *e = archive_entry_new();
                archive_entry_set_pathname(e, files[i] + 1);
                archive_entry_set_filetype(e, AE_IFREG);
                archive_entry_set_perm(e, 0644);
                archive_entry_set_size(e, (int64_t) strlen(files[i]));
                ck_assert_int_eq(archive_write_header(a, e), ARCHIVE_OK);
                ck_assert_int_eq(archive_write_data(a, files[i], strlen(files[i])), (int) strlen(files[i]));
                archive_entry_free(e);
        }
        ck_assert_int_eq(archive_write_close(a), ARCHIVE_OK);
        archive_write_free(a);
        return path;
}

static int compare(const void *a, const void *b) {
        return strcmp(((const VirtioWinFile *) a)->path, ((const VirtioWinFile *) b)->path);
}

/* The paths that were chosen, and read. */
static char *chosen(const char *path, const char *const *versions, const char *arch) {
        _cleanup_(virtio_win_done) VirtioWin v = {};
        _cleanup_strv_free_ char **list = NULL;
        char *why = NULL;

        ck_assert_int_eq(virtio_win_read(path, versions, arch, &v, &why), 0);
        if (v.n > 0)
                qsort(v.files, v.n, sizeof(*v.files), compare);
        for (size_t i = 0; i < v.n; i++) {
                ck_assert_uint_eq(v.files[i].size, strlen(v.files[i].path));
                ck_assert_mem_eq(v.files[i].data, v.files[i].path, v.files[i].size);
                ck_assert_int_eq(strv_extend(&list, v.files[i].name), 0);
        }
        return strv_join(list, " ");
}

static const struct {
        const char *versions[3], *arch, *expected;
} rows[] = {
        { { "w10" }, "amd64", "netkvm.sys netkvm.inf fwcfg.inf viostor.inf viostor.sys" },
        { { "w11", "w10" }, "amd64", "netkvm.sys netkvm.inf fwcfg.inf viostor.inf viostor.sys" },
        { { "w10" }, "x86", "viostor.sys" },
        { { "2k25", "2k22" }, "amd64", "viostor.sys" },
        { { "w11" }, "amd64", "" }, /* without a driver for disks */
        { { "w10" }, "arm64", "" },
};

START_TEST(a_directory_is_read) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = make_directory(dir);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *found = chosen(path, rows[i].versions, rows[i].arch);
                ck_assert_str_eq(strempty(found), rows[i].expected);
        }
}
END_TEST

START_TEST(an_image_is_read) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = make_image(dir);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *found = chosen(path, rows[i].versions, rows[i].arch);
                ck_assert_str_eq(strempty(found), rows[i].expected);
        }
}
END_TEST

START_TEST(paths_match_in_both_orders) {
        static const struct {
                const char *path;
                bool expected;
        } paths[] = {
                { "/viostor/w10/amd64/viostor.sys", true },
                { "/VIOSTOR/W10/AMD64/VIOSTOR.SYS", true },
                { "/drivers/by-os/amd64/w10/viostor.sys", true },
                { "/w10/amd64/viostor.sys", true },
                { "w10/amd64/viostor.sys", true },
                { "/viostor/w10/x86/viostor.sys", false },
                { "/viostor/w10/amd64/sub/viostor.sys", false },
                { "/viostor/xw10/amd64/viostor.sys", false },
                { "amd64/viostor.sys", false },
                { "/viostor.sys", false },
                { "viostor.sys", false },
                { "", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                ck_assert_int_eq(virtio_win_matches(paths[i].path, "w10", "amd64"), paths[i].expected);
}
END_TEST

START_TEST(what_cannot_be_read_is_an_error) {
        static const char *const versions[] = { "w10", NULL };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/no.iso", dir), *first = NULL, *second = NULL;
        VirtioWin v = {};

        ck_assert_int_eq(virtio_win_read(path, versions, "amd64", &v, &first), -ENOENT);
        ck_assert_str_eq(first, "No such file or directory");
        FILE *f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        for (unsigned i = 0; i < 100000; i++)
                ck_assert_int_ge(putc('x', f), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_lt(virtio_win_read(path, versions, "amd64", &v, &second), 0);
        ck_assert_ptr_nonnull(second);
}
END_TEST

TEST_MAIN("guest-virtio-win", a_directory_is_read, an_image_is_read, paths_match_in_both_orders,
                what_cannot_be_read_is_an_error)
