/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "basic/fd-util.h"
#include "manager/credentials.h"
#include "manager/job-directory.h"
#include "manager/job-paths.h"
#include "spec/job-path.h"
#include "unit/lib/test.h"

static void put(const char *dir, const char *name, const char *content) {
        _cleanup_free_ char *path = strprintf("%s/%s", dir, name);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite_full(fd, content, strlen(content), 0), 0);
}

static void make_dir(const char *dir, const char *name) {
        _cleanup_free_ char *path = strprintf("%s/%s", dir, name);

        ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void make_link(const char *target, const char *dir, const char *name) {
        _cleanup_free_ char *path = strprintf("%s/%s", dir, name);

        ck_assert_int_eq(symlink(target, path), 0);
}

/* A spec between two names in @dir; those with a scheme are NBD URIs. */
static JobSpec *spec_of(const char *dir, const char *source, const char *destination, const char *format) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = json_pack("{s:s, s:{s:s}, s:{s:s}}", "operation", "convert",
                        "source", "type", strstr(source, "://") ? "nbd" : "file", "destination", "type",
                        strstr(destination, "://") ? "nbd" : "file");
        const char *ends[] = { "source", "destination" }, *values[] = { source, destination };
        JobSpec *spec = NULL;

        for (size_t i = 0; i < 2; i++) {
                bool uri = strstr(values[i], "://");
                _cleanup_free_ char *path = uri ? strdup(values[i]) : strprintf("%s/%s", dir, values[i]);

                json_object_set_new(
                                json_object_get(object, ends[i]), uri ? "uri" : "path", json_string(path));
        }
        if (format)
                json_object_set_new(json_object_get(object, "source"), "format", json_string(format));
        int r = job_spec_from_json(object, &spec, &errors);
        _cleanup_free_ char *text = json_errors_text(&errors);
        ck_assert_msg(r == 0, "%s", strna(text));
        return spec;
}

static const PathRules as_admin = {
        .role = ROLE_ADMIN,
        .destination_paths = (char *[]){ (char *) "/", NULL },
};

/* The errors of @look as one text. */
static int text_of(int (*look)(const JobSpec *, const PathRules *, JobFiles *, JsonErrors *),
                const JobSpec *spec, const PathRules *rules, JobFiles *ret, char **ret_error) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = look(spec, rules, ret, &errors);

        if (errors.n_errors > 0)
                *ret_error = json_errors_text(&errors);
        return r;
}

static int resolve_text(const JobSpec *spec, const PathRules *rules, JobFiles *ret, char **ret_error) {
        return text_of(job_files_resolve, spec, rules, ret, ret_error);
}

static int check_text(const JobSpec *spec, const PathRules *rules, JobFiles *ret, char **ret_error) {
        return text_of(job_files_check, spec, rules, ret, ret_error);
}

static int look_as(const PathRules *rules, const char *dir, const char *source, const char *destination,
                const char *format, JobFiles *ret, char **ret_error) {
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(dir, source, destination, format);

        return resolve_text(spec, rules, ret, ret_error);
}

static int look(const char *dir, const char *source, const char *destination, const char *format,
                JobFiles *ret, char **ret_error) {
        return look_as(&as_admin, dir, source, destination, format, ret, ret_error);
}

/* It is refused with @expected, and these words. */
static void refused(const char *dir, const char *source, const char *destination, int expected,
                const char *field, const char *words) {
        _cleanup_(job_files_done) JobFiles files = {};
        _cleanup_free_ char *error = NULL;
        int r = look(dir, source, destination, NULL, &files, &error);

        ck_assert_msg(r == expected, "%s: %s instead of %s: %s", source, strerror(-r), strerror(-expected),
                        strna(error));
        ck_assert_msg(error && startswith(error, field) && strstr(error, words),
                        "\"%s\" and \"%s\" are not in \"%s\"", field, words, strna(error));
}

static void accepted(const char *dir, const char *source, const char *destination, JobFiles *ret) {
        _cleanup_free_ char *error = NULL;
        int r = look(dir, source, destination, NULL, ret, &error);

        ck_assert_msg(r == 0, "%s", strna(error));
}

static void ends_with(const char *path, const char *end) {
        ck_assert_msg(path && endswith(path, end), "%s does not end with %s", strna(path), end);
}

START_TEST(plain_files) {
        _cleanup_(job_files_done) JobFiles f = {};
        _cleanup_test_dir_ char *dir = test_dir();

        put(dir, "a.raw", "x");
        accepted(dir, "a.raw", "b.qcow2", &f);
        ends_with(f.source_path, "/a.raw");
        ends_with(f.destination_path, "/b.qcow2");
        ends_with(f.part_dir, "/.b.qcow2.hyper-part");
        ck_assert_uint_eq(strv_length(f.source_files), 1);
        ck_assert(!f.network);
}
END_TEST

/* The reason stays readable behind a long path. */
START_TEST(an_error_has_its_field_apart) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(job_files_done) JobFiles files = {};
        char deep[3001];

        for (size_t i = 0; i < sizeof(deep) - 1; i++)
                deep[i] = i % 200 == 0 ? '/' : 'x';
        deep[sizeof(deep) - 1] = '\0';
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(deep, "a.raw", "b.qcow2", NULL);
        ck_assert_int_eq(job_files_resolve(spec, &as_admin, &files, &errors), -ENOENT);
        ck_assert_uint_eq(errors.n_errors, 1);
        ck_assert_str_eq(errors.errors[0].field, "source.path");
        ck_assert_int_eq(strncmp(errors.errors[0].text, deep, 500), 0);
        ck_assert_ptr_nonnull(strstr(errors.errors[0].text, "…: there is no such file or directory"));
}
END_TEST

START_TEST(symlinks_are_followed_once) {
        _cleanup_(job_files_done) JobFiles f = {};
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *error = NULL;

        make_dir(dir, "real");
        put(dir, "real/a.raw", "x");
        make_link("real", dir, "link");
        accepted(dir, "link/a.raw", "link/b.qcow2", &f);
        ends_with(f.source_path, "/real/a.raw");
        ends_with(f.destination_path, "/real/b.qcow2");
        ends_with(f.part_dir, "/real/.b.qcow2.hyper-part");

        /* From then on a link is somebody's trick. */
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(dir, "link/a.raw", "real/b.qcow2", NULL);
        _cleanup_(job_files_done) JobFiles again = {};
        ck_assert_int_eq(check_text(spec, &as_admin, &again, &error), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(error, "a symbolic link was put into it"));
}
END_TEST

