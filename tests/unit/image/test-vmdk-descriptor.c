/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/vmdk-descriptor.h"
#include "unit/lib/test.h"

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

static const VmdkExtent *extent(
                const VmdkDescriptor *d, size_t k, VmdkExtentKind kind, uint64_t sectors, const char *name) {
        ck_assert_uint_lt(k, d->n_extents);
        ck_assert_int_eq(d->extents[k].kind, kind);
        ck_assert_uint_eq(d->extents[k].sectors, sectors);
        ck_assert_msg(streq_ptr(d->extents[k].name, name), "%s", strna(d->extents[k].name));
        return &d->extents[k];
}

START_TEST(a_split_disk_names_its_extents) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        _cleanup_strv_free_ char **files = NULL;

        parse(HEAD "createType=\"twoGbMaxExtentSparse\"\r\n\n# Extent description\n\n"
                   "RW 4192256 SPARSE \"disk-s001.vmdk\"\r\n"
                   "  RDONLY 4192256 sparse \"disk s002.vmdk\"\n"
                   "\t\n"
                   "RW 63 ZERO\n"
                   "rdonly 100 FLAT \"disk-f003.vmdk\" 0\n"
                   "RW\t100\tFLAT\t\"disk-f003.vmdk\"\t100\t\n"
                   "RW 7 VMFS \"disk-flat.vmdk\"\n"
                   "RW 8 VMFSSPARSE \"delta.vmdk\"\n"
                   "RW 9 SESPARSE \"se.vmdk\"\n"
                   "# The Disk Data Base\n#DDB\nddb.adapterType = \"lsilogic\"\nddb.uuid = \"60 00 C2\"",
                        &d);
        ck_assert_str_eq(d.create_type, "twoGbMaxExtentSparse");
        ck_assert(!vmdk_descriptor_has_parent(&d));
        ck_assert(d.has_cid);
        ck_assert_uint_eq(d.cid, 0x123a465b);
        ck_assert_uint_eq(d.n_extents, 8);
        extent(&d, 0, VMDK_EXTENT_SPARSE, 4192256, "disk-s001.vmdk");
        extent(&d, 1, VMDK_EXTENT_SPARSE, 4192256, "disk s002.vmdk");
        extent(&d, 2, VMDK_EXTENT_ZERO, 63, NULL);
        ck_assert_uint_eq(extent(&d, 3, VMDK_EXTENT_FLAT, 100, "disk-f003.vmdk")->offset, 0);
        ck_assert_uint_eq(extent(&d, 4, VMDK_EXTENT_FLAT, 100, "disk-f003.vmdk")->offset, 100);
        extent(&d, 5, VMDK_EXTENT_FLAT, 7, "disk-flat.vmdk");
        extent(&d, 6, VMDK_EXTENT_VMFS_SPARSE, 8, "delta.vmdk");
        extent(&d, 7, VMDK_EXTENT_SE_SPARSE, 9, "se.vmdk");
        ck_assert_uint_eq(d.sectors, UINT64_C(2) * 4192256 + 63 + 200 + 7 + 8 + 9);
        ck_assert_int_eq(vmdk_descriptor_files(&d, &files), 0);
        ck_assert_uint_eq(strv_length(files), 6);
        ck_assert_str_eq(files[2], "disk-f003.vmdk");
        ck_assert_str_eq(files[5], "se.vmdk");
}
END_TEST

START_TEST(a_parent_is_seen) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {}, without_hint = {};

        parse(HEAD "createType=monolithicSparse  \nparentFileNameHint = \"/etc/shadow\"\n", &d);
        ck_assert_str_eq(d.parent, "/etc/shadow");
        ck_assert_str_eq(d.create_type, "monolithicSparse");
        ck_assert(vmdk_descriptor_has_parent(&d));
        ck_assert_uint_eq(d.n_extents, 0);
        parse("version=1\nCID=1\nparentCID=792a4E10\n", &without_hint);
        ck_assert(vmdk_descriptor_has_parent(&without_hint));
        ck_assert_uint_eq(without_hint.parent_cid, 0x792a4e10);
}
END_TEST

START_TEST(an_embedded_descriptor_ends_at_its_padding) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        static const char text[] = HEAD "RW 1 SPARSE \"a\"\n\0\0\0\0RW 1 SPARSE \"b\"\n";
        _cleanup_free_ char *error = NULL;

        ck_assert_int_eq(vmdk_descriptor_parse(text, sizeof(text), &d, &error), 0);
        ck_assert_uint_eq(d.n_extents, 1);
}
END_TEST

