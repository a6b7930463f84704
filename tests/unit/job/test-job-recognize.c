/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is taken for a raw disk and what is refused; archives of one image.
 *
 * check: all */

#include <archive.h>
#include <archive_entry.h>

#include "job/recognize.h"
#include "spec/job-result.h"
#include "unit/lib/job-front.h"

/* --- the judgement --------------------------------------------------------------------------------- */

static const struct {
        const char *sight, *name, *head; /* head: the first bytes; NULL: some that say nothing */
        int outcome;
        const char *text;
} judgements[] = {
        { "pt dos\nend 1000\n", "disk.vmdk", NULL, 0, "partition table (dos)" },
        { "fs ext4\n", "disk.vmdk", NULL, 0, "file system or the like (ext4)" },
        { "boot yes\n", "disk.bin", NULL, 0, "boot sector" },
        { "magic data\n", "disk.raw", NULL, 0, "its name says so" },
        { "magic data\n", "DISK.IMG", NULL, 0, "its name says so" },
        { "magic data\n", "disk-flat.vmdk", NULL, 0, "its name says so" },
        { "zero yes\nmagic data\n", "disk.raw", NULL, 0, "its name says so" },
        { "magic data\n", "disk.vmdk", NULL, -EBADMSG, "neither a sparse disk nor a descriptor" },
        { "magic data\n", "disk", NULL, -EBADMSG, "looks like data. If it is a raw disk all the same" },
        { "magic data\n", "headless.qcow2", NULL, -EBADMSG, "the begin may be missing" },
        { "zero yes\nmagic data\n", "disk.vmdk", NULL, -EBADMSG, "begins with zeroes" },
        { "pt dos\nend 1048576\n", "disk.img", NULL, -EBADMSG, "its partitions reach to byte 1048576" },
        { "pt dos\nend 1000\n", "disk.vhd", NULL, -EBADMSG, "has no footer: it is cut off" },
        { "mime text/html\n", "disk.raw", "<!DOCTYPE html><html>", -EBADMSG, "HTML page" },
        { "mime text/plain\n", "disk.raw", "Not Found", -EBADMSG, "no disk image that is known" },
        { "mime application/pdf\nmagic PDF document\n", "disk.raw", "%PDF-1.4\x01", -EBADMSG,
                        "PDF document" },
        { "mime text/plain\n", "box.vmx", ".encoding = \"x\"\nconfig.version = \"8\"\n", -EBADMSG,
                        "(.vmx)" },
        { "mime text/xml\n", "box", "<?xml?><Envelope>", -EBADMSG, "OVF descriptor" },
        { "mime text/xml\n", "box.vbox", "<?xml?><VirtualBox>", -EBADMSG, "VirtualBox" },
        { "magic data\n", "a-sesparse.vmdk", "\xbe\xba\xfe\xca\0\0\0\0", -EBADMSG, "seSparse" },
        { "magic data\n", "a.img", "Rar!\x1a\x07", -EBADMSG, "rar archive" },
};

START_TEST(raw_is_what_shows_it) {
        for (size_t i = 0; i < ELEMENTSOF(judgements); i++) {
                _cleanup_sight_ Sight s = {};
                _cleanup_free_ char *text = NULL;
                char head[32] = "\x01\x02\x03\x04\x05";
                Candidate c = { .name = judgements[i].name, .head = head, .head_size = 5, .length = 65536 };

                if (judgements[i].head) {
                        c.head = judgements[i].head;
                        c.head_size = strchr(c.name, '-') && c.head[0] == '\xbe' ? 8 : strlen(c.head);
                }
                ck_assert_int_eq(sight_parse(judgements[i].sight, strlen(judgements[i].sight), &s), 0);
                ck_assert_msg(recognize_judge(&s, &c, &text) == judgements[i].outcome, "%s, %s: %s", c.name,
                                judgements[i].sight, text);
                ck_assert_msg(strstr(text, judgements[i].text) != NULL, "%s: %s", c.name, text);
        }
}
END_TEST