/* The text shows a way. */
START_TEST(a_device_that_is_not_there_may_be_behind_nbd) {
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of("/dev/no", "such/disk", "b.qcow2", NULL);
        _cleanup_(job_files_done) JobFiles files = {};
        _cleanup_free_ char *error = NULL;

        ck_assert_int_eq(check_text(spec, &as_admin, &files, &error), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error, "NBD"));
}
END_TEST

#define OVF                                                                          \
        "<Envelope xmlns:ovf='x'><References><File ovf:href='Disk%201.vmdk'/><File " \
        "ovf:href='sub/d2.vmdk'/>"                                                   \
        "<File ovf:href='../secret'/><File ovf:href='chunks'/><File "                \
        "ovf:href='link'/></References></Envelope>"

START_TEST(an_ovf_brings_what_it_names) {
        static const char *const expected[] = { "/box.ovf", "/box.mf", "/chunks.000000000",
                "/chunks.000000001", "/disk 1.VMDK", "/sub/d2.vmdk" };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *directory = strprintf("%s/box", dir), *sub = strprintf("%s/box/sub", dir);

        put(dir, "secret", "x");
        make_dir(dir, "box");
        make_dir(directory, "sub");
        put(directory, "box.ovf", OVF);
        put(directory, "box.mf", "");
        put(directory, "other.mf", "");
        put(directory, "other.vmdk", "x");
        put(directory, "disk 1.VMDK", "x");
        put(sub, "d2.vmdk", "x");
        put(directory, "chunks.000000000", "x");
        put(directory, "chunks.000000001", "x");
        put(directory, "chunks.1", "x");
        make_link("../secret", directory, "link");
        for (int by_directory = 0; by_directory < 2; by_directory++) {
                _cleanup_(job_files_done) JobFiles f = {};

                accepted(dir, by_directory ? "box" : "box/box.ovf", "b.qcow2", &f);
                ends_with(f.source_path, "/box/box.ovf");
                ends_with(f.source_files[0], "/box/box.ovf");
                ck_assert_uint_eq(strv_length(f.source_files), ELEMENTSOF(expected));
                for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                        bool found = false;
                        STRV_FOREACH(file, f.source_files)
                                found = found || endswith(*file, expected[i]);
                        ck_assert_msg(found, "%s is not there", expected[i]);
                }
        }
        put(directory, "second.ovf", OVF);
        refused(dir, "box", "b.qcow2", -EBADMSG, "source.path", "several .ovf files");
}
END_TEST

START_TEST(a_checksum_is_for_one_file) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(job_files_done) JobFiles f = {}, one = {};
        _cleanup_free_ char *error = NULL, *none = NULL;

        put(dir, "box.ovf", "<Envelope xmlns:ovf='x'><File ovf:href='d.vmdk'/></Envelope>");
        put(dir, "d.vmdk", "x");
        put(dir, "d.raw", "x");
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(dir, "box.ovf", "b.qcow2", NULL);
        spec->source.checksum = strdup("sha256:0");
        ck_assert_int_eq(resolve_text(spec, &as_admin, &f, &error), -EBADMSG);
        ck_assert_msg(startswith(error, "source.checksum: ") && strstr(error, "covers one file"), "%s",
                        error);
        _cleanup_(job_spec_freep) JobSpec *plain = spec_of(dir, "d.raw", "b.qcow2", NULL);
        plain->source.checksum = strdup("sha256:0");
        ck_assert_int_eq(resolve_text(plain, &as_admin, &one, &none), 0);
}
END_TEST

START_TEST(what_is_no_image_file_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();

        make_dir(dir, "directory");
        make_link("/dev/zero", dir, "zero");
        make_link("/etc/passwd", dir, "passwd");
        make_link("loop", dir, "loop");
        _cleanup_free_ char *fifo = strprintf("%s/fifo", dir);
        ck_assert_int_eq(mkfifo(fifo, 0600), 0);
        put(dir, "a.raw", "x");
        put(dir, "there.qcow2", "x");

        refused(dir, "none.raw", "b.qcow2", -ENOENT, "source.path", "there is no such file");
        refused(dir, "directory", "b.qcow2", -EBADMSG, "source.path", "without an .ovf file in it");
        refused(dir, "fifo", "b.qcow2", -EBADMSG, "source.path",
                        "neither a regular file nor a block device");
        refused(dir, "zero", "b.qcow2", -EPERM, "source.path: /dev/zero", "only block devices");
        refused(dir, "loop", "b.qcow2", -EBADMSG, "source.path", "lead nowhere");
        /* The link is judged by where it leads. */
        refused(dir, "passwd", "b.qcow2", -EPERM, "source.path: /etc/passwd", "configuration and keys");
        refused(dir, "a.raw", "there.qcow2", -EBADMSG, "destination.path", "not overwritten");
        refused(dir, "a.raw", "a.raw/b.qcow2", -EBADMSG, "destination.path", "not a directory");
}
END_TEST

static bool is_bound(const JobFiles *f, const char *path) {
        struct stat st;

        return stat(path, &st) >= 0 && file_identity_check(f->bound, path, &st) == 0;
}

/* "/x/x/x" with @n components, as a new directory with a file in it. */
static char *deep(unsigned n) {
        char *path = strdup("new");

        for (unsigned i = 1; i < n; i++) {
                char *longer = strprintf("%s/x", path);
                free(path);
                path = longer;
        }
        char *file = strprintf("%s/b.qcow2", path);
        free(path);
        return file;
}

