/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/vmdk-descriptor.h"
#include "test.h"

#define HEAD "# Disk DescriptorFile\nversion=1\nCID=123a465b\nparentCID=ffffffff\n"

static void parse(const char *text, VmdkDescriptor *d) {
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(vmdk_descriptor_parse(text, strlen(text), d, &error) == 0, "%s: %s", text,
                        strna(error));
}

static void check_refused(const char *text, const char *expected) {
        _cleanup_free_ char *error = NULL;
        VmdkDescriptor d = {};

        ck_assert_msg(vmdk_descriptor_parse(text, strlen(text), &d, &error) == -EBADMSG, "%s was taken",
                        text);
        ck_assert_str_eq(error, expected);
        ck_assert_ptr_null(d.extents);
}

START_TEST(a_split_disk_names_its_extents) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};

        parse(HEAD "createType=\"twoGbMaxExtentSparse\"\r\n\n# Extent description\n"
                   "RW 4192256 SPARSE \"disk-s001.vmdk\"\r\n"
                   "  RDONLY 4192256 sparse \"disk s002.vmdk\"\n"
                   "RW 63 ZERO\n"
                   "RW 100 FLAT \"disk-f003.vmdk\" 0\n"
                   "RW 100 FLAT \"disk-f003.vmdk\" 100\n"
                   "RW 7 VMFSRDM \"raw\" 0 partitionUUID /dev/sdb\n"
                   "# The Disk Data Base\n#DDB\nddb.adapterType = \"lsilogic\"\nddb.uuid = \"60 00 C2\"\n",
                        &d);
        ck_assert_str_eq(d.create_type, "twoGbMaxExtentSparse");
        ck_assert_ptr_null(d.parent);
        ck_assert_uint_eq(strv_length(d.extents), 4);
        ck_assert_str_eq(d.extents[0], "disk-s001.vmdk");
        ck_assert_str_eq(d.extents[1], "disk s002.vmdk");
        ck_assert_str_eq(d.extents[2], "disk-f003.vmdk");
        ck_assert_str_eq(d.extents[3], "raw");
}
END_TEST

START_TEST(a_parent_is_seen) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};

        parse(HEAD "createType=monolithicSparse\nparentFileNameHint = \"/etc/shadow\"\n", &d);
        ck_assert_str_eq(d.parent, "/etc/shadow");
        ck_assert_str_eq(d.create_type, "monolithicSparse");
        ck_assert_ptr_null(d.extents);
}
END_TEST

START_TEST(an_embedded_descriptor_ends_at_its_padding) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        static const char text[] = HEAD "RW 1 SPARSE \"a\"\n\0\0\0\0RW 1 SPARSE \"b\"\n";
        _cleanup_free_ char *error = NULL;

        ck_assert_int_eq(vmdk_descriptor_parse(text, sizeof(text), &d, &error), 0);
        ck_assert_uint_eq(strv_length(d.extents), 1);
}
END_TEST

START_TEST(a_line_that_another_parser_may_read_otherwise_is_refused) {
        check_refused("", "line 1: this is no VMDK descriptor");
        check_refused("KDMV", "line 1: this is no VMDK descriptor");
        check_refused(HEAD "RW\n1 FLAT \"x\"\n", "line 5: an extent must have its size in sectors");
        check_refused(HEAD "RW 0x10 FLAT \"x\"\n", "line 5: an extent must have its size in sectors");
        check_refused(HEAD "RW 1 FLAT x\n", "line 5: an extent must have its file name in quotes");
        check_refused(HEAD "RW 1 FLAT \"x\n", "line 5: an extent must have its file name in quotes");
        check_refused(HEAD "RW 1 WEIRD \"x\"\n", "line 5: an extent must be of a known type");
        check_refused(HEAD "RW 1 ZERO \"x\"\n", "line 5: an extent must be of a known type");
        check_refused(HEAD "RW 1 FLAT \"x\" \"y\"\n", "line 5: an extent's offset must be a number");
        check_refused(HEAD "RW 1 FLAT \"x\" 0 \"y\"\n", "line 5: an extent must have one file name");
        check_refused(HEAD "FLAT \"x\"\n",
                        "line 5: this is neither a comment, nor an extent, nor key=value");
        check_refused(HEAD "two words=1\n", "line 5: a key must be one word");
        check_refused(HEAD "=1\n", "line 5: a key must be one word");
        check_refused(HEAD "a=\"b\" c\n", "line 5: there is text behind the value");
        check_refused(HEAD "a=b\rRW 1 FLAT \"x\"\n", "line 5: there is a control character");
        check_refused(HEAD "a\vRW 1\n", "line 5: there is a control character");
        check_refused(HEAD "createType=\"a\"\ncreateType=\"b\"\n", "line 6: this key was given before");
}
END_TEST

START_TEST(a_descriptor_that_is_too_long_is_refused) {
        _cleanup_free_ char *text = malloc(VMDK_DESCRIPTOR_MAX + 1), *error = NULL;
        VmdkDescriptor d = {};

        memset(text, '\n', VMDK_DESCRIPTOR_MAX + 1);
        memcpy(text, HEAD, strlen(HEAD));
        ck_assert_int_eq(vmdk_descriptor_parse(text, VMDK_DESCRIPTOR_MAX + 1, &d, &error), -EBADMSG);
        ck_assert_int_eq(vmdk_descriptor_parse(text, VMDK_DESCRIPTOR_MAX, &d, &error), 0);
        vmdk_descriptor_done(&d);
}
END_TEST

START_TEST(descriptors_are_told_from_images) {
        static const char *const good[] = { "# Disk DescriptorFile", "# Disk DescriptorFile\n",
                "version=1\n", "# a comment\n\n \t\r\nversion=1", "\n# Disk DescriptorFile\n" };
        static const char *const bad[] = { "", "#", "# a comment", "KDMV\1", "x\nversion=1\n",
                " version=1\n", "# Disk Descriptor", "version" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                ck_assert_msg(vmdk_is_descriptor(good[i], strlen(good[i])), "%s", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(!vmdk_is_descriptor(bad[i], strlen(bad[i])), "%s", bad[i]);
        ck_assert(!vmdk_is_descriptor("\0\0\nversion=1\n", 13));
}
END_TEST

START_TEST(extent_names_are_plain_files_beside_the_descriptor) {
        char name[257];
        static const char *const good[] = { "a.vmdk", "disk 1-s001.vmdk", "..a", "\xc3\xa4.vmdk", "a,b=c" };
        static const char *const bad[] = { "", ".", "..", "/etc/shadow", "../a", "a/b", " a", "\ta",
                "json:{}", "nbd:h:1", "C:a", "a\nb", "a\x7f", "\xff.vmdk" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                ck_assert_msg(vmdk_extent_name_is_plain(good[i]), "%s", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(!vmdk_extent_name_is_plain(bad[i]), "%s", bad[i]);
        memset(name, 'a', 256);
        name[256] = 0;
        ck_assert(!vmdk_extent_name_is_plain(name));
        name[255] = 0;
        ck_assert(vmdk_extent_name_is_plain(name));
}
END_TEST

TEST_MAIN("vmdk-descriptor", a_split_disk_names_its_extents, a_parent_is_seen,
                an_embedded_descriptor_ends_at_its_padding,
                a_line_that_another_parser_may_read_otherwise_is_refused,
                a_descriptor_that_is_too_long_is_refused, descriptors_are_told_from_images,
                extent_names_are_plain_files_beside_the_descriptor)
