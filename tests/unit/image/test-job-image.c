/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/image-info.h"
#include "image/image.h"
#include "unit/lib/job-front.h"

static int decode(const char *text, ImageInfo *ret) {
        return image_info_from_json(text, strlen(text), ret);
}

START_TEST(what_qemu_img_reports_is_read) {
        static const char text[] =
                        "{\"virtual-size\": 10485760, \"filename\": \"a.vmdk\", \"format\": \"vmdk\", "
                        "\"actual-size\": 12288,"
                        " \"snapshots\": [{}, {}], \"dirty-flag\": true, \"format-specific\": "
                        "{\"type\": \"vmdk\", \"data\":"
                        " {\"cid\": 1, \"extents\": [{\"virtual-size\": 5, \"filename\": "
                        "\"/srv/a-flat.vmdk\","
                        " \"format\": \"FLAT\"}]}}}";
        _cleanup_image_info_ ImageInfo i = {};

        ck_assert_int_eq(decode(text, &i), 0);
        ck_assert_str_eq(i.format, "vmdk");
        ck_assert_uint_eq(i.virtual_size, 10485760);
        ck_assert_uint_eq(i.actual_size, 12288);
        ck_assert_uint_eq(i.n_snapshots, 2);
        ck_assert(i.dirty && !i.encrypted && !i.corrupt && !i.has_backing && !i.has_data_file);
        ck_assert_uint_eq(i.n_extents, 1);
        ck_assert_str_eq(i.extents[0].filename, "/srv/a-flat.vmdk");
}
END_TEST

START_TEST(reports_that_make_no_sense_are_refused) {
        static const char *const texts[] = { "", "[]", "{}", "{\"format\": \"raw\"}",
                "{\"format\": \"raw\", \"virtual-size\": -1}",
                "{\"format\": \"raw\", \"virtual-size\": \"1\"}", "{\"format\": 1, \"virtual-size\": 1}",
                "{\"format\": \"raw\", \"virtual-size\": 1, \"encrypted\": \"no\"}",
                "{\"format\": \"vmdk\", \"virtual-size\": 1, \"format-specific\": 1}",
                "{\"format\": \"vmdk\", \"virtual-size\": 1, \"format-specific\": {\"data\": []}}",
                "{\"format\": \"vmdk\", \"virtual-size\": 1, \"format-specific\": {\"data\": "
                "{\"extents\": {}}}}",
                "{\"format\": \"vmdk\", \"virtual-size\": 1, \"format-specific\": {\"data\": "
                "{\"extents\": [1]}}}",
                "{\"format\": \"vmdk\", \"virtual-size\": 1, \"format-specific\": {\"data\": "
                "{\"extents\": [{}]}}}",
                "{\"format\": \"raw\", \"virtual-size\": 1} trailing" };

        for (size_t k = 0; k < ELEMENTSOF(texts); k++) {
                ImageInfo i = {};
                ck_assert_msg(decode(texts[k], &i) == -EBADMSG, "%s", texts[k]);
        }
}
END_TEST

/* The second line of defence on its own: the header said nothing, the report does. */
static void assert_report_refused(int format, const char *report, const char *expected) {
        Image image = { .path = (char *) "/srv/a", .whole = true, .format = format };
        _cleanup_image_info_ ImageInfo info = {};
        _cleanup_free_ char *why = NULL;

        ck_assert_int_eq(decode(report, &info), 0);
        ck_assert_int_eq(image_info_check(&image, &info, &why), -EBADMSG);
        ck_assert_msg(strstr(why, expected), "\"%s\" is not in \"%s\"", expected, why);
}