START_TEST(what_the_child_says_is_not_believed) {
        static const char *const broken[] = { "x", "end x\n", "end 99999999999999999999\n" };
        _cleanup_sight_ Sight s = {};

        for (size_t i = 0; i < ELEMENTSOF(broken); i++)
                ck_assert_int_eq(sight_parse(broken[i], strlen(broken[i]), &s), -EBADMSG);
        ck_assert_int_eq(sight_parse("magic a\0b", 9, &s), -EBADMSG);
        static const char odd[] = "magic a\x1b[1m\xff\nother x\n";
        ck_assert_int_eq(sight_parse(odd, strlen(odd), &s), 0);
        ck_assert_ptr_null(strchr(s.magic, '\x1b'));
}
END_TEST

/* --- with the program ------------------------------------------------------------------------------ */

static Plan plan_of(const char *dir, const char *name) {
        static unsigned n;

        n++;
        return (Plan){ .directory = PATH(dir, "job%u", n),
                .source = PATH(dir, "%s", name),
                .destination = PATH(dir, "out%u", n),
                .destination_format = "qcow2" };
}

START_TEST(what_is_no_disk_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *zero = calloc(1, MIB);
        size_t size;

        make_disk(PATH(dir, "d.raw"), MIB, 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "qcow2", PATH(dir, "d.raw"), PATH(dir, "d.qcow2"));
        _cleanup_free_ char *data = read_text(PATH(dir, "d.qcow2"), &size);
        write_file(PATH(dir, "headless.qcow2"), data + 65536, size - 65536);
        write_text(PATH(dir, "page.vmdk"),
                        "<!DOCTYPE html>\n<html><body>Your session has ended.</body></html>\n");
        write_text(PATH(dir, "box.vmx"), ".encoding = \"UTF-8\"\nconfig.version = \"8\"\n");
        write_file(PATH(dir, "empty.vmdk"), zero, MIB);

        /* A disk that its name says is raw may be empty. */
        write_file(PATH(dir, "zero.raw"), zero, MIB);
        Plan p = plan_of(dir, "zero.raw");
        assert_converts(&p);
        p = plan_of(dir, "headless.qcow2");
        assert_refused(&p, "image_refused", "begin may be missing");
        p = plan_of(dir, "page.vmdk");
        assert_refused(&p, "image_refused", "HTML page");
        p = plan_of(dir, "box.vmx");
        assert_refused(&p, "image_refused", "(.vmx)");
        p = plan_of(dir, "empty.vmdk");
        assert_refused(&p, "image_refused", "give its format as raw");
        /* Who asks for raw gets it. */
        p = plan_of(dir, "empty.vmdk");
        p.source_format = "raw";
        assert_converts(&p);
}
END_TEST

START_TEST(a_disk_with_partitions_is_raw) {
        _cleanup_test_dir_ char *dir = test_dir();
        char sector[512] = {};
        /* One partition of type 83, from sector 2048, of 2048 sectors. */
        static const unsigned char entry[16] = { 0, 0, 2, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0 };

        memcpy(sector + 446, entry, sizeof(entry));
        memcpy(sector + 440, "disk", 4);
        sector[510] = 0x55;
        sector[511] = (char) 0xaa;
        write_file(PATH(dir, "disk"), sector, sizeof(sector));
        ck_assert_int_eq(truncate(PATH(dir, "disk"), 2 * MIB), 0);
        Plan p = plan_of(dir, "disk");
        assert_converts(&p);
        assert_same_disk(PATH(dir, "disk"), "raw", p.destination, "qcow2");

        ck_assert_int_eq(truncate(PATH(dir, "disk"), 2 * MIB - 512), 0);
        p = plan_of(dir, "disk");
        assert_refused(&p, "image_refused", "its partitions reach to byte 2097152");
}
END_TEST

START_TEST(what_was_given_as_raw_and_looks_otherwise_is_noted) {
        _cleanup_test_dir_ char *dir = test_dir();

        make_disk(PATH(dir, "d.raw"), MIB, 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "qcow2", PATH(dir, "d.raw"), PATH(dir, "d.qcow2"));
        Plan p = plan_of(dir, "d.qcow2");
        p.source_format = "raw";
        assert_converts(&p);
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        const char *warning = json_string_value(
                        json_array_get(json_object_get(json_array_get(r->outputs, 0), "warnings"), 0));
        ck_assert_msg(warning && strstr(warning, "looks like qcow2"), "%s", strna(warning));
}
END_TEST

/* --- archives -------------------------------------------------------------------------------------- */