START_TEST(an_encoding_is_followed) {
        static const struct {
                const char *encoding, *name, *expected;
        } cases[] = {
                { "windows-1252",
                                "K\xfc"
                                "che",
                                "K\xc3\xbc"
                                "che" },
                { "Windows-1252", "\x80", "\xe2\x82\xac" }, { "windows-1251", "\xcf", "\xd0\x9f" },
                { "ISO-8859-1", "\xe4", "\xc3\xa4" },
                { "UTF-8",
                                "K\xc3\xbc"
                                "che",
                                "K\xc3\xbc"
                                "che" },
                { "utf8", "\xc3\xbc", "\xc3\xbc" }, { "Big5", "\xba\xcf", "\xe7\xa3\x81" },
                { "GBK", "\xb4\xc5\xc5\xcc", "\xe7\xa3\x81\xe7\x9b\x98" },
                { "Shift_JIS", "\x83\x5c", "\xe3\x82\xbd" }, /* its second byte is a backslash */
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
                _cleanup_free_ char *text = strprintf("# Disk DescriptorFile\r\nversion=1\r\n"
                                                      " encoding = \"%s\" \r\nRW 1 FLAT \"%s\" 0\r\n",
                                cases[i].encoding, cases[i].name);
                parse(text, &d);
                extent(&d, 0, VMDK_EXTENT_FLAT, 1, cases[i].expected);
        }
}
END_TEST

START_TEST(an_encoding_that_cannot_be_followed_is_refused_by_name) {
        check_refused(HEAD "encoding=\"EBCDIC-US\"\n",
                        "its encoding \"EBCDIC-US\" is not known: convert the descriptor to UTF-8 and write "
                        "encoding=\"UTF-8\" into it");
        check_refused(HEAD "encoding=\"../../tmp/evil\"\n",
                        "its encoding \"../../tmp/evil\" is not known: convert the descriptor to UTF-8 "
                        "and write "
                        "encoding=\"UTF-8\" into it");
        check_refused(HEAD "encoding=\"UTF-8\"\nRW 1 FLAT \"\xfc\" 0\n",
                        "it says that its encoding is UTF-8, but it is not");
        check_refused(HEAD "encoding=\"Big5\"\nRW 1 FLAT \"\xff\xff\" 0\n",
                        "it says that its encoding is Big5, but it is not");
        check_refused(HEAD "RW 1 FLAT \"\xfc\" 0\n",
                        "it is not in UTF-8, and has no line that says in which encoding it is (such as "
                        "encoding=\"windows-1252\")");
        check_refused("\xef\xbb\xbf" HEAD "encoding=\"windows-1252\"\n",
                        "it begins with the byte order mark of UTF-8, but says that its encoding is "
                        "windows-1252");
}
END_TEST

START_TEST(an_encrypted_disk_is_refused) {
        check_refused(HEAD "encryptionKeys=\"vmware:key/list/(pair/(null/%3cVMWARE-NULL%3e))\"\n",
                        "line 5: the disk is encrypted (encryptionKeys): decrypt the machine first, by "
                        "the program "
                        "that encrypted it");
        check_refused(HEAD "keyID = \"1\"\n",
                        "line 5: the disk is encrypted (keyID): decrypt the machine first, by the "
                        "program that "
                        "encrypted it");
        check_refused(HEAD "ddb.iofilters = \"vmwarevmcrypt\"\n",
                        "line 5: the disk is encrypted (ddb.iofilters): decrypt the machine first, by "
                        "the program "
                        "that encrypted it");
        check_refused(HEAD "ddb.encryption.bundle = \"x\"\n",
                        "line 5: the disk is encrypted (ddb.encryption.bundle): decrypt the machine "
                        "first, by the "
                        "program that encrypted it");
}
END_TEST