START_TEST(reports_of_other_files_are_refused) {
        assert_report_refused(FORMAT_QCOW2,
                        "{\"format\": \"qcow2\", \"virtual-size\": 1, \"backing-filename\": \"b\"}",
                        "backing file");
        assert_report_refused(FORMAT_QCOW2,
                        "{\"format\": \"qcow2\", \"virtual-size\": 1, \"full-backing-filename\": \"b\"}",
                        "backing file");
        assert_report_refused(FORMAT_QCOW2,
                        "{\"format\": \"qcow2\", \"virtual-size\": 1, \"format-specific\": {\"data\":"
                        " {\"data-file\": \"x\"}}}",
                        "data file");
        assert_report_refused(FORMAT_VMDK,
                        "{\"format\": \"vmdk\", \"virtual-size\": 1, \"format-specific\": {\"data\": "
                        "{\"extents\":"
                        " [{\"filename\": \"/etc/passwd\", \"format\": \"FLAT\"}]}}}",
                        "/etc/passwd");
        assert_report_refused(FORMAT_VMDK,
                        "{\"format\": \"vmdk\", \"virtual-size\": 1, \"format-specific\": {\"data\": "
                        "{\"extents\":"
                        " [{\"filename\": \"/srv/b\", \"format\": \"\"}]}}}",
                        "/srv/b");
}
END_TEST

START_TEST(reports_of_what_cannot_be_converted_are_refused) {
        assert_report_refused(FORMAT_RAW, "{\"format\": \"raw\", \"virtual-size\": 0}", "empty");
        assert_report_refused(
                        FORMAT_RAW, "{\"format\": \"raw\", \"virtual-size\": 70368744177665}", "64.0 TiB");
        assert_report_refused(FORMAT_RAW, "{\"format\": \"qcow2\", \"virtual-size\": 1}",
                        "qemu opens it as qcow2");
        assert_report_refused(FORMAT_QCOW2,
                        "{\"format\": \"qcow2\", \"virtual-size\": 1, \"encrypted\": true}", "encrypted");
        assert_report_refused(FORMAT_QCOW2,
                        "{\"format\": \"qcow2\", \"virtual-size\": 1, \"format-specific\": {\"data\": "
                        "{\"corrupt\":"
                        " true}}}",
                        "corrupt");
}
END_TEST

/* What qemu says of a disk in two extents, in its order. */
static int compare_extents(
                const char *first, const char *second, const char *more, uint64_t size, char **ret_why) {
        ImageExtent expected[] = { { (char *) "/srv/one", (char *) "FLAT", 512 },
                { (char *) "/srv/two", (char *) "FLAT", 512 } };
        Image image = { .path = (char *) "/srv/a",
                .whole = true,
                .format = FORMAT_VMDK,
                .expected = expected,
                .n_expected = ELEMENTSOF(expected),
                .expected_size = 1024 };
        _cleanup_image_info_ ImageInfo info = {};
        char a[128], b[128];

        snprintf(a, sizeof(a), "{\"filename\": \"/srv/%s\", \"format\": \"FLAT\", \"virtual-size\": 512}",
                        first);
        snprintf(b, sizeof(b), "{\"filename\": \"/srv/%s\", \"format\": \"FLAT\", \"virtual-size\": 512}",
                        second);
        _cleanup_free_ char *report =
                        strprintf("{\"format\": \"vmdk\", \"virtual-size\": %" PRIu64
                                  ", \"format-specific\": {\"data\": {\"extents\": [%s, %s%s]}}}",
                                        size, a, b, more);
        ck_assert_int_eq(decode(report, &info), 0);
        return image_info_check(&image, &info, ret_why);
}

