/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job-front.h"
#include "job/ovf.h"

static void assert_refused_ovf(const char *text, const char *expected) {
        _cleanup_free_ char *why = NULL;
        OvfDescriptor d = {};

        ck_assert_int_eq(ovf_parse(text, strlen(text), &d, &why), -EBADMSG);
        ck_assert_msg(strstr(why, expected), "\"%s\" is not in \"%s\"", expected, why);
}

#define HEAD "<Envelope xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\">"

START_TEST(disks_come_in_their_order) {
        static const char text[] =
                        "<?xml version='1.0' encoding='UTF-8'?>" HEAD
                        "<References><File ovf:href='b.vmdk' ovf:id='file2' ovf:size='7'/>"
                        "<File ovf:href='a.vmdk' ovf:id='file1'/><File ovf:href='x.iso' ovf:id='cd'/></References>"
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

START_TEST(what_cannot_be_read_in_place_is_refused) {
        assert_refused_ovf(HEAD "<References><File id='f' href='a.vmdk.gz' compression='gzip'/></References>"
                                "<DiskSection><Disk fileRef='f'/></DiskSection></Envelope>",
                        "compressed as a whole (gzip)");
        assert_refused_ovf(HEAD "<References><File id='f' href='a.vmdk' chunkSize='100'/></References>"
                                "<DiskSection><Disk fileRef='f'/></DiskSection></Envelope>",
                        "chunks");
        assert_refused_ovf(HEAD "<References><File id='f' href='a.vmdk'/></References><DiskSection>"
                                "<Disk diskId='d' parentRef='base' fileRef='f'/></DiskSection></Envelope>",
                        "delta");
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

START_TEST(manifests_are_read) {
        static const char text[] =
                        "SHA1(a.ovf)= DA39A3EE5E6B4B0D3255BFEF95601890AFD80709\r\n\n"
                        "SHA256(disk (1).vmdk) = e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        _cleanup_manifest_ Manifest m = {};
        _cleanup_free_ char *why = NULL;

        ck_assert_int_eq(manifest_parse(text, strlen(text), &m, &why), 0);
        ck_assert_uint_eq(m.n_entries, 2);
        ck_assert_str_eq(m.entries[0].digest, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        ck_assert_str_eq(m.entries[1].file, "disk (1).vmdk");
        ck_assert_str_eq(m.entries[1].algorithm, "SHA256");
}
END_TEST

START_TEST(broken_manifests_are_refused) {
        static const char *const texts[] = { "SHA256(a)= 12\n", "MD5(a)= d41d8cd98f00b204e9800998ecf8427e",
                "SHA1 a\n", "SHA1()= da39a3ee5e6b4b0d3255bfef95601890afd80709",
                "SHA1(a) da39a3ee5e6b4b0d3255bfef95601890afd80709",
                "SHA1)a(= da39a3ee5e6b4b0d3255bfef95601890afd80709", "(a)= 1" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *why = NULL;
                Manifest m = {};
                ck_assert_int_eq(manifest_parse(texts[i], strlen(texts[i]), &m, &why), -EBADMSG);
                ck_assert_ptr_nonnull(strstr(why, "line 1"));
        }
}
END_TEST

TEST_MAIN("ovf", disks_come_in_their_order, what_cannot_be_read_in_place_is_refused,
                references_must_be_unambiguous, entities_and_dtds_are_refused, deep_nesting_ends,
                hrefs_are_decoded, manifests_are_read, broken_manifests_are_refused)