START_TEST(extents_are_limited_in_number_and_length) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        _cleanup_free_ char *text = malloc(32 + 16 * (VMDK_EXTENTS_MAX + 1)), *error = NULL;
        char *p = stpcpy(text, "version=1\n");

        for (size_t k = 0; k < VMDK_EXTENTS_MAX; k++)
                p = stpcpy(p, "RW 9 ZERO\n");
        ck_assert_int_eq(vmdk_descriptor_parse(text, strlen(text), &d, &error), 0);
        ck_assert_uint_eq(d.n_extents, VMDK_EXTENTS_MAX);
        stpcpy(p, "RW 9 ZERO\n");
        ck_assert_int_eq(vmdk_descriptor_parse(text, strlen(text), &d, &error), -EBADMSG);
        ck_assert_str_eq(error, "line 4098: there are more than 4096 extents");
        check_refused(HEAD "RW 9223372036854775807 ZERO\n", "line 5: the extents are longer than any disk");
        check_refused(HEAD "RW 18014398509481984 ZERO\nRW 1 ZERO\n",
                        "line 6: the extents are longer than any disk");
        check_refused(HEAD "RW 1 FLAT \"x\" 18446744073709551615\n",
                        "line 5: an extent's offset must be a number");
}
END_TEST

START_TEST(a_line_that_another_parser_may_read_otherwise_is_refused) {
        check_refused("", "line 1: this is no VMDK descriptor");
        check_refused("KDMV", "line 1: this is no VMDK descriptor");
        check_refused(HEAD "RW\n1 FLAT \"x\"\n", "line 5: an extent must have its size in sectors");
        check_refused(HEAD "RW 0x10 FLAT \"x\"\n", "line 5: an extent must have its size in sectors");
        check_refused(HEAD "RW 1 FLAT x\n", "line 5: an extent must have its file name in quotes");
        check_refused(HEAD "RW 1 FLAT \"x\n", "line 5: an extent must have its file name in quotes");
        check_refused(HEAD "RW 1 WEIRD \"x\"\n", "line 5: an extent must be of a known type, not \"WEIRD\"");
        check_refused(HEAD "RW 1 ZERO \"x\"\n", "line 5: a ZERO extent must not have a file");
        check_refused(HEAD "RW 0 ZERO\n", "line 5: an extent must have its size in sectors");
        check_refused(HEAD "RW 1 FLAT \"x\" \"y\"\n", "line 5: an extent's offset must be a number");
        check_refused(HEAD "RW 1 FLAT \"x\" 0 \"y\"\n", "line 5: there is text behind an extent's offset");
        check_refused(HEAD "RW 1 FLAT \"x\"\n", "line 5: a FLAT extent must have its offset");
        check_refused(HEAD "RW 1 SPARSE \"x\" 5\n", "line 5: a sparse extent must not have an offset");
        check_refused(HEAD "NOACCESS 1 FLAT \"x\" 0\n",
                        "line 5: the extent is NOACCESS: what is in it may not be read, so the disk "
                        "cannot be "
                        "converted");
        check_refused(HEAD "RW 1 VMFSRDM \"x\"\n",
                        "line 5: extents of type VMFSRDM are not supported: the disk is a device and not in "
                        "these files: use the device as the source");
        check_refused(HEAD "RW 1 vmfsthin \"x\"\n",
                        "line 5: extents of type VMFSTHIN are not supported: export the disk, or clone "
                        "it with "
                        "vmkfstools -i");
        check_refused(HEAD "CID=1\n", "line 5: this key was given before");
        check_refused("version=5\n", "line 1: version 5 of the format is not known");
        check_refused("version=1\nCID=123456789\n",
                        "line 2: a CID must have up to eight hexadecimal digits");
        check_refused(HEAD "isNativeSnapshot=\"yes\"\n",
                        "line 5: it is a native snapshot of a storage system, whose other part is not "
                        "in a file: "
                        "consolidate the machine's snapshots first");
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
                "version=1\n", "# a comment\n\n \t\r\nversion=1", "\n# Disk DescriptorFile\n",
                "\xef\xbb\xbf# Disk DescriptorFile\n", "#Disk Descriptor File\n",
                "# disk descriptorfile\r\n", "VERSION=1\n", " version=1\n" };
        static const char *const bad[] = { "", "#", "# a comment", "KDMV\1", "x\nversion=1\n",
                "# Disk Descriptor", "version" };

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
                an_embedded_descriptor_ends_at_its_padding, an_encoding_is_followed,
                an_encoding_that_cannot_be_followed_is_refused_by_name, an_encrypted_disk_is_refused,
                extents_are_limited_in_number_and_length,
                a_line_that_another_parser_may_read_otherwise_is_refused,
                a_descriptor_that_is_too_long_is_refused, descriptors_are_told_from_images,
                extent_names_are_plain_files_beside_the_descriptor)
