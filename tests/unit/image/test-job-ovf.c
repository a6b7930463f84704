/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/manifest.h"
#include "image/ova-name.h"
#include "image/ovf-xml.h"
#include "image/ovf.h"
#include "unit/lib/job-front.h"

static void assert_refused_ovf(const char *text, const char *expected) {
        _cleanup_free_ char *why = NULL;
        OvfDescriptor d = {};

        ck_assert_int_eq(ovf_parse(text, strlen(text), &d, &why), -EBADMSG);
        ck_assert_msg(strstr(why, expected), "\"%s\" is not in \"%s\"", expected, why);
}

#define HEAD "<Envelope xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\">"

START_TEST(disks_come_in_their_order) {
        static const char text[] = "<?xml version='1.0' encoding='UTF-8'?>" HEAD
                                   "<References><File ovf:href='b.vmdk' ovf:id='file2' ovf:size='7'/>"
                                   "<File ovf:href='a.vmdk' ovf:id='file1'/><File ovf:href='x.iso' "
                                   "ovf:id='cd'/></References>"
                                   "<DiskSection><Info>i</Info><Disk ovf:diskId='one' ovf:fileRef='file1'/>"
                                   "<Disk ovf:diskId='none' ovf:capacity='10'/>"
                                   "<Disk diskId='two' fileRef='file2'/></DiskSection></Envelope>";
        _cleanup_ovf_ OvfDescriptor d = {};
        _cleanup_free_ char *why = NULL;

        ck_assert_int_eq(ovf_parse(text, strlen(text), &d, &why), 0);
        ck_assert_uint_eq(d.n_disks, 3);
        ck_assert_str_eq(d.disks[0].file, "a.vmdk");
        ck_assert_str_eq(d.disks[1].id, "none");
        ck_assert_ptr_null(d.disks[1].file);
        ck_assert_str_eq(d.disks[2].file, "b.vmdk");
}
END_TEST

START_TEST(the_way_a_disk_is_stored_is_read) {
        static const char text[] =
                        HEAD "<References><File id='f' href='a.vmdk.gz' compression='gzip'/>"
                             "<File id='g' href='b' chunkSize='100' size='250'/>"
                             "<File id='h' href='c' compression='identity' size='?'/></References>"
                             "<DiskSection><Disk fileRef='f' capacity='24' "
                             "capacityAllocationUnits='byte * 2^20'/><Disk fileRef='g' capacity='${x}'/>"
                             "<Disk fileRef='h' format='http://x/y#raw'/></DiskSection></Envelope>";
        _cleanup_ovf_ OvfDescriptor d = {};
        _cleanup_free_ char *why = NULL;

        ck_assert_int_eq(ovf_parse(text, strlen(text), &d, &why), 0);
        ck_assert_str_eq(d.disks[0].compression, "gzip");
        ck_assert_uint_eq(d.disks[0].capacity, 24 * MIB);
        ck_assert_uint_eq(d.disks[1].chunk_size, 100);
        ck_assert_uint_eq(d.disks[1].file_size, 250);
        ck_assert_uint_eq(d.disks[1].capacity, 0);
        ck_assert_ptr_null(d.disks[2].compression);
        ck_assert(d.disks[2].is_raw && !d.disks[1].is_raw);

        assert_refused_ovf(HEAD "<References><File id='f' href='a.vmdk'/></References><DiskSection>"
                                "<Disk diskId='d' parentRef='base' fileRef='f'/></DiskSection></Envelope>",
                        "delta");
        assert_refused_ovf(HEAD
                        "<References><File id='f' href='a.vmdk' chunkSize='x'/></References><DiskSection>"
                        "<Disk diskId='d' fileRef='f'/></DiskSection></Envelope>",
                        "chunkSize");
}
END_TEST

START_TEST(oVirts_sections_are_read) {
        static const char text[] =
                        "<ovf:Envelope xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/1/' "
                        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><References>"
                        "<File ovf:href='6c1a' ovf:id='9f2b' ovf:size='100' ovf:description='Active VM'/>"
                        "<File ovf:href='a/b'/></References><Section "
                        "xsi:type='ovf:NetworkSection_Type'><Disk/></Section>"
                        "<Section xsi:type='ovf:DiskSection_Type'><Info>i</Info><Disk ovf:diskId='d' "
                        "ovf:size='2' "
                        "ovf:parentRef='' ovf:fileRef='9f2b' ovf:volume-format='RAW'/><Disk "
                        "ovf:fileRef='a/b' "
                        "ovf:volume-format='COW'/></Section></ovf:Envelope>";
        _cleanup_ovf_ OvfDescriptor d = {};
        _cleanup_free_ char *why = NULL;

        ck_assert_msg(ovf_parse(text, strlen(text), &d, &why) == 0, "%s", why);
        ck_assert_uint_eq(d.n_disks, 2);
        ck_assert_str_eq(d.disks[0].file, "6c1a");
        ck_assert_uint_eq(d.disks[0].capacity, 2048 * MIB);
        ck_assert(d.disks[0].is_raw && !d.disks[1].is_raw);
        ck_assert_str_eq(d.disks[1].file, "a/b");
}
END_TEST