START_TEST(reports_of_another_disk_are_refused) {
        static const struct {
                const char *first, *second, *more;
                uint64_t size;
                const char *refusal;
        } cases[] = {
                { "one", "two", "", 1024, NULL },
                { "two", "one", "", 1024,
                                "extent 1 is /srv/one of type FLAT with 512 bytes, but qemu reads "
                                "/srv/two" },
                { "one", "one", "", 1024, "extent 2 is /srv/two" },
                { "one", "two", ", {\"filename\": \"/srv/one\", \"format\": \"FLAT\"}", 1024,
                                "it has 2 extents, but qemu reads 3" },
                { "one", "two", "", 512, "its header gives a disk of 1024 bytes, but qemu reads 512" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *why = NULL;
                int r = compare_extents(cases[i].first, cases[i].second, cases[i].more, cases[i].size, &why);

                ck_assert_int_eq(r, cases[i].refusal ? -EBADMSG : 0);
                ck_assert_msg(!cases[i].refusal || strstr(why, cases[i].refusal), "%s", strna(why));
        }
}
END_TEST

static int probe(const char *path, DiskFormat *ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        Image i = { .whole = true, .length = file_size(path) };
        _cleanup_free_ char *why = NULL;

        return image_probe(fd, &i, ret, &why);
}

START_TEST(formats_are_found) {
        static const struct {
                const char *qemu, *option;
                DiskFormat format;
        } cases[] = {
                { "raw", NULL, FORMAT_RAW },
                { "qcow2", NULL, FORMAT_QCOW2 },
                { "qcow2", "compat=0.10", FORMAT_QCOW2 },
                { "vmdk", NULL, FORMAT_VMDK },
                { "vmdk", "subformat=monolithicFlat", FORMAT_VMDK },
                { "vmdk", "subformat=streamOptimized", FORMAT_VMDK },
                { "vdi", NULL, FORMAT_VDI },
                { "vpc", NULL, FORMAT_VHD },
                { "vpc", "subformat=fixed", FORMAT_VHD },
                { "vhdx", NULL, FORMAT_VHDX },
                { "parallels", NULL, FORMAT_PARALLELS },
        };
        _cleanup_test_dir_ char *dir = test_dir();

        for (size_t k = 0; k < ELEMENTSOF(cases); k++) {
                _cleanup_free_ char *path = strprintf("%s/%zu", dir, k);
                DiskFormat format;
                if (cases[k].option)
                        RUN("qemu-img", "create", "-q", "-f", cases[k].qemu, "-o", cases[k].option, path,
                                        "8M");
                else
                        RUN("qemu-img", "create", "-q", "-f", cases[k].qemu, path, "8M");
                ck_assert_int_eq(probe(path, &format), 0);
                ck_assert_msg(format == cases[k].format, "%s %s", cases[k].qemu, strna(cases[k].option));
        }
}
END_TEST

START_TEST(known_but_unsupported_formats_are_named) {
        static const char *const formats[] = { "qcow", "qed", "luks" };
        _cleanup_test_dir_ char *dir = test_dir();

        for (size_t k = 0; k < ELEMENTSOF(formats); k++) {
                _cleanup_free_ char *path = strprintf("%s/%s", dir, formats[k]);
                DiskFormat format;
                if (streq(formats[k], "luks"))
                        write_text(path, "LUKS\xba\xbe");
                else
                        RUN("qemu-img", "create", "-q", "-f", formats[k], path, "8M");
                ck_assert_msg(probe(path, &format) == -EOPNOTSUPP, "%s", formats[k]);
        }
}
END_TEST

START_TEST(short_files_are_raw) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/short", dir);
        DiskFormat format = FORMAT_PROBE;

        write_text(path, "QF");
        ck_assert_int_eq(probe(path, &format), 0);
        ck_assert_int_eq(format, FORMAT_RAW);
}
END_TEST

START_TEST(options_name_everything) {
        Image i = { .path = (char *) "/srv/a,b\"c:d", .whole = true, .format = FORMAT_QCOW2 };
        Image member = {
                .path = (char *) "/srv/a.ova", .offset = 512, .length = 1024, .format = FORMAT_VMDK
        };
        _cleanup_json_ json_t *options = image_options(&i), *in_tar = image_options(&member);
        json_t *file = json_object_get(options, "file");

        ck_assert_str_eq(json_string_value(json_object_get(options, "driver")), "qcow2");
        ck_assert(json_is_null(json_object_get(options, "backing")));
        ck_assert_str_eq(json_string_value(json_object_get(file, "driver")), "file");
        ck_assert_str_eq(json_string_value(json_object_get(file, "filename")), "/srv/a,b\"c:d");
        file = json_object_get(in_tar, "file");
        ck_assert_str_eq(json_string_value(json_object_get(file, "driver")), "raw");
        ck_assert_int_eq(json_integer_value(json_object_get(file, "offset")), 512);
        ck_assert_int_eq(json_integer_value(json_object_get(file, "size")), 1024);
}
END_TEST

TEST_MAIN("image", what_qemu_img_reports_is_read, reports_that_make_no_sense_are_refused,
                reports_of_other_files_are_refused, reports_of_another_disk_are_refused,
                reports_of_what_cannot_be_converted_are_refused, formats_are_found,
                known_but_unsupported_formats_are_named, short_files_are_raw, options_name_everything)