static const struct {
        const char *suffix;
        int filter, format;
} archives[] = {
        { "gz", ARCHIVE_FILTER_GZIP, ARCHIVE_FORMAT_RAW },
        { "xz", ARCHIVE_FILTER_XZ, ARCHIVE_FORMAT_RAW },
        { "bz2", ARCHIVE_FILTER_BZIP2, ARCHIVE_FORMAT_RAW },
        { "zst", ARCHIVE_FILTER_ZSTD, ARCHIVE_FORMAT_RAW },
        { "zip", ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_ZIP },
        { "7z", ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_7ZIP },
};

typedef struct Packed {
        const char *name, *path; /* a file; path NULL: a text of its own */
} Packed;

static void pack(size_t kind, const char *to, const Packed *members, size_t n) {
        struct archive *a = archive_write_new();

        ck_assert_int_eq(archive_write_set_format(a, archives[kind].format), ARCHIVE_OK);
        ck_assert_int_eq(archive_write_add_filter(a, archives[kind].filter), ARCHIVE_OK);
        ck_assert_int_eq(archive_write_open_filename(a, to), ARCHIVE_OK);
        for (size_t i = 0; i < n; i++) {
                size_t size = 5;
                _cleanup_free_ char *data =
                                members[i].path ? read_text(members[i].path, &size) : strdup("hello");
                struct archive_entry *e = archive_entry_new();

                archive_entry_set_pathname(e, members[i].name);
                archive_entry_set_size(e, (la_int64_t) size);
                archive_entry_set_filetype(e, AE_IFREG);
                archive_entry_set_perm(e, 0644);
                ck_assert_int_eq(archive_write_header(a, e), ARCHIVE_OK);
                ck_assert_int_eq(archive_write_data(a, data, size), (la_ssize_t) size);
                archive_entry_free(e);
        }
        ck_assert_int_eq(archive_write_close(a), ARCHIVE_OK);
        archive_write_free(a);
}

static char *make_vmdk(const char *dir, uint64_t size) {
        char *raw = PATH(dir, "d.raw"), *vmdk = PATH(dir, "d.vmdk");

        make_disk(raw, size, 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, vmdk);
        return vmdk;
}

START_TEST(an_archive_of_one_image_is_unpacked) {
        _cleanup_test_dir_ char *dir = test_dir();
        Packed member = { "a directory/d.vmdk", make_vmdk(dir, 4 * MIB) };
        char *name = PATH(dir, "d.vmdk.%s", archives[_i].suffix);

        pack(_i, name, &member, 1);
        Plan p = plan_of(dir, strrchr(name, '/') + 1);
        assert_converts(&p);
        assert_same_disk(PATH(dir, "d.raw"), "raw", p.destination, "qcow2");
        /* A given format is that of the image. */
        p = plan_of(dir, strrchr(name, '/') + 1);
        p.source_format = "vmdk";
        assert_converts(&p);
        p = plan_of(dir, strrchr(name, '/') + 1);
        p.source_format = "qcow2";
        assert_refused(&p, "format_mismatch", "said to be qcow2");
}
END_TEST

/* Refused, or the disk is right all the same (a zip can do without its last bytes). True if refused. */
static bool is_refused(const char *dir, const char *name, const char *data, size_t size) {
        write_file(PATH(dir, "%s", name), data, size);
        Plan p = plan_of(dir, name);
        bool refused = attempt(&p) != 0;

        if (!refused)
                assert_same_disk(PATH(dir, "d.raw"), "raw", p.destination, "qcow2");
        return refused;
}

/* Cut off anywhere, or with one byte changed. */
START_TEST(a_damaged_archive_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        Packed member = { "d.vmdk", make_vmdk(dir, MIB) };
        char *name = PATH(dir, "x.%s", archives[_i].suffix), *last = strrchr(name, '/') + 1;
        unsigned refused = 0;
        size_t size;

        pack(_i, name, &member, 1);
        _cleanup_free_ char *data = read_text(name, &size);
        ck_assert(is_refused(dir, last, data, size / 2));
        ck_assert(is_refused(dir, last, data, 40));
        (void) is_refused(dir, last, data, size - 1);
        (void) is_refused(dir, last, data, size - 4);
        for (size_t at = size / 7; at < size; at += size / 7) {
                data[at] ^= 0x10;
                refused += is_refused(dir, last, data, size);
                data[at] ^= 0x10;
        }
        ck_assert_uint_ge(refused, 5);
}
END_TEST