START_TEST(capacities_have_units) {
        static const struct {
                const char *number, *units;
                uint64_t bytes;
        } cases[] = {
                { "5", NULL, 5 },
                { "5", "byte", 5 },
                { "5", "byte * 2^30", 5120 * MIB },
                { "5", "byte*2^10", 5120 },
                { "5", "MegaBytes", 5 * MIB },
                { "5", "GigaBytes * 2^0", 5120 * MIB },
                { "5", "furlongs", 0 },
                { "x", "byte", 0 },
                { "18446744073709551615", "byte * 2^20", 0 },
                { "1", "byte * 2^99", 0 },
                { "1", "terabytes * 2^60", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ck_assert_uint_eq(ovf_capacity(cases[i].number, cases[i].units), cases[i].bytes);
}
END_TEST

START_TEST(references_must_be_unambiguous) {
        assert_refused_ovf(HEAD "<References><File id='f' href='a'/><File id='f' href='b'/></References>"
                                "<DiskSection><Disk fileRef='f'/></DiskSection></Envelope>",
                        "two files");
        assert_refused_ovf(HEAD "<DiskSection><Disk fileRef='f'/></DiskSection></Envelope>",
                        "no file of the id");
        assert_refused_ovf("<Other/>", "Envelope");
        assert_refused_ovf(HEAD, "well-formed");
        assert_refused_ovf("", "bytes");
}
END_TEST

START_TEST(entities_and_dtds_are_refused) {
        assert_refused_ovf("<!DOCTYPE Envelope [<!ENTITY a 'b'>]>" HEAD "</Envelope>", "DOCTYPE");
        assert_refused_ovf("<!DOCTYPE Envelope SYSTEM 'file:///etc/passwd'>" HEAD "</Envelope>", "DOCTYPE");
        assert_refused_ovf("<!DOCTYPE e [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
                           "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>" HEAD "<References><File id='&c;'/>"
                           "</References></Envelope>",
                        "DOCTYPE");
        assert_refused_ovf(HEAD "<References>&undeclared;</References></Envelope>", "well-formed");
}
END_TEST

START_TEST(deep_nesting_ends) {
        _cleanup_free_ char *text = malloc(400001);
        _cleanup_free_ char *why = NULL;
        OvfDescriptor d = {};

        for (size_t i = 0; i < 100000; i++)
                memcpy(text + i * 4, "<a>\n", 4);
        text[400000] = 0;
        ck_assert_int_eq(ovf_parse(text, 400000, &d, &why), -EBADMSG);
}
END_TEST

START_TEST(hrefs_are_decoded) {
        _cleanup_free_ char *plain = ovf_decode_href("my%20disk%2B1.vmdk"),
                            *up = ovf_decode_href("%2e%2E/x");

        ck_assert_str_eq(plain, "my disk+1.vmdk");
        ck_assert_str_eq(up, "../x"); /* no member of a tar has such a name */
        ck_assert_ptr_null(ovf_decode_href("a%00b"));
        ck_assert_ptr_null(ovf_decode_href("a%2"));
        ck_assert_ptr_null(ovf_decode_href("a%"));
        ck_assert_ptr_null(ovf_decode_href("%zz"));
}
END_TEST

#define SUM1 "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SUM256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SUMMD5 "d41d8cd98f00b204e9800998ecf8427e"

START_TEST(manifests_are_read_in_every_form) {
        static const struct {
                const char *line, *algorithm, *file;
        } forms[] = {
                { "SHA1(a.ovf)= DA39A3EE5E6B4B0D3255BFEF95601890AFD80709\r", "SHA1", "a.ovf" },
                { "SHA256(disk (1).vmdk) = " SUM256, "SHA256", "disk (1).vmdk" },
                { "SHA2-256(a b)= " SUM256, "SHA256", "a b" },
                { "SHA256 (./a) = " SUM256 "  \t", "SHA256", "./a" },
                { "  sha-256(a)=" SUM256, "SHA256", "a" },
                { "MD5(a)= " SUMMD5, "MD5", "a" },
                { SUM256 "  dir/a b.vmdk", "SHA256", "dir/a b.vmdk" },
                { SUM1 " *a", "SHA1", "a" },
                { SUMMD5 "\ta", "MD5", "a" },
        };

        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                _cleanup_free_ char *text = strprintf("\xef\xbb\xbf# a comment\n\n%s\n", forms[i].line),
                                    *why = NULL;
                _cleanup_manifest_ Manifest m = {};

                ck_assert_msg(manifest_parse(text, strlen(text), &m, &why) == 0, "%s: %s", forms[i].line,
                                why);
                ck_assert_uint_eq(m.n_entries, 1);
                ck_assert_str_eq(m.entries[0].algorithm, forms[i].algorithm);
                ck_assert_str_eq(m.entries[0].file, forms[i].file);
                ck_assert_uint_eq(m.entries[0].line, 3);
                ck_assert(!strpbrk(m.entries[0].digest, "ABCDEF"));
        }
}
END_TEST

START_TEST(a_manifest_may_be_utf_16) {
        static const char line[] = "SHA1(a)= " SUM1 "\r\n";
        _cleanup_manifest_ Manifest m = {};
        _cleanup_free_ char *why = NULL;
        char text[2 * sizeof(line)] = "\xff\xfe";

        for (size_t i = 0; i + 1 < sizeof(line); i++) {
                text[2 + 2 * i] = line[i];
                text[3 + 2 * i] = 0;
        }
        ck_assert_int_eq(manifest_parse(text, 2 * sizeof(line), &m, &why), 0);
        ck_assert_str_eq(m.entries[0].file, "a");
        ck_assert_int_eq(manifest_parse(text, 2 * sizeof(line) - 1, &m, &why), -EBADMSG);
}
END_TEST

START_TEST(broken_manifests_are_refused) {
        static const char *const texts[] = { "SHA256(a)= 12\n", "WHIRLPOOL(a)= " SUM256, "SHA1 a\n",
                "SHA1()= " SUM1, "SHA1(a) " SUM1, "SHA1)a(= " SUM1, "(a)= 1", "SHA1(a)= " SUM256, SUM1,
                SUM1 "x a", SUM1 "  ", "SHA1(a)= " SUM1 " b" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *why = NULL;
                Manifest m = {};
                ck_assert_msg(manifest_parse(texts[i], strlen(texts[i]), &m, &why) == -EBADMSG, "%s",
                                texts[i]);
                ck_assert_ptr_nonnull(strstr(why, "line 1"));
        }
}
END_TEST

static const char *name_at(const void *list, size_t i) {
        return ((const char *const *) list)[i];
}

static ssize_t find(const char *const *names, const char *ovf, const char *name) {
        return ova_name_find(name_at, names, ovf, name);
}

START_TEST(files_are_found_by_the_names_that_programs_write) {
        static const char *const names[] = { "box/box.ovf", "box/disk1.vmdk", "._disk1.vmdk",
                "box/My Disk.vmdk", "other/My Disk.vmdk", "top.raw", "box/sub/x%201", NULL };
        static const char ovf[] = "box/box.ovf";

        ck_assert_int_eq(find(names, ovf, "disk1.vmdk"), 1);
        ck_assert_int_eq(find(names, ovf, "./disk1.vmdk"), 1);
        ck_assert_int_eq(find(names, ovf, "box/disk1.vmdk"), 1);
        ck_assert_int_eq(find(names, ovf, "DISK1.VMDK"), 1);
        ck_assert_int_eq(find(names, ovf, "file:///C:/export/box/disk1.vmdk"), 1);
        ck_assert_int_eq(find(names, ovf, "..\\export\\disk1.vmdk"), 1);
        ck_assert_int_eq(find(names, ovf, "My%20Disk.vmdk"), 3);
        ck_assert_int_eq(find(names, "x.ovf", "My Disk.vmdk"), -ENOENT); /* which of the two? */
        ck_assert_int_eq(find(names, ovf, "top.raw"), 5);
        ck_assert_int_eq(find(names, ovf, "sub\\x%201"), 6);
        ck_assert_int_eq(find(names, ovf, "nothing"), -ENOENT);
        ck_assert(ova_name_is_same("./a%20b", "A b"));
        ck_assert(!ova_name_is_same("a", "b"));
        ck_assert(ova_name_is_clutter("box/._disk1.vmdk") && ova_name_is_clutter("__MACOSX/x"));
        ck_assert(ova_name_says_raw("x.IMG") && ova_name_says_raw("x.raw ") &&
                        ova_name_says_raw("x-flat.vmdk") && !ova_name_says_raw("x.vmdk"));
}
END_TEST

TEST_MAIN("ovf", disks_come_in_their_order, the_way_a_disk_is_stored_is_read, oVirts_sections_are_read,
                capacities_have_units, references_must_be_unambiguous, entities_and_dtds_are_refused,
                deep_nesting_ends, hrefs_are_decoded, manifests_are_read_in_every_form,
                a_manifest_may_be_utf_16, broken_manifests_are_refused,
                files_are_found_by_the_names_that_programs_write)