START_TEST(missing_directories_are_made_later) {
        _cleanup_(job_files_done) JobFiles f = {}, g = {}, h = {};
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *real = realpath(dir, NULL), *error = NULL, *most = deep(32), *more = deep(33);

        put(dir, "a.raw", "x");
        make_dir(dir, "there");
        make_link("there", dir, "link");
        accepted(dir, "a.raw", "link/new/deep/b.qcow2", &f);
        ends_with(f.destination_path, "/there/new/deep/b.qcow2");
        ends_with(f.part_dir, "/there/new/deep/.b.qcow2.hyper-part");
        _cleanup_free_ char *there = strprintf("%s/there", real);
        ck_assert(is_bound(&f, there));
        ck_assert(is_bound(&f, real));

        /* Also when the job starts, and when they exist by then; what is above them is noted all the same. */
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(real, "a.raw", "there/new/deep/b.qcow2", NULL);
        ck_assert_int_eq(check_text(spec, &as_admin, &g, &error), 0);
        ck_assert_str_eq(g.destination_path, f.destination_path);
        ck_assert(is_bound(&g, there));
        make_dir(dir, "there/new");
        make_dir(dir, "there/new/deep");
        ck_assert_int_eq(check_text(spec, &as_admin, &h, &error), 0);
        _cleanup_free_ char *leaf = strprintf("%s/there/new/deep", real);
        ck_assert(is_bound(&h, leaf));
        ck_assert(is_bound(&h, there));

        _cleanup_(job_files_done) JobFiles k = {};
        accepted(dir, "a.raw", most, &k);
        refused(dir, "a.raw", more, -EBADMSG, "destination.path", "more than 32 directories");
}
END_TEST

START_TEST(an_administrator_makes_no_trees_elsewhere) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *real = realpath(dir, NULL), *allowed = strprintf("%s/allowed", real);
        const PathRules elsewhere = { .role = ROLE_ADMIN, .destination_paths = (char *[]){ allowed, NULL } };
        static const struct {
                const char *path;
                bool accepted;
        } cases[] = { { "one/b.qcow2", true }, { "one/two/b.qcow2", false },
                { "allowed/one/two/b.qcow2", true } };

        put(dir, "a.raw", "x");
        make_dir(dir, "allowed");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(job_spec_freep) JobSpec *spec = spec_of(real, "a.raw", cases[i].path, NULL);
                _cleanup_(job_files_done) JobFiles files = {};
                _cleanup_free_ char *error = NULL;

                ck_assert_int_eq(check_text(spec, &elsewhere, &files, &error),
                                cases[i].accepted ? 0 : -EBADMSG);
                if (!cases[i].accepted)
                        ck_assert_ptr_nonnull(strstr(error, "only the last one is created"));
        }
}
END_TEST

START_TEST(nothing_is_made_where_a_file_system_is_not_mounted) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *real = realpath(dir, NULL), *fstab = strprintf("%s/fstab", real),
                            *lines = strprintf("# none\nserver:/x %s/nas nfs defaults 0 0\n"
                                               "/dev/x / ext4 defaults 0 1\n/swap none swap sw 0 0\n",
                                            real);
        const PathRules rules = {
                .role = ROLE_ADMIN, .destination_paths = as_admin.destination_paths, .fstab = fstab
        };
        static const char *const refused_paths[] = { "nas/new/b.qcow2", "nas/sub/new/b.qcow2" };

        put(dir, "a.raw", "x");
        put(dir, "fstab", lines);
        make_dir(dir, "nas");
        make_dir(dir, "nas/sub");
        for (size_t i = 0; i < ELEMENTSOF(refused_paths); i++) {
                _cleanup_(job_spec_freep) JobSpec *spec = spec_of(real, "a.raw", refused_paths[i], NULL);
                _cleanup_(job_files_done) JobFiles files = {};
                _cleanup_free_ char *error = NULL;

                ck_assert_int_eq(check_text(spec, &rules, &files, &error), -EBADMSG);
                ck_assert_ptr_nonnull(strstr(error, "is not mounted"));
        }
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(real, "a.raw", "nas-2/new/b.qcow2", NULL);
        _cleanup_(job_files_done) JobFiles files = {};
        _cleanup_free_ char *error = NULL;
        ck_assert_int_eq(check_text(spec, &rules, &files, &error), 0);
}
END_TEST

START_TEST(missing_directories_have_the_rules_of_others) {
        _cleanup_test_dir_ char *dir = test_dir();

        put(dir, "a.raw", "x");
        make_dir(dir, "there");
        make_link("none", dir, "there/dangling");
        make_link("/etc", dir, "there/etc");
        refused(dir, "a.raw", "there/dangling/new/b.qcow2", -EBADMSG, "destination.path", "leads nowhere");
        refused(dir, "a.raw", "there/dangling/b.qcow2", -EBADMSG, "destination.path", "leads nowhere");
        refused(dir, "a.raw", "there/etc/new/b.qcow2", -EPERM, "destination.path", "configuration and keys");
        refused(dir, "a.raw", "there/.ssh/b.qcow2", -EPERM, "destination.path", "keys are kept there");
        refused(dir, "a.raw", "there/.netrc/b.qcow2", -EPERM, "destination.path", "passwords");
        refused(dir, "a.raw", "a.raw/new/b.qcow2", -EBADMSG, "destination.path", "not a directory");

        /* A link that somebody puts there between the submission and the start. */
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(dir, "a.raw", "there/new/deep/b.qcow2", NULL);
        _cleanup_(job_files_done) JobFiles files = {};
        _cleanup_free_ char *error = NULL;
        make_link("/tmp", dir, "there/new");
        ck_assert_int_eq(check_text(spec, &as_admin, &files, &error), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(error, "a symbolic link was put into it"));
}
END_TEST

/* No spec gets so far with "..": its path is refused by its text. */
START_TEST(dots_are_no_directories) {
        static const char *const paths[] = { "/srv/none/../b.qcow2", "/srv/none/./b.qcow2",
                "/srv//b.qcow2" };
        const char *reason;

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                ck_assert(!job_path_is_valid(paths[i], true, &reason));
}
END_TEST

START_TEST(a_directory_takes_the_file) {
        _cleanup_(job_files_done) JobFiles f = {}, g = {};
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *error = NULL;

        put(dir, "web.v1.vmdk", "x");
        make_dir(dir, "out");
        accepted(dir, "web.v1.vmdk", "out", &f);
        ends_with(f.destination_path, "/out/web.v1.qcow2");
        ends_with(f.part_dir, "/out/.web.v1.qcow2.hyper-part");
        accepted(dir, "nbd://h/", "out", &g);
        ends_with(g.destination_path, "/out/disk.qcow2");
        put(dir, "out/web.v1.qcow2", "in the way");
        refused(dir, "web.v1.vmdk", "out", -EBADMSG, "destination.path", "not overwritten");
        /* When the job starts, the name is that of a file. */
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(dir, "web.v1.vmdk", "out", NULL);
        _cleanup_(job_files_done) JobFiles later = {};
        ck_assert_int_eq(check_text(spec, &as_admin, &later, &error), -EBADMSG);
}
END_TEST

