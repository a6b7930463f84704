/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which files the manager lists for an image on top of others, and what it refuses. */

#include <endian.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "manager/job-paths.h"
#include "unit/lib/test.h"

static const PathRules as_admin = { .role = ROLE_ADMIN };

static void put(const char *dir, const char *name, const void *data, size_t size) {
        _cleanup_free_ char *path = strprintf("%s/%s", dir, name);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite_full(fd, data, size, 0), 0);
}

/* The header of a qcow2 image on top of @backing (NULL: of none), whose format is recorded if it is
 * given. */
static void put_qcow2(const char *dir, const char *name, const char *backing, const char *format) {
        char h[1024] = "QFI\xfb\0\0\0\3";
        uint32_t word;
        uint64_t at = htobe64(512);

        word = htobe32(104), memcpy(h + 100, &word, 4);
        if (format) {
                word = htobe32(0xe2792aca), memcpy(h + 104, &word, 4);
                word = htobe32((uint32_t) strlen(format)), memcpy(h + 108, &word, 4);
                memcpy(h + 112, format, strlen(format));
        }
        if (backing) {
                memcpy(h + 8, &at, 8);
                word = htobe32((uint32_t) strlen(backing)), memcpy(h + 16, &word, 4);
                memcpy(h + 512, backing, strlen(backing));
        }
        put(dir, name, h, sizeof(h));
}

static void put_vmdk(
                const char *dir, const char *name, const char *cid, const char *parent, const char *hint) {
        _cleanup_free_ char *text =
                        strprintf("# Disk DescriptorFile\nversion=1\nCID=%s\nparentCID=%s\n%s%s%s"
                                  "RW 1 FLAT \"%s-flat\" 0\n",
                                        cid, parent, hint ? "parentFileNameHint=\"" : "", hint ? hint : "",
                                        hint ? "\"\n" : "", name);
        _cleanup_free_ char *flat = strprintf("%s-flat", name);

        put(dir, name, text, strlen(text));
        put(dir, flat, "x", 1);
}

static int look_as(const PathRules *rules, const char *dir, const char *source, bool flatten, JobFiles *ret,
                char **ret_error) {
        _cleanup_(json_errors_done) JsonErrors errors = {}, wrong = {};
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        _cleanup_free_ char *from = strprintf("%s/%s", dir, source), *to = strprintf("%s/result", dir);
        _cleanup_json_ json_t *object = json_pack("{s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:{s:s}}",
                        "operation", "convert", "source", "type", "file", "path", from, "destination",
                        "type", "file", "path", to, "format", "raw", "parameters", "chain",
                        flatten ? "flatten" : "refuse");

        ck_assert_int_eq(job_spec_from_json(object, &spec, &errors), 0);
        int r = job_files_resolve(spec, rules, ret, &wrong);
        if (wrong.n_errors > 0)
                *ret_error = json_errors_text(&wrong);
        return r;
}

/* @files: the names that must be listed, in their order, with blanks between them. */
static void lists(const char *dir, const char *source, const char *files) {
        _cleanup_(job_files_done) JobFiles f = {};
        _cleanup_free_ char *error = NULL, *joined = NULL;
        _cleanup_strv_free_ char **names = NULL;

        int r = look_as(&as_admin, dir, source, true, &f, &error);
        ck_assert_msg(r == 0, "%s", strna(error));
        STRV_FOREACH(path, f.source_files)
                ck_assert_int_eq(strv_extend(&names, *path + strlen(dir) + 1), 0);
        joined = strv_join(names, " ");
        ck_assert_str_eq(joined, files);
}

static void refused(const char *dir, const char *source, bool flatten, const char *words) {
        _cleanup_(job_files_done) JobFiles f = {};
        _cleanup_free_ char *error = NULL;

        ck_assert_int_eq(look_as(&as_admin, dir, source, flatten, &f, &error), -EBADMSG);
        ck_assert_msg(strstr(error, words), "\"%s\" is not in \"%s\"", words, error);
}

START_TEST(a_chain_is_listed) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *sub = strprintf("%s/sub", dir), *absolute = strprintf("%s/sub/b", dir);

        ck_assert_int_eq(mkdir(sub, 0700), 0);
        put_qcow2(dir, "base", NULL, NULL);
        put_qcow2(dir, "sub/b", "../base", "qcow2");
        put_qcow2(dir, "c", absolute, NULL);
        put_qcow2(dir, "d", "./c", "qcow2");
        lists(dir, "d", "d c sub/b base");
        lists(dir, "base", "base");
}
END_TEST

START_TEST(without_the_parameter_the_chain_is_told) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *text = strprintf(
                        "parent: %s/c on %s/b on %s/a; set parameters.chain to \"flatten\"", dir, dir, dir);

        put_qcow2(dir, "a", NULL, NULL);
        put_qcow2(dir, "b", "a", "qcow2");
        put_qcow2(dir, "c", "b", "qcow2");
        refused(dir, "c", false, text);
}
END_TEST

START_TEST(the_format_of_a_parent_decides_whether_it_names_more) {
        _cleanup_test_dir_ char *dir = test_dir();

        put_qcow2(dir, "secret", NULL, NULL);
        put_qcow2(dir, "guest", "secret", "qcow2");
        put_qcow2(dir, "c", "guest", "raw"); /* to a raw disk it is the guest's business */
        lists(dir, "c", "c guest");
        put_qcow2(dir, "c", "guest", NULL);
        lists(dir, "c", "c guest secret");
        put_vmdk(dir, "disk.vmdk", "00000001", "ffffffff", NULL);
        put_qcow2(dir, "c", "disk.vmdk", "vmdk");
        lists(dir, "c", "c disk.vmdk disk.vmdk-flat");
        put_qcow2(dir, "c", "guest", "host_device");
        refused(dir, "c", true, "its backing file is of format \"host_device\"");
}
END_TEST

