/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/image-writable.h"
#include "manager/job-paths-nbd.h"
#include "manager/job-paths.h"
#include "manager/path-look.h"
#include "manager/path-missing.h"
#include "manager/source-chain.h"
#include "manager/source-ovf.h"

/* --- block devices --------------------------------------------------------------------------------- */

/* What the kernel uses itself cannot be claimed: what is mounted, swap, parts of LVM and RAID, and the disk
 * that a partition like that is on. */
static int check_claim(const char *field, const char *path, JsonErrors *errors) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd >= 0)
                return 0;
        text = errno == EBUSY ? strdup("the system uses this block device: it, or a part of it, is mounted, "
                                       "swap, or "
                                       "part of LVM or RAID; unmount it, or name the volume that is on it")
                              : strprintf("the block device cannot be opened: %s", strerror(errno));
        return text ? path_refuse(errors, -EBADMSG, field, path, text) : -ENOMEM;
}

/* Its name is kept as it was given: udev's links stay the same when numbers change. */
static int add_device(
                JobFiles *f, const char *field, const char *path, const char *access, JsonErrors *errors) {
        int r = check_claim(field, path, errors);

        if (r >= 0)
                r = strv_extend(&f->devices, path);
        return r < 0 ? r : strv_extend(&f->devices, access);
}

/* Beside a Parallels image: it says whether the image is a whole disk. The job does without if there is
 * none. */