START_TEST(a_dangling_link_is_no_free_name) {
        _cleanup_test_dir_ char *dir = test_dir();

        put(dir, "a.raw", "x");
        make_link("/etc/hyper-test-none", dir, "b.qcow2");
        refused(dir, "a.raw", "b.qcow2", -EBADMSG, "destination.path", "not overwritten");
}
END_TEST

START_TEST(places) {
        static const char *const bad[] = { "/etc/a", "/etc", "/usr/a", "/boot/a", "/dev/a", "/proc/1/a",
                "/sys/a", "/run/a", "/bin/a", "/lib64/a", "/var/lib/mysql/a", "/var/log/a",
                "/var/lib/hyper/a", "/var/lib/libvirt/secrets/a", "/root/.ssh/a", "/home/u/.gnupg/a",
                "/srv/.a.qcow2.hyper-part/image", "/root/.bash_profile",
                "/root/.config/systemd/user/a.service", "/home/u/.profile", "/home/u/.a",
                "/home/u/.local/bin/a", "/var/home/u/.zshrc", "/srv/homes/u/.bashrc",
                "/srv/.ssh/authorized_keys", "/root/.local/share/libvirt",
                "/home/u/.local/share/gnome-boxesx/a", "/var/lib/hyper/uploadsx/a", "/var/lib/hyper",
                "/"
                "etc//passwd" };
        static const char *const good[] = { "/srv/a", "/home/u/a", "/root/a", "/etcetera/a", "/tmp/a",
                "/var/tmp/a", "/a", "/var/lib/libvirt/images/a", "/var/lib/machines/a", "/run/media/u/a",
                "/usr2/a", "/srv/hyper-part/a", "/srv/a.hyper-part", "/mnt/.sshd/a",
                "/var/lib/hyper/uploads/a", "/var/lib/hypersdk/a", "/home/u/.local/share/libvirt/images/a",
                "/root/.local/share/gnome-boxes/images/a", "/srv/.a", "/home/.a", "/home/u/vms/.a" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(path_refusal(bad[i], false), "%s is allowed", bad[i]);
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                const char *why = path_refusal(good[i], false);

                ck_assert_msg(!why, "%s is refused: %s", good[i], strna(why));
        }
        ck_assert_ptr_null(path_refusal("/dev/vg0/a", true));
        ck_assert_ptr_nonnull(path_refusal("/dev/.ssh/a", true));
        ck_assert_ptr_nonnull(path_refusal("/etc/a", true));
}
END_TEST

/* An operator's rules with one directory for both. */
static PathRules operator_of(const char *directory) {
        PathRules p = { .role = ROLE_OPERATOR };

        ck_assert_int_eq(strv_extend(&p.source_paths, directory), 0);
        ck_assert_int_eq(strv_extend(&p.destination_paths, directory), 0);
        return p;
}

/* What an operator is told of a source; NULL if it is taken. */
static char *told(const PathRules *rules, const char *dir, const char *source, const char *destination,
                int *ret) {
        _cleanup_(job_files_done) JobFiles f = {};
        char *error = NULL;

        *ret = look_as(rules, dir, source, destination, "raw", &f, &error);
        ck_assert_int_eq(*ret < 0, error != NULL);
        return error;
}

/* @source and @other, which is as long, are refused with one text but for the name. */
static void told_the_same(const PathRules *rules, const char *dir, const char *source,
                const char *destination, const char *other_source, const char *other_destination) {
        int a, b;
        _cleanup_free_ char *one = told(rules, dir, source, destination, &a),
                            *two = told(rules, dir, other_source, other_destination, &b);

        ck_assert_int_eq(a, -EPERM);
        ck_assert_int_eq(b, -EPERM);
        ck_assert_msg(strstr(strna(one), " must be below a directory of jobs."), "%s", strna(one));
        ck_assert_str_eq(strstr(one, ": a "), strstr(two, ": a "));
        /* Only the path as it was given is named, not where it leads. */
        ck_assert(strstr(source, "secret") || strstr(destination, "secret") || !strstr(one, "secret"));
        ck_assert(!strstr(one, "/etc/") && !strstr(one, "/proc/"));
}

START_TEST(an_operator_may_name_the_permitted_directory_itself) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *in = strprintf("%s/in", dir), *image = strprintf("%s/in/a.qcow2", dir),
                            *error = NULL;
        PathRules rules = operator_of(in);
        _cleanup_(job_files_done) JobFiles f = {};

        make_dir(dir, "in");
        put(dir, "in/a.img", "x");
        ck_assert_msg(look_as(&rules, dir, "in/a.img", "in", "raw", &f, &error) == 0, "%s", strna(error));
        ck_assert_str_eq(f.destination_path, image);
        /* Not one beside it */
        make_dir(dir, "secret");
        told_the_same(&rules, dir, "in/a.img", "secret", "in/a.img", "secre");
        path_rules_done(&rules);
}
END_TEST

