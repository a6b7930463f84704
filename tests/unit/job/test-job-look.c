/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found in a file without a job. Raw disks, which hyper-job starts a child for, are in
 * system/inspect. */

#include "job/look.h"
#include "spec/inspection.h"
#include "unit/lib/job-front.h"
#include "json/json-table.h"

/* What was found, "FORMAT SIZES: CODES", which the manager accepts. */
static char *look(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_json_ json_t *found = NULL, *same = NULL;
        const json_t *item;
        size_t i;

        ck_assert_int_eq(look_at(fd, strrchr(path, '/') + 1, -1, &found), 0);
        _cleanup_free_ char *text = json_dumps(found, JSON_COMPACT);
        ck_assert_msg(inspection_decode(text, strlen(text), &same) == 0, "%s", text);
        ck_assert(json_equal(found, same));
        const char *format = json_string_value(json_object_get(found, "format"));
        char *all = strprintf("%s", format ? format : "none");
        json_array_foreach(json_object_get(found, "disks"), i, item) {
                char *more = strprintf("%s %" JSON_INTEGER_FORMAT, all,
                                json_integer_value(json_object_get(item, "size")));
                free(all);
                all = more;
        }
        json_array_foreach(json_object_get(found, "concerns"), i, item) {
                char *more = strprintf("%s%s%s", all, i == 0 ? ": " : " ",
                                json_string_value(json_object_get(item, "code")));
                free(all);
                all = more;
        }
        return all;
}

static void expect(const char *path, const char *expected) {
        _cleanup_free_ char *found = look(path);

        ck_assert_msg(streq(found, expected), "%s: %s, not %s", path, found, expected);
}

START_TEST(images_of_each_format) {
        static const char *const formats[][2] = { { "qcow2", "qcow2" }, { "vmdk", "vmdk" }, { "vdi", "vdi" },
                { "vpc", "vhd" }, { "vhdx", "vhdx" } };
        _cleanup_test_dir_ char *dir = test_dir();

        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                const char *path = PATH(dir, "a.%s", formats[i][0]);
                _cleanup_free_ char *expected = strprintf("%s %u", formats[i][1], 8 * (unsigned) MIB);

                /* That of a VHD is rounded, unless this is given; the others get a default. */
                if (streq(formats[i][0], "vpc"))
                        RUN("qemu-img", "create", "-q", "-f", "vpc", "-o", "force_size=on", path, "8M");
                else
                        RUN("qemu-img", "create", "-q", "-f", formats[i][0], path, "8M");
                expect(path, expected);
        }
}
END_TEST

START_TEST(what_is_wrong_is_a_concern) {
        _cleanup_test_dir_ char *dir = test_dir();

        write_text(PATH(dir, "empty.qcow2"), "");
        expect(PATH(dir, "empty.qcow2"), "none: image_refused");
        write_file(PATH(dir, "cut.qcow2"), "QFI\xfb\0\0\0\3", 8);
        expect(PATH(dir, "cut.qcow2"), "qcow2 0: image_refused");
        write_file(PATH(dir, "old.qcow"), "QFI\xfb\0\0\0\1", 8);
        expect(PATH(dir, "old.qcow"), "none 0: image_refused");
        write_file(PATH(dir, "a.img.gz"), "\x1f\x8b\x08\0\0\0\0\0", 8);
        expect(PATH(dir, "a.img.gz"), "gzip: compressed");
        RUN("qemu-img", "create", "-q", "-f", "qcow2", PATH(dir, "base.qcow2"), "8M");
        RUN("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "base.qcow2",
                        PATH(dir, "top.qcow2"));
        expect(PATH(dir, "top.qcow2"), "qcow2 8388608: differencing");
}
END_TEST

START_TEST(descriptors_and_packages) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(tar_builder_done) TarBuilder t = {};
        _cleanup_free_ char *ovf = make_ovf((const char *const[]){ "disk.vmdk" }, 1);

        RUN("qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", PATH(dir, "s.vmdk"),
                        "8M");
        expect(PATH(dir, "s.vmdk"), "vmdk 8388608");
        RUN("qemu-img", "create", "-q", "-f", "vmdk", PATH(dir, "disk.vmdk"), "4M");
        tar_add_text(&t, "a.ovf", ovf);
        tar_add_file(&t, "disk.vmdk", PATH(dir, "disk.vmdk"));
        tar_end(&t);
        write_file(PATH(dir, "a.ova"), t.data, t.size);
        expect(PATH(dir, "a.ova"), "ova 4194304");
        write_text(PATH(dir, "a.ovf"), ovf);
        _cleanup_free_ char *found = look(PATH(dir, "a.ovf"));
        ck_assert_ptr_nonnull(startswith(found, "ovf "));
}
END_TEST

TEST_MAIN("job-look", images_of_each_format, what_is_wrong_is_a_concern, descriptors_and_packages)