START_TEST(an_archive_of_several_files_has_one_image) {
        static const size_t kinds[] = { 4, 5 };
        _cleanup_test_dir_ char *dir = test_dir();
        char *vmdk = make_vmdk(dir, MIB);
        const Packed one[] = { { "README.txt", NULL }, { "__MACOSX/._d.vmdk", NULL }, { ".DS_Store", NULL },
                { "box/image", vmdk } };
        const Packed two[] = { { "a.vmdk", vmdk }, { "b.vmdk", vmdk } };
        const Packed none[] = { { "README.txt", NULL }, { "INSTALL.txt", NULL } };

        for (size_t k = 0; k < ELEMENTSOF(kinds); k++) {
                pack(kinds[k], PATH(dir, "x"), one, ELEMENTSOF(one));
                Plan p = plan_of(dir, "x");
                assert_converts(&p);
                assert_same_disk(PATH(dir, "d.raw"), "raw", p.destination, "qcow2");
                pack(kinds[k], PATH(dir, "x"), two, ELEMENTSOF(two));
                p = plan_of(dir, "x");
                assert_refused(&p, "image_refused", "several images in it: a.vmdk, b.vmdk");
                pack(kinds[k], PATH(dir, "x"), none, ELEMENTSOF(none));
                p = plan_of(dir, "x");
                assert_refused(&p, "image_refused", "none of the 2 files in it is a disk image");
        }
}
END_TEST

START_TEST(an_archive_in_an_archive_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        Packed inner = { "d.vmdk", make_vmdk(dir, MIB) }, outer = { "x.gz", PATH(dir, "x.gz") };

        pack(0, PATH(dir, "x.gz"), &inner, 1);
        pack(1, PATH(dir, "x.gz.xz"), &outer, 1);
        Plan p = plan_of(dir, "x.gz.xz");
        assert_refused(&p, "image_refused", "an archive again");
}
END_TEST

/* What an earlier attempt has unpacked is used if it is complete and of the same source, and not
 * otherwise. */
START_TEST(half_an_extraction_is_not_trusted) {
        _cleanup_test_dir_ char *dir = test_dir();
        Packed member = { "d.vmdk", make_vmdk(dir, MIB) };
        char *part;

        pack(0, PATH(dir, "x.gz"), &member, 1);
        Plan p = plan_of(dir, "x.gz");
        part = part_dir(p.destination);
        ck_assert_int_eq(mkdir(part, 0700), 0);
        write_text(PATH(part, "archive"), "half of it");
        write_text(PATH(part, "archive.new"), "half of it");
        assert_converts(&p);
        assert_same_disk(PATH(dir, "d.raw"), "raw", p.destination, "qcow2");
        p = plan_of(dir, "x.gz");
        free(part);
        part = part_dir(p.destination);
        ck_assert_int_eq(mkdir(part, 0700), 0);
        write_text(PATH(part, "archive"), "half of it");
        write_text(PATH(part, "archive.identity"), "10 \nsomething else");
        assert_converts(&p);
        assert_same_disk(PATH(dir, "d.raw"), "raw", p.destination, "qcow2");
        free(part);
}
END_TEST

#define LOOP(test, n) tcase_add_loop_test(tcase, test, 0, (int) (n))

int main(void) {
        TCase *tcase = test_case("recognize", 120, NULL, 0);

        tcase_add_test(tcase, raw_is_what_shows_it);
        tcase_add_test(tcase, what_the_child_says_is_not_believed);
        tcase_add_test(tcase, what_is_no_disk_is_refused);
        tcase_add_test(tcase, a_disk_with_partitions_is_raw);
        tcase_add_test(tcase, what_was_given_as_raw_and_looks_otherwise_is_noted);
        LOOP(an_archive_of_one_image_is_unpacked, ELEMENTSOF(archives));
        LOOP(a_damaged_archive_is_refused, ELEMENTSOF(archives));
        tcase_add_test(tcase, an_archive_of_several_files_has_one_image);
        tcase_add_test(tcase, an_archive_in_an_archive_is_refused);
        tcase_add_test(tcase, half_an_extraction_is_not_trusted);
        return test_run("recognize", tcase);
}