START_TEST(a_snapshot_s_parent_is_known_by_its_cid) {
        _cleanup_test_dir_ char *dir = test_dir();

        put_vmdk(dir, "base.vmdk", "0000000a", "ffffffff", NULL);
        put_vmdk(dir, "one.vmdk", "0000000b", "0000000a", "base.vmdk");
        put_vmdk(dir, "two.vmdk", "0000000c", "0000000b", "C:\\VMs\\old\\one.vmdk");
        lists(dir, "two.vmdk", "two.vmdk two.vmdk-flat one.vmdk one.vmdk-flat base.vmdk base.vmdk-flat");
        put_vmdk(dir, "two.vmdk", "0000000c", "0000000b", "/vmfs/volumes/ds/vm/one.vmdk");
        lists(dir, "two.vmdk", "two.vmdk two.vmdk-flat one.vmdk one.vmdk-flat base.vmdk base.vmdk-flat");
        put_vmdk(dir, "two.vmdk", "0000000c", "00000bad", "one.vmdk");
        refused(dir, "two.vmdk", true,
                        "on \"one.vmdk\"), whose last parent (CID 00000bad) is not where it was");
        put_vmdk(dir, "two.vmdk", "0000000c", "0000000b", NULL);
        refused(dir, "two.vmdk", true, "does not name its parent (CID 0000000b)");
        refused(dir, "two.vmdk", false, "does not name its parent");
}
END_TEST

START_TEST(what_leads_elsewhere_is_refused) {
        static const char *const names[] = { "missing", "/etc/passwd", "nbd://localhost/", "json:{}", "link",
                "../../../etc/shadow", "/proc/self/mem", "..", "directory/link" };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *link = strprintf("%s/link", dir), *directory = strprintf("%s/directory", dir);

        put_qcow2(dir, "base", NULL, NULL);
        ck_assert_int_eq(symlink("base", link), 0);
        ck_assert_int_eq(symlink(".", directory), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                put_qcow2(dir, "c", names[i], "raw");
                refused(dir, "c", true, "is not where it was said to be, or may not be a source");
                refused(dir, "c", false, "is not where it was said to be, or may not be a source");
        }
}
END_TEST

START_TEST(an_operator_s_chain_stays_in_the_operator_s_directories) {
        _cleanup_test_dir_ char *dir = test_dir(), *other = test_dir();
        _cleanup_free_ char *base = strprintf("%s/base", other), *error = NULL, *missing = NULL,
                            *absent = NULL;
        char *allowed[] = { dir, NULL };
        const PathRules rules = {
                .role = ROLE_OPERATOR, .source_paths = allowed, .destination_paths = allowed
        };
        _cleanup_(job_files_done) JobFiles f = {};

        put_qcow2(other, "base", NULL, NULL);
        put_qcow2(dir, "c", base, "qcow2");
        ck_assert_int_eq(look_as(&rules, dir, "c", true, &f, &error), -EBADMSG);
        /* It is not told whether the file is there. */
        absent = strprintf("%s/none", other);
        put_qcow2(dir, "c", absent, "qcow2");
        ck_assert_int_eq(look_as(&rules, dir, "c", true, &f, &missing), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(error, "or may not be a source"));
        ck_assert_str_eq(strstr(error, "\"), whose"), strstr(missing, "\"), whose"));
}
END_TEST

START_TEST(circles_and_towers_are_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        char name[16] = "i0", below[16];

        put_qcow2(dir, "self", "self", "qcow2");
        refused(dir, "self", true, "on top of itself");
        put_qcow2(dir, "a", "b", "qcow2");
        put_qcow2(dir, "b", "a", "qcow2");
        refused(dir, "a", true, "on top of itself");
        put_qcow2(dir, "i0", NULL, NULL);
        for (unsigned k = 1; k <= 64; k++) {
                memcpy(below, name, sizeof(below));
                snprintf(name, sizeof(name), "i%u", k);
                put_qcow2(dir, name, below, "qcow2");
        }
        refused(dir, "i64", true, "more than 64 images are on top of each other");
        _cleanup_(job_files_done) JobFiles f = {};
        _cleanup_free_ char *error = NULL;
        ck_assert_int_eq(look_as(&as_admin, dir, "i63", true, &f, &error), 0);
        ck_assert_uint_eq(strv_length(f.source_files), 64);
}
END_TEST

START_TEST(a_disk_in_more_files_than_can_be_shown_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *text = malloc(64 + 1000 * 24);
        char *p = stpcpy(text, "version=1\n"), name[8];

        for (unsigned k = 0; k < 1000; k++) {
                snprintf(name, sizeof(name), "f%u", k);
                put(dir, name, "x", 1);
                p += sprintf(p, "RW 1 FLAT \"f%u\" 0\n", k);
        }
        put(dir, "disk.vmdk", text, strlen(text));
        refused(dir, "disk.vmdk", false, "it is made of 1001 files, at most 1000 are supported");
}
END_TEST

TEST_MAIN("manager-chain", a_disk_in_more_files_than_can_be_shown_is_refused, a_chain_is_listed,
                without_the_parameter_the_chain_is_told,
                the_format_of_a_parent_decides_whether_it_names_more,
                a_snapshot_s_parent_is_known_by_its_cid, what_leads_elsewhere_is_refused,
                an_operator_s_chain_stays_in_the_operator_s_directories, circles_and_towers_are_refused)