START_TEST(an_operator_is_told_nothing_of_other_places) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *in = strprintf("%s/in", dir), *secret = strprintf("%s/secret", dir);
        PathRules rules = operator_of(in);
        _cleanup_(job_files_done) JobFiles f = {};
        _cleanup_free_ char *error = NULL;
        static const char *const links[][2] = { { "file", "../secret/a.raw" }, { "directory", "../secret" },
                { "missing", "../secret/none" }, { "deep", "../secret/a.raw/x" },
                { "shadow", "/etc/shadow" }, { "no-shadow", "/etc/none" }, { "chain", "file" },
                { "up", "../.." }, { "proc", "/proc/self/exe" }, { "null", "/dev/null" },
                { "two", "via/a.raw" }, { "root", "/" } };

        make_dir(dir, "in");
        make_dir(dir, "secret");
        put(dir, "secret/a.raw", "x");
        put(dir, "in/a.raw", "x");
        make_link("../secret", dir, "in/via");
        for (size_t i = 0; i < ELEMENTSOF(links); i++) {
                _cleanup_free_ char *name = strprintf("in/%s", links[i][0]),
                                    *below = strprintf("%s/x", name);

                make_link(links[i][1], dir, name);
                told_the_same(&rules, dir, name, "in/b.raw", "secret/none", "in/b.raw");
                told_the_same(&rules, dir, "in/a.raw", below, "in/a.raw", "secret/none/b.raw");
        }
        /* A file, a directory, nothing, and what is below each of them. */
        told_the_same(&rules, dir, "secret/a.raw", "in/b.raw", "secret/b.raw", "in/b.raw");
        told_the_same(&rules, dir, "secret", "in/b.raw", "secre", "in/b.raw");
        told_the_same(&rules, dir, "secret/a.raw/x", "in/b.raw", "none/b/x", "in/b.raw");
        told_the_same(&rules, dir, "in/via/a.raw", "in/b.raw", "in/via/b.raw", "in/b.raw");
        told_the_same(&rules, dir, "in/a.raw", "secret/a.raw", "in/a.raw", "secret/b.raw");
        told_the_same(&rules, dir, "in/a.raw", "in/via/a.raw", "in/a.raw", "in/via/b.raw");
        told_the_same(&rules, dir, "inx/a.raw", "in/b.raw", "iny/a.raw", "in/b.raw");

        /* Inside everything is told, links included. */
        make_link("a.raw", dir, "in/good");
        int good = look_as(&rules, dir, "in/good", "in/b.raw", "raw", &f, &error);
        ck_assert_msg(good == 0, "%s", strna(error));
        ends_with(f.source_path, "/in/a.raw");
        int r;
        _cleanup_free_ char *missing = told(&rules, dir, "in/none", "in/b.raw", &r);
        ck_assert_int_eq(r, -ENOENT);
        ck_assert_ptr_nonnull(strstr(missing, "no such file"));
        path_rules_done(&rules);
        (void) secret;
}
END_TEST

/* What the configuration names may be a link, on the way and at the end. */
START_TEST(an_operator_makes_directories_in_its_own_places) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *real = realpath(dir, NULL), *in = strprintf("%s/in", real),
                            *none = strprintf("%s/none", real), *one = NULL, *two = NULL, *error = NULL;
        PathRules rules = operator_of(in), later = operator_of(none);
        _cleanup_(job_files_done) JobFiles f = {};
        int r;

        make_dir(dir, "in");
        make_dir(dir, "secret");
        put(dir, "in/a.raw", "x");
        make_link("../secret", dir, "in/out");
        r = look_as(&rules, real, "in/a.raw", "in/new/deep/b.qcow2", "raw", &f, &error);
        ck_assert_msg(r == 0, "%s", strna(error));
        ends_with(f.destination_path, "/in/new/deep/b.qcow2");
        ck_assert(is_bound(&f, in));
        /* What is above is no place of the operator's, so nothing is made below it. */
        ck_assert(!is_bound(&f, real));
        told_the_same(&rules, real, "in/a.raw", "secret/new/b.qcow2", "in/a.raw", "secret/b.qcow2");
        told_the_same(&rules, real, "in/a.raw", "in/out/new/b.qcow2", "in/a.raw", "in/out/b.qcow2");

        /* A directory of the configuration itself is not made. */
        strv_free(later.source_paths);
        later.source_paths = NULL;
        ck_assert_int_eq(strv_extend(&later.source_paths, in), 0);
        one = told(&later, real, "in/a.raw", "none/b.qcow2", &r);
        ck_assert_int_eq(r, -EBADMSG);
        ck_assert_ptr_nonnull(strstr(one, "there is no such file or directory"));
        two = told(&later, real, "in/a.raw", "none/new/b.qcow2", &r);
        ck_assert_int_eq(r, -EBADMSG);
        path_rules_done(&rules);
        path_rules_done(&later);
}
END_TEST

START_TEST(directories_of_the_configuration_may_be_links) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *named = strprintf("%s/link/in", dir), *error = NULL;
        PathRules rules = operator_of(named);
        _cleanup_(job_files_done) JobFiles f = {}, g = {};
        int r;

        make_dir(dir, "real");
        make_dir(dir, "real/store");
        make_link("store", dir, "real/in");
        make_link("real", dir, "link");
        put(dir, "real/store/a.raw", "x");
        put(dir, "real/b.raw", "x");
        ck_assert_int_eq(look_as(&rules, dir, "link/in/a.raw", "link/in/b.raw", "raw", &f, &error), 0);
        ends_with(f.source_path, "/real/store/a.raw");
        ck_assert_int_eq(look_as(&rules, dir, "real/store/a.raw", "real/store/b.raw", "raw", &g, &error), 0);
        _cleanup_free_ char *beside = told(&rules, dir, "real/b.raw", "link/in/b.raw", &r);
        ck_assert_int_eq(r, -EPERM);
        path_rules_done(&rules);
}
END_TEST

/* Not even a configuration that allows everything opens the system's own places, or all devices. */
START_TEST(the_systems_own_places_stay_closed) {
        PathRules rules = operator_of("/");
        static const char *const sources[] = { "etc/passwd", "etc/none", "proc/self/exe",
                "root/.bash_profile", "dev/null", "dev/loop0", "dev/none", "var/log/none", "usr/bin/env" };

        for (size_t i = 0; i < ELEMENTSOF(sources); i++) {
                _cleanup_free_ char *destination = strprintf("%s/x", sources[i]);
                int r;
                _cleanup_free_ char *error = told(&rules, "", sources[i], "srv/none/b.raw", &r);

                ck_assert_msg(r == -EPERM || streq(sources[i], "dev/none"), "%s: %s", sources[i], error);
                free(error);
                error = told(&as_admin, "", "srv", destination, &r);
                ck_assert_int_lt(r, 0);
        }
        path_rules_done(&rules);
}
END_TEST

/* A loop device over a file in @dir, its path in @name (of 32 bytes), held by the descriptor; -1 where the
 * machine has none. */