static int add_parallels_descriptor(const JobSpec *spec, const char *image, JobFiles *f) {
        const char *slash = strrchr(image, '/');
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (spec->source.format != FORMAT_PARALLELS &&
                        (spec->source.format != FORMAT_PROBE ||
                                        (!endswith(slash, ".hds") && !endswith(slash, ".hdd"))))
                return 0;
        path = strprintf("%.*s/DiskDescriptor.xml", (int) (slash - image), image);
        if (!path)
                return -ENOMEM;
        if (strv_contains(f->source_files, path) || lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;
        int r = job_files_note(f, path, &st);
        return r < 0 ? r : strv_consume(&f->source_files, TAKE_PTR(path));
}

/* A directory stands for the OVF in it. */
static int use_ovf_of_directory(
                const PathRules *rules, JobFiles *f, struct stat *ret_stat, JsonErrors *errors) {
        _cleanup_free_ char *ovf = NULL, *directory = TAKE_PTR(f->source_path);

        int r = source_ovf_in_directory(directory, &ovf);
        if (r == -ENOENT)
                return path_refuse(errors, -EBADMSG, "source.path", directory,
                                "it is a directory without an .ovf file in it; give the image itself");
        if (r == -ENOTUNIQ) {
                _cleanup_free_ char *text =
                                strprintf("it is a directory with several .ovf files in it: %s; give one of "
                                          "them",
                                                ovf);
                return text ? path_refuse(errors, -EBADMSG, "source.path", directory, text) : -ENOMEM;
        }
        if (r < 0)
                return r == -ENOMEM ? r
                                    : path_refuse(errors, -EBADMSG, "source.path", directory, strerror(-r));
        return path_resolve(rules, false, "source.path", ovf, false, &f->source_path, ret_stat, errors);
}

/* The digest of one of several files would prove nothing about the others. */
static int check_checksum(const JobSpec *spec, const JobFiles *f, JsonErrors *errors) {
        size_t n = strv_length(f->source_files);
        _cleanup_free_ char *text = NULL;

        if (!spec->source.checksum || n <= 1)
                return 0;
        text = strprintf("a checksum covers one file, but this image is made of %zu, %s among them; leave "
                         "it out%s",
                        n, f->source_files[1],
                        endswith(f->source_path, ".ovf") ? " (the manifest of an OVF is always checked)"
                                                         : "");
        return text ? path_refuse(errors, -EBADMSG, "source.checksum", f->source_path, text) : -ENOMEM;
}

/* Whether the image @path, which the spec names as @given, can be written to. */
static int check_writable(const JobSpec *spec, const PathRules *rules, const char *field, const char *path,
                const char *given, JsonErrors *errors) {
        _cleanup_free_ char *why = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (spec->parameters.dry_run)
                return path_check_place(rules, true, field, path, given, errors);
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        int r = fd < 0 ? -errno : image_check_writable(fd, spec->source.format, &why);
        if (r < 0 && r != -EROFS)
                return r == -ENOMEM ? r : path_refuse(errors, -EBADMSG, field, given, strerror(-r));
        if (r < 0) {
                _cleanup_free_ char *text = strprintf("must be given: of %s, %s", given, why);
                r = text ? json_errors_add(errors, "destination", "%s", text) : -ENOMEM;
                return r < 0 ? r : -EBADMSG;
        }
        return path_check_place(rules, true, field, path, given, errors);
}

/* The source is changed: its directory gets a part directory. */
static int add_in_place(const JobSpec *spec, const PathRules *rules, JobFiles *f, JsonErrors *errors) {
        const char *slash = strrchr(f->source_path, '/');
        _cleanup_free_ char *directory =
                        strndup(f->source_path, slash == f->source_path ? 1 : slash - f->source_path);
        int r;

        if (!directory)
                return -ENOMEM;
        r = check_writable(spec, rules, "source.path", f->source_path, spec->source.path, errors);
        if (r >= 0)
                r = job_files_note_directories(rules, directory, f);
        if (r < 0)
                return r;
        f->part_dir = job_part_path(f->source_path);
        return f->part_dir ? 0 : -ENOMEM;
}

/* Its path is used as it is given: only that of the first disk is stored as it was resolved. */
static int add_further_disk(const JobSpec *spec, const PathRules *rules, bool follow, const char *path,
                JobFiles *f, JsonErrors *errors) {
        static const char field[] = "source.further_disks";
        _cleanup_free_ char *real = NULL, *text = NULL;
        struct stat st;
        int r = path_resolve(rules, false, field, path, follow, &real, &st, errors);

        if (r < 0)
                return r;
        if (!S_ISREG(st.st_mode))
                return path_refuse(errors, -EBADMSG, field, path, "it is not a regular file");
        if (!streq(real, path)) {
                text = strprintf("it is a symbolic link, or behind one; give %s", real);
                return text ? path_refuse(errors, -EBADMSG, field, path, text) : -ENOMEM;
        }
        if (strv_contains(f->source_files, real))
                return path_refuse(errors, -EBADMSG, field, path, "it is named twice");
        r = job_files_note(f, real, &st);
        if (r >= 0)
                r = strv_extend(&f->source_files, real);
        if (r >= 0)
                r = source_chain_add(spec, rules, field, real, f, errors);
        if (r >= 0)
                r = add_parallels_descriptor(spec, real, f);
        return r < 0 || !job_spec_is_in_place(spec) ? r
                                                    : check_writable(spec, rules, field, real, path, errors);
}

static int add_further_disks(
                const JobSpec *spec, const PathRules *rules, bool follow, JobFiles *f, JsonErrors *errors) {
        if (spec->source.further_disks && endswith(f->source_path, ".ovf"))
                return path_refuse(errors, -EBADMSG, "source.further_disks", f->source_path,
                                "the OVF lists all disks");
        STRV_FOREACH(disk, spec->source.further_disks) {
                int r = add_further_disk(spec, rules, follow, *disk, f, errors);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Nothing can grow beside a block device. */
static int refuse_device_in_place(const char *path, JsonErrors *errors) {
        return path_refuse(errors, -EBADMSG, "destination", path,
                        "it is a block device, whose guest is changed in a copy only: give a destination");
}

static int add_source_file(
                const JobSpec *spec, const PathRules *rules, bool follow, JobFiles *f, JsonErrors *errors) {
        const char *path = spec->source.path;
        struct stat st;
        int r = path_resolve(rules, false, "source.path", path, follow, &f->source_path, &st, errors);

        if (r < 0)
                return r;
        if (S_ISBLK(st.st_mode)) {
                if (job_spec_is_in_place(spec))
                        return refuse_device_in_place(path, errors);
                if (path_is_device(path) && (r = free_and_strdup(&f->source_path, path)) < 0)
                        return r;
                r = add_device(f, "source.path", f->source_path, "r", errors);
                if (r >= 0)
                        r = job_files_note(f, f->source_path, &st);
                if (r >= 0)
                        r = strv_extend(&f->source_files, f->source_path);
                return r < 0 ? r : add_further_disks(spec, rules, follow, f, errors);
        }
        if (S_ISDIR(st.st_mode)) {
                r = use_ovf_of_directory(rules, f, &st, errors);
                if (r < 0)
                        return r;
        }
        if (!S_ISREG(st.st_mode))
                return path_refuse(errors, -EBADMSG, "source.path", path,
                                "it is neither a regular file nor a block device");
        r = job_files_note(f, f->source_path, &st);
        if (r >= 0)
                r = strv_extend(&f->source_files, f->source_path);
        if (r >= 0)
                r = source_chain_add(spec, rules, "source.path", f->source_path, f, errors);
        if (r >= 0)
                r = add_parallels_descriptor(spec, f->source_path, f);
        if (r >= 0)
                r = source_ovf_add(spec, rules, f, errors);
        if (r >= 0)
                r = add_further_disks(spec, rules, follow, f, errors);
        if (r >= 0)
                r = check_checksum(spec, f, errors);
        return r < 0 || !job_spec_is_in_place(spec) ? r : add_in_place(spec, rules, f, errors);
}

/* Only an administrator writes to block devices. What is on it is overwritten, as with an NBD server. */
static int add_destination_device(
                const JobSpec *spec, const PathRules *rules, JobFiles *f, JsonErrors *errors) {
        const char *path = spec->destination.path;
        _cleanup_free_ char *real = NULL;
        struct stat st;
        int r;

        if (rules->role < ROLE_ADMIN)
                return path_refuse_place("destination.path", path, true,
                                "only an administrator's job may write to a block device; others may be "
                                "given an NBD server that offers "
                                "it (type \"nbd\")",
                                errors);
        r = path_resolve(rules, true, "destination.path", path, true, &real, &st, errors);
        if (r < 0)
                return r == -ENOENT ? -EBADMSG : r;
        if (!S_ISBLK(st.st_mode))
                return path_refuse(errors, -EBADMSG, "destination.path", path, "it is not a block device");
        if (spec->destination.format != FORMAT_RAW)
                return path_refuse(errors, -EBADMSG, "destination.format",
                                strna(disk_format_to_string(spec->destination.format)),
                                "a block device holds a raw disk; set it to raw");
        r = job_files_note(f, path, &st);
        if (r < 0)
                return r;
        f->destination_path = strdup(path);
        return f->destination_path ? add_device(f, "destination.path", path, "rw", errors) : -ENOMEM;
}

/* "/srv/out" and the source "/mnt/web.vmdk" make "/srv/out/web.qcow2". */
static char *name_in_directory(const JobSpec *spec, const char *directory) {
        bool file = endpoint_needs(&spec->source, ENDPOINT_NEEDS_FILES);
        const char *machine = spec->source.vsphere.vm_path ? vsphere_file_name(spec->source.vsphere.vm_path)
                                                           : NULL,
                   *name = file   ? strrchr(spec->source.path, '/') + 1
                        : machine ? machine
                                  : "disk",
                   *dot = file ? strrchr(name, '.') : NULL;
        int length = dot && dot != name ? (int) (dot - name) : (int) strlen(name);

        return strprintf("%s/%.*s.%s", streq(directory, "/") ? "" : directory, length, name,
                        disk_format_to_string((DiskFormat) spec->destination.format));
}

static int set_destination(const JobSpec *spec, const PathRules *rules, const char *directory,
                const char *name, JobFiles *f, JsonErrors *errors) {
        const char *given = spec->destination.path;

        (void) free_and_strdup(&f->destination_path, NULL);
        f->destination_path = name ? strprintf("%s/%s", streq(directory, "/") ? "" : directory, name)
                                   : name_in_directory(spec, directory);
        if (!f->destination_path)
                return -ENOMEM;
        return path_check_place(rules, true, "destination.path", f->destination_path,
                        rules->role < ROLE_ADMIN ? given : f->destination_path, errors);
}

/* What programs that read a package find it by. */
static int check_package_name(const JobSpec *spec, const JobFiles *f, JsonErrors *errors) {
        const DiskFormatRow *format = disk_format(spec->destination.format);

        if (!(format->flags & FORMAT_IS_PACKAGE) ||
                        (int) disk_format_from_name(f->destination_path) == spec->destination.format)
                return 0;
        return path_refuse(errors, -EBADMSG, "destination.path", f->destination_path,
                        "the name of an OVA must end in .ova, that of an OVF in .ovf");
}

/* An existing directory takes the file. The one above it need not be permitted. */
static int use_directory(
                const JobSpec *spec, const PathRules *rules, bool follow, JobFiles *f, JsonErrors *errors) {
        _cleanup_free_ char *real = NULL;
        struct stat st;
        int r = path_resolve_directory(
                        rules, true, "destination.path", spec->destination.path, follow, &real, &st, errors);
        if (r >= 0)
                r = job_files_note_directories(rules, real, f);
        return r < 0 ? r : set_destination(spec, rules, real, NULL, f, errors);
}

/* The path of a directory that exists or can be made. */
static int resolve_new_directory(
                const PathRules *rules, const char *path, bool follow, char **ret_path, JsonErrors *errors) {
        _cleanup_(json_errors_done) JsonErrors missing = {};
        const char *why = NULL;
        struct stat st;
        int r = path_resolve(rules, true, "destination.path", path, follow, ret_path, &st, &missing);

        if (r >= 0 && !S_ISDIR(st.st_mode))
                return path_refuse(errors, -EBADMSG, "destination.path", path, "it is not a directory");
        if (r == -ENOENT) {
                r = path_resolve_missing(rules, path, follow, ret_path, &why);
                if (r == -EPERM)
                        return path_refuse_place("destination.path", path, true, why, errors);
                if (r == -EBADMSG)
                        return path_refuse(errors, r, "destination.path", path, why);
        }
        if (r >= 0 || r == -ENOMEM)
                return r;
        int k = json_errors_adopt(errors, "", &missing);
        if (k < 0)
                return k;
        return r == -ENOENT ? -EBADMSG : r; /* ENOENT is said of the source only */
}

/* The file in a directory that exists or can be made. */
static int use_name(
                const JobSpec *spec, const PathRules *rules, bool follow, JobFiles *f, JsonErrors *errors) {
        const char *path = spec->destination.path, *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = strndup(path, slash == path ? 1 : slash - path), *real = NULL;

        if (!directory)
                return -ENOMEM;
        int r = resolve_new_directory(rules, directory, follow, &real, errors);
        if (r >= 0)
                r = job_files_note_directories(rules, real, f);
        return r < 0 ? r : set_destination(spec, rules, real, slash + 1, f, errors);
}

static int add_destination_file(
                const JobSpec *spec, const PathRules *rules, bool follow, JobFiles *f, JsonErrors *errors) {
        const char *path = spec->destination.path;
        struct stat st;

        if (path_is_device(path))
                return add_destination_device(spec, rules, f, errors);
        /* (The name first, so that a refusal names what was given.) */
        int r = path_check_place(rules, true, "destination.path", path, path, errors);
        if (r < 0)
                return r;
        if (follow && lstat(path, &st) >= 0 && S_ISDIR(st.st_mode))
                r = use_directory(spec, rules, follow, f, errors);
        else
                r = use_name(spec, rules, follow, f, errors);
        if (r >= 0)
                r = check_package_name(spec, f, errors);
        if (r < 0)
                return r;
        f->part_dir = job_part_path(f->destination_path);
        if (!f->part_dir)
                return -ENOMEM;
        if (lstat(f->destination_path, &st) >= 0)
                return path_refuse(errors, -EBADMSG, "destination.path", f->destination_path,
                                "there is something under that name already, and it is not overwritten; "
                                "choose another name or move it away");
        return 0;
}

static void looking_at(const PathRules *rules, LookingAt at) {
        if (rules->at)
                __atomic_store_n(rules->at, at, __ATOMIC_RELAXED);
}

static int add_nbd_source(
                const JobSpec *spec, const PathRules *rules, bool follow, JobFiles *f, JsonErrors *errors) {
        return job_paths_add_nbd(rules, "source", &spec->source, f, errors);
}

/* Its names are resolved by the job, which logs in to it. */
static int add_vsphere_source(_unused_ const JobSpec *spec, _unused_ const PathRules *rules,
                _unused_ bool follow, JobFiles *f, _unused_ JsonErrors *errors) {
        f->network = true;
        return 0;
}

static int add_nbd_destination(
                const JobSpec *spec, const PathRules *rules, bool follow, JobFiles *f, JsonErrors *errors) {
        return job_paths_add_nbd(rules, "destination", &spec->destination, f, errors);
}

typedef int (*look_func)(
                const JobSpec *spec, const PathRules *rules, bool follow, JobFiles *f, JsonErrors *errors);

/* What each kind of endpoint needs of this machine. */
static const struct {
        look_func source, destination;
} looks[_ENDPOINT_MAX] = {
        [ENDPOINT_FILE] = { add_source_file, add_destination_file },
        [ENDPOINT_NBD] = { add_nbd_source, add_nbd_destination },
        [ENDPOINT_KVM] = { NULL, add_destination_file },
        [ENDPOINT_VSPHERE] = { .source = add_vsphere_source },
};

static int job_files_look(const JobSpec *spec, const PathRules *rules, bool follow, JobFiles *ret,
                JsonErrors *errors) {
        _cleanup_(job_files_done) JobFiles f = {};
        int r;

        if (!endpoint_kind(spec->source.type))
                return -EINVAL;
        looking_at(rules, LOOKING_AT_SOURCE);
        r = looks[spec->source.type].source(spec, rules, follow, &f, errors);
        if (r < 0)
                return r;
        looking_at(rules, LOOKING_AT_DESTINATION);
        if (job_spec_has_destination(spec))
                r = looks[spec->destination.type].destination(spec, rules, follow, &f, errors);
        if (r < 0)
                return r;
        *ret = f;
        f = (JobFiles){};
        return 0;
}

int job_files_resolve(const JobSpec *spec, const PathRules *rules, JobFiles *ret, JsonErrors *errors) {
        return job_files_look(spec, rules, true, ret, errors);
}

int job_files_check(const JobSpec *spec, const PathRules *rules, JobFiles *ret, JsonErrors *errors) {
        return job_files_look(spec, rules, false, ret, errors);
}