static int make_device(const char *dir, char *name) {
        _cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), backing = -1;
        _cleanup_free_ char *file = strprintf("%s/backing", dir);
        int fd, number;

        if (control < 0)
                return -1;
        backing = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge(backing, 0);
        ck_assert_int_eq(ftruncate(backing, 1 << 20), 0);
        for (unsigned i = 0; i < 100; i++) {
                struct loop_config config = { .fd = (uint32_t) backing,
                        .info.lo_flags = LO_FLAGS_AUTOCLEAR };

                number = ioctl(control, LOOP_CTL_GET_FREE);
                if (number < 0)
                        return -1;
                snprintf(name, 32, "/dev/loop%d", number);
                fd = open(name, O_RDWR | O_CLOEXEC);
                if (fd < 0)
                        return -1;
                if (ioctl(fd, LOOP_CONFIGURE, &config) == 0)
                        return fd;
                close(fd); /* somebody else was faster */
        }
        return -1;
}

static int look_at(const PathRules *rules, const char *source, const char *destination, const char *format,
                JobFiles *ret, char **ret_error) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = json_pack("{s:s, s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s}}", "operation",
                        "convert", "source", "type", "file", "path", source, "format", "raw", "destination",
                        "type", "file", "path", destination, "format", format);
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;

        ck_assert_int_eq(job_spec_from_json(object, &spec, &errors), 0);
        return resolve_text(spec, rules, ret, ret_error);
}

static void device_refused(const PathRules *rules, const char *source, const char *destination,
                const char *format, const char *words) {
        _cleanup_(job_files_done) JobFiles f = {};
        _cleanup_free_ char *error = NULL;

        ck_assert_int_lt(look_at(rules, source, destination, format, &f, &error), 0);
        ck_assert_msg(strstr(error, words), "\"%s\" is not in \"%s\"", words, error);
}

static void device_taken(const PathRules *rules, const char *source, const char *destination,
                const char *format, JobFiles *f) {
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(look_at(rules, source, destination, format, f, &error) == 0, "%s", strna(error));
}

/* (Where the machine gives out no loop device there is nothing to look at.) */
START_TEST(block_devices) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *new = strprintf("%s/new.raw", dir), *link = strprintf("%s/link", dir),
                            *file = strprintf("%s/a.raw", dir);
        PathRules everything = operator_of("/"), devices = operator_of("/dev"),
                  one = { .role = ROLE_OPERATOR };
        _cleanup_(job_files_done) JobFiles f = {}, g = {}, h = {}, i = {};
        char name[32];
        _cleanup_close_ int fd = make_device(dir, name);

        put(dir, "a.raw", "x");
        ck_assert_int_eq(strv_extend(&one.source_paths, name), 0);
        ck_assert_int_eq(strv_extend(&one.source_paths, dir), 0);
        ck_assert_int_eq(strv_extend(&one.destination_paths, dir), 0);
        if (fd >= 0) {
                device_taken(&as_admin, name, new, "raw", &f);
                ck_assert_str_eq(f.source_path, name);
                ck_assert_str_eq(f.devices[0], name);
                ck_assert_str_eq(f.devices[1], "r");
                ck_assert_ptr_null(f.devices[2]);
                device_taken(&as_admin, file, name, "raw", &g);
                ck_assert_str_eq(g.destination_path, name);
                ck_assert_str_eq(g.devices[1], "rw");
                ck_assert_ptr_null(g.part_dir);
                device_refused(&as_admin, file, name, "qcow2", "a block device holds a raw disk");
                /* A link of a person's leads there, and is not what is stored. */
                ck_assert_int_eq(symlink(name, link), 0);
                device_taken(&as_admin, link, new, "raw", &h);
                ck_assert_str_eq(h.source_path, name);

                /* An operator's must be listed; all directories are not all devices. */
                device_taken(&one, name, new, "raw", &i);
                device_refused(&everything, name, new, "raw", "jobs.source_paths");
                device_refused(&everything, link, new, "raw", "jobs.source_paths");
                device_refused(&one, file, name, "raw", "only an administrator's job may write");

                /* Mounting, swap and LVM claim it like this. */
                _cleanup_close_ int claim = open(name, O_RDONLY | O_EXCL | O_CLOEXEC);
                ck_assert_int_ge(claim, 0);
                device_refused(&as_admin, name, new, "raw", "the system uses this block device");
                device_refused(&as_admin, file, name, "raw", "the system uses this block device");
        }
        device_refused(&as_admin, "/dev/null", new, "raw", "only block devices");
        device_refused(&as_admin, file, "/dev/null", "raw", "only block devices");
        device_refused(&devices, "/dev/null", new, "raw", "jobs.source_paths");
        path_rules_done(&everything);
        path_rules_done(&devices);
        path_rules_done(&one);
}
END_TEST

#define DESCRIPTOR(extents)                                                        \
        "# Disk "                                                                  \
        "DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=" \
        "\"twoGbMaxExtentSparse\"\n"                                               \
        "# Extent description\n" extents

START_TEST(a_split_disk_brings_its_extents) {
        _cleanup_(job_files_done) JobFiles f = {};
        _cleanup_test_dir_ char *dir = test_dir();

        put(dir, "a.vmdk", DESCRIPTOR("RW 100 SPARSE \"a-s001.vmdk\"\nRW 100 SPARSE \"a-s002.vmdk\"\n"));
        put(dir, "a-s001.vmdk", "x");
        put(dir, "a-s002.vmdk", "x");
        put(dir, "a-s003.vmdk", "x");
        accepted(dir, "a.vmdk", "b.qcow2", &f);
        ck_assert_uint_eq(strv_length(f.source_files), 3);
        ends_with(f.source_files[0], "/a.vmdk");
        ends_with(f.source_files[1], "/a-s001.vmdk");
        ends_with(f.source_files[2], "/a-s002.vmdk");
}
END_TEST

/* A job that changes a guest on @first and @others, a list of names separated by blanks. */
static int look_at_disks(
                const char *dir, const char *first, const char *others, JobFiles *ret, char **ret_error) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        _cleanup_free_ char *path = strprintf("%s/%s", dir, first), *words = strdup(others);
        _cleanup_json_ json_t *list = json_array();
        char *save = NULL;

        for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
                _cleanup_free_ char *disk = strprintf("%s/%s", dir, w);
                json_array_append_new(list, json_string(disk));
        }
        _cleanup_json_ json_t *object = json_pack("{s:s, s:{s:s, s:s, s:O}}", "operation", "offline_fix",
                        "source", "type", "file", "path", path, "further_disks", list);
        ck_assert_int_eq(job_spec_from_json(object, &spec, &errors), 0);
        return resolve_text(spec, &as_admin, ret, ret_error);
}

START_TEST(further_disks_are_files_of_the_job) {
        static const struct {
                const char *first, *others, *error;
        } wrong[] = {
                { "a.raw", "link.raw", "it is a symbolic link, or behind one; give /" },
                { "a.raw", "into/b.raw", "it is a symbolic link, or behind one; give /" },
                { "link.raw", "b.raw", "it is named twice" },
                { "a.raw", "none.raw", "there is no such file" },
                { "a.raw", "d", "it is not a regular file" },
                { "a.raw", "packed.raw", "destination: must be given: of " },
                { "split.vmdk", "f.vmdk", "it is named twice" },
                { "a.raw", "split.vmdk split.2.vmdk", "f.vmdk is named twice" },
        };
        static const char descriptor[] = "# Disk DescriptorFile\ncreateType=\"monolithicFlat\"\n"
                                         "RW 2048 FLAT \"f.vmdk\" 0\n";
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(job_files_done) JobFiles files = {};
        _cleanup_free_ char *error = NULL;
        static const char gzip[] = "\x1f\x8b\x08\1\1\1\1\1\1\1\1\1";

        put(dir, "a.raw", "a");
        put(dir, "b.raw", "b");
        put(dir, "c.raw", "c");
        put(dir, "split.vmdk", descriptor);
        put(dir, "split.2.vmdk", descriptor);
        put(dir, "f.vmdk", "x");
        put(dir, "packed.raw", gzip);
        make_dir(dir, "d");
        make_link("b.raw", dir, "link.raw");
        make_link(".", dir, "into");
        int r = look_at_disks(dir, "a.raw", "b.raw split.vmdk c.raw", &files, &error);
        ck_assert_msg(r >= 0, "%s", strna(error));
        ck_assert_uint_eq(strv_length(files.source_files), 5);
        ends_with(files.source_files[1], "/b.raw");
        ends_with(files.source_files[3], "/f.vmdk");
        ends_with(files.source_files[4], "/c.raw");
        ends_with(files.part_dir, "/.a.raw.hyper-part");
        for (size_t i = 0; i < 5; i++)
                ck_assert(is_bound(&files, files.source_files[i]));

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_(job_files_done) JobFiles none = {};
                _cleanup_free_ char *why = NULL;

                int k = look_at_disks(dir, wrong[i].first, wrong[i].others, &none, &why);
                ck_assert_msg(k < 0, "%s %s is accepted", wrong[i].first, wrong[i].others);
                ck_assert_msg(why && strstr(why, wrong[i].error), "%s %s: %s", wrong[i].first,
                                wrong[i].others, strna(why));
        }
}
END_TEST

START_TEST(a_descriptor_that_reaches_outside_is_refused) {
        static const struct {
                const char *text, *words;
        } cases[] = {
                { DESCRIPTOR("RW 100 FLAT \"/etc/shadow\" 0\n"), "not a plain file beside it" },
                { DESCRIPTOR("RW 100 FLAT \"../secret.vmdk\" 0\n"), "not a plain file beside it" },
                { DESCRIPTOR("RW 100 FLAT \"nbd:unix:x\" 0\n"), "not a plain file beside it" },
                { DESCRIPTOR("RW 100 FLAT \"link.vmdk\" 0\n"), "link.vmdk is not a regular file" },
                { DESCRIPTOR("RW 100 FLAT \"directory\" 0\n"), "directory is not a regular file" },
                { DESCRIPTOR("RW 100 FLAT \"missing.vmdk\" 0\n"), "missing.vmdk cannot be used" },
                { DESCRIPTOR("parentFileNameHint=\"base.vmdk\"\nRW 100 SPARSE \"a.vmdk\"\n"), "parent" },
        };
        _cleanup_test_dir_ char *dir = test_dir();

        make_link("/etc/shadow", dir, "link.vmdk");
        make_dir(dir, "directory");
        put(dir, "base.vmdk", "x");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                put(dir, "a.vmdk", cases[i].text);
                refused(dir, "a.vmdk", "b.qcow2", -EBADMSG, "source.path", cases[i].words);
        }

        /* To a raw disk these are the guest's bytes. */
        _cleanup_(job_files_done) JobFiles f = {};
        _cleanup_free_ char *error = NULL;
        ck_assert_int_eq(look(dir, "a.vmdk", "b.qcow2", "raw", &f, &error), 0);
        ck_assert_uint_eq(strv_length(f.source_files), 1);
}
END_TEST

static void make_socket(const char *path) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_uint_lt(strlen(path), sizeof(sa.sun_path));
        memcpy(sa.sun_path, path, strlen(path) + 1);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &sa, sizeof(sa)), 0);
}

START_TEST(nbd_over_sockets_and_networks) {
        _cleanup_(job_files_done) JobFiles f = {}, g = {}, h = {};
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *socket = strprintf("%s/s", dir),
                            *uri = strprintf("nbd+unix:///x?socket=%s/s", dir),
                            *file = strprintf("nbd+unix:///?socket=%s/a.raw", dir),
                            *none = strprintf("nbd+unix:///?socket=%s/none", dir);

        make_socket(socket);
        put(dir, "a.raw", "x");
        accepted(dir, uri, "b.qcow2", &f);
        ck_assert_uint_eq(strv_length(f.sockets), 1);
        ck_assert_str_eq(f.sockets[0], socket);
        ck_assert(!f.network);

        accepted(dir, "a.raw", "nbd://127.0.0.1:10810/disk", &g);
        ck_assert(g.network);
        ck_assert_ptr_null(g.sockets);
        ck_assert_ptr_null(g.part_dir);
        /* The server may come later. */
        accepted(dir, none, "b.qcow2", &h);

        refused(dir, file, "b.qcow2", -EBADMSG, "source.uri", "not a socket");
        refused(dir, "nbd+unix:///?socket=/run/dbus/system_bus_socket", "b.qcow2", -EPERM, "source.uri",
                        "another service listens there");
}
END_TEST

START_TEST(a_hostile_directory_is_removed_without_following_anything) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *job = strprintf("%s/job", dir), *deep = strprintf("%s/job/deep", dir),
                            *kept = strprintf("%s/kept/file", dir);

        make_dir(dir, "kept");
        put(dir, "kept/file", "x");
        make_dir(dir, "job");
        make_dir(dir, "job/deep");
        put(dir, "job/deep/file", "x");
        make_link("../kept", dir, "job/link");
        make_link("../../kept/file", dir, "job/deep/link");
        ck_assert_int_eq(chmod(deep, 0), 0);
        ck_assert_int_eq(remove_tree(job), 0);
        ck_assert_int_lt(access(job, F_OK), 0);
        ck_assert_int_eq(access(kept, F_OK), 0);
        ck_assert_int_eq(remove_tree(job), 0);
}
END_TEST

START_TEST(directories_name_their_jobs) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *a = job_directory_path(dir, "a-b.c:d"),
                            *junk = strprintf("%s/jobs/no job", dir);
        _cleanup_strv_free_ char **ids = NULL;

        ck_assert_int_eq(job_directory_make(a), 0);
        ck_assert_int_eq(mkdir(junk, 0700), 0);
        ck_assert_int_eq(job_directories_list(dir, &ids), 0);
        ck_assert_uint_eq(strv_length(ids), 1);
        ck_assert_str_eq(ids[0], "a-b.c:d");
}
END_TEST

START_TEST(secrets_that_nothing_names_are_swept) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(credential_owners_done) CredentialOwners owners = {};
        _cleanup_strv_free_ char **a = NULL, **b = NULL, **c = NULL, **set = NULL;

        make_dir(dir, "credentials");
        put(dir, "credentials/job-a@x.cred", "x");
        put(dir, "credentials/job-b@x.cred", "x");
        put(dir, "credentials/job-b@x.new", "x");
        put(dir, "credentials/job-ab@x.cred", "x");
        put(dir, "credentials/schedule-a@x.cred", "x");
        put(dir, "credentials/schedule-s@x.cred", "x");
        put(dir, "credentials/webhook-0123", "x");
        ck_assert_int_eq(credential_owners_add(&owners, CREDENTIALS_OF_SCHEDULE, "s"), 0);
        ck_assert_int_eq(credential_owners_add(&owners, CREDENTIALS_OF_JOB, "a"), 0);
        ck_assert_int_eq(credentials_sweep(dir, &owners), 0);
        ck_assert_int_eq(credentials_list(dir, CREDENTIALS_OF_JOB, "a", &a), 0);
        ck_assert_uint_eq(strv_length(a), 2);
        ck_assert_int_eq(credentials_list(dir, CREDENTIALS_OF_SCHEDULE, "s", &set), 0);
        ck_assert_uint_eq(strv_length(set), 2);
        ck_assert_int_eq(credentials_list(dir, CREDENTIALS_OF_JOB, "b", &b), 0);
        ck_assert_uint_eq(strv_length(b), 0);
        ck_assert_int_eq(credentials_list(dir, CREDENTIALS_OF_SCHEDULE, "a", &c), 0);
        ck_assert_uint_eq(strv_length(c), 0);
        _cleanup_free_ char *webhook = strprintf("%s/credentials/webhook-0123", dir);
        ck_assert_int_eq(access(webhook, F_OK), 0);

        CredentialOwners none = {};
        ck_assert_int_eq(credentials_sweep("/nonexistent", &none), 0);
        ck_assert_int_eq(credentials_sweep(dir, &none), 0);
        ck_assert_int_lt(access(a[1], F_OK), 0);
}
END_TEST

START_TEST(secrets_of_one_job_are_not_another_s) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_strv_free_ char **list = NULL, **rest = NULL;

        make_dir(dir, "credentials");
        put(dir, "credentials/job-a@source.tls_psk.cred", "x");
        put(dir, "credentials/job-a.source@x.cred", "x");
        put(dir, "credentials/job-a@y.new", "x");
        ck_assert_int_eq(credentials_list(dir, CREDENTIALS_OF_JOB, "a", &list), 0);
        ck_assert_uint_eq(strv_length(list), 2);
        ck_assert_str_eq(list[0], "source.tls_psk");
        ends_with(list[1], "/credentials/job-a@source.tls_psk.cred");
        ck_assert_int_eq(credentials_remove(dir, CREDENTIALS_OF_JOB, "a"), 0);
        ck_assert_int_lt(access(list[1], F_OK), 0);
        ck_assert_int_eq(credentials_list(dir, CREDENTIALS_OF_JOB, "a.source", &rest), 0);
        ck_assert_uint_eq(strv_length(rest), 2);

        ck_assert(credential_name_is_valid("source.tls_psk"));
        ck_assert(!credential_name_is_valid(""));
        ck_assert(!credential_name_is_valid("../x"));
        ck_assert(!credential_name_is_valid("a/b"));
        ck_assert(!credential_name_is_valid(".a"));
        ck_assert(!credential_name_is_valid("A"));
        ck_assert(!credential_name_is_valid("a@b"));
}
END_TEST

TEST_MAIN("manager-files", an_error_has_its_field_apart, plain_files, symlinks_are_followed_once,
                a_device_that_is_not_there_may_be_behind_nbd, what_is_no_image_file_is_refused,
                an_ovf_brings_what_it_names, a_checksum_is_for_one_file, missing_directories_are_made_later,
                an_administrator_makes_no_trees_elsewhere,
                nothing_is_made_where_a_file_system_is_not_mounted,
                missing_directories_have_the_rules_of_others, dots_are_no_directories,
                an_operator_makes_directories_in_its_own_places, a_directory_takes_the_file,
                a_dangling_link_is_no_free_name, places, an_operator_may_name_the_permitted_directory_itself,
                an_operator_is_told_nothing_of_other_places, directories_of_the_configuration_may_be_links,
                the_systems_own_places_stay_closed, block_devices, a_split_disk_brings_its_extents,
                further_disks_are_files_of_the_job, a_descriptor_that_reaches_outside_is_refused,
                nbd_over_sockets_and_networks, a_hostile_directory_is_removed_without_following_anything,
                directories_name_their_jobs, secrets_of_one_job_are_not_another_s,
                secrets_that_nothing_names_are_swept)
