/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "manager/source-files.h"
#include "shared/nbd-uri.h"
#include "shared/vmdk-descriptor.h"

/* Where disk images are not, but much that must not be read or overwritten through a job. The longest entry
 * that a path lies below decides. */
static const struct {
        const char *prefix;
        const char *refusal; /* NULL: allowed again */
} places[] = {
        { "/bin", "programs of the system are there" },
        { "/boot", "the kernel and its loader are there" },
        { "/dev", "devices are not image files" },
        { "/etc", "the system's configuration and keys are there" },
        { "/lib", "programs of the system are there" },
        { "/lib32", "programs of the system are there" },
        { "/lib64", "programs of the system are there" },
        { "/libx32", "programs of the system are there" },
        { "/lost+found", "it belongs to the file system" },
        { "/proc", "it is the kernel's" },
        { "/sbin", "programs of the system are there" },
        { "/sys", "it is the kernel's" },
        { "/usr", "programs of the system are there" },
        /* Sockets, secrets and state of running services; media that a person plugged in are not. */
        { "/run", "running services keep their state there" },
        { "/run/media", NULL },
        { "/run/mount", NULL },
        /* Databases, spools, logs, and our own files, except where disk images are kept. */
        { "/var", "services keep their data there" },
        { "/var/home", NULL }, /* where /home is on image-based systems */
        { "/var/lib/glance/images", NULL },
        { "/var/lib/libvirt", NULL },
        { "/var/lib/libvirt/secrets", "libvirt's secrets are there" },
        { "/var/lib/machines", NULL },
        { "/var/lib/nova/instances", NULL },
        { "/var/lib/portables", NULL },
        { "/var/lib/vz", NULL },
        { "/var/local", NULL },
        { "/var/mnt", NULL },
        { "/var/opt", NULL },
        { "/var/srv", NULL },
        { "/var/tmp", NULL },
        { "/var/www", NULL },
};

/* Folders with keys, wherever they are. */
static const char *const private_names[] = { ".ssh", ".gnupg", ".pki" };

void job_files_done(JobFiles *f) {
        free(f->source_path);
        strv_free(f->source_files);
        free(f->destination_path);
        free(f->part_dir);
        strv_free(f->sockets);
        strv_free(f->tls_directories);
        *f = (JobFiles){};
}

/* True if @path is @prefix or lies below it. */
static bool path_is_below(const char *path, const char *prefix) {
        size_t n = strlen(prefix);

        while (n > 0 && prefix[n - 1] == '/')
                n--;
        return strncmp(path, prefix, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* The folders of the configuration may be links themselves: paths are compared by where they lead. */
static bool path_is_below_any(const char *path, char *const *folders) {
        STRV_FOREACH(folder, folders) {
                _cleanup_free_ char *real = realpath(*folder, NULL);

                if (path_is_below(path, real ? real : *folder))
                        return true;
        }
        return false;
}

static bool is_part_folder(const char *name, size_t n) {
        size_t suffix = strlen(JOB_PART_SUFFIX);

        return n > suffix && name[0] == '.' && memcmp(name + n - suffix, JOB_PART_SUFFIX, suffix) == 0;
}

static const char *component_refusal(const char *path) {
        for (const char *p = path; *p;) {
                p += strspn(p, "/");
                size_t n = strcspn(p, "/");

                for (size_t i = 0; i < ELEMENTSOF(private_names); i++)
                        if (n == strlen(private_names[i]) && strncmp(p, private_names[i], n) == 0)
                                return "keys are kept there";
                if (is_part_folder(p, n))
                        return "a job keeps its unfinished output there";
                p += n;
        }
        return NULL;
}

const char *path_refusal(const char *path, bool destination, const Settings *settings) {
        const char *refusal = NULL;
        size_t longest = 0;

        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                if (strlen(places[i].prefix) > longest && path_is_below(path, places[i].prefix)) {
                        longest = strlen(places[i].prefix);
                        refusal = places[i].refusal;
                }
        if (!refusal)
                refusal = component_refusal(path);
        if (!refusal && settings) {
                char *const *allowed =
                                destination ? settings->jobs.destination_paths : settings->jobs.source_paths;

                if (strv_length(allowed) > 0 && !path_is_below_any(path, allowed))
                        refusal = destination ? "it is not below any of jobs.destination_paths"
                                              : "it is not below any of jobs.source_paths";
        }
        return refusal;
}

/* Sets *ret_error to "FIELD: PATH: TEXT" and returns @r. */
static int refuse(char **ret_error, int r, const char *field, const char *path, const char *text) {
        char *error = strprintf("%s: %s: %s", field, path, text);

        if (!error)
                return -ENOMEM;
        *ret_error = error;
        return r;
}

/* Opens @path as a handle only: nothing is read, no device or FIFO waits. */
static int open_handle(const char *path, bool follow) {
        struct open_how how = {
                .flags = O_PATH | O_CLOEXEC,
                .resolve = RESOLVE_NO_MAGICLINKS | (follow ? 0 : RESOLVE_NO_SYMLINKS),
        };
        int fd = (int) syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

        return fd < 0 ? -errno : fd;
}

static int handle_path(int fd, char **ret) {
        char link[64], path[PATH_MAX];

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, sizeof(path));
        if (n < 0)
                return -errno;
        if ((size_t) n >= sizeof(path))
                return -ENAMETOOLONG;
        char *copy = strndup(path, n);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

/* Opens what a spec's field names and gives its path without symlinks. */
static int resolve(const char *field, const char *path, bool follow, mode_t type, const char *type_text,
                char **ret_path, char **ret_error) {
        _cleanup_close_ int fd = open_handle(path, follow);
        _cleanup_free_ char *real = NULL;
        struct stat st;

        if (fd == -ENOENT || fd == -ENOTDIR)
                return refuse(ret_error, -ENOENT, field, path, "there is no such file or folder");
        if (fd == -ELOOP)
                return refuse(ret_error, -EBADMSG, field, path,
                                follow ? "its symbolic links lead nowhere"
                                       : "a symbolic link was put into it since the job was submitted");
        if (fd < 0)
                return refuse(ret_error, -EBADMSG, field, path, strerror(-fd));
        if (fstat(fd, &st) < 0)
                return refuse(ret_error, -EBADMSG, field, path, strerror(errno));
        if ((st.st_mode & S_IFMT) != type)
                return refuse(ret_error, -EBADMSG, field, path, type_text);
        int r = handle_path(fd, &real);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(ret_error, -EBADMSG, field, path, strerror(-r));
        *ret_path = TAKE_PTR(real);
        return 0;
}

static int check_place(const char *field, const char *path, bool destination, const Settings *settings,
                char **ret_error) {
        const char *refusal = path_refusal(path, destination, settings);
        _cleanup_free_ char *text = NULL;

        if (!refusal)
                return 0;
        text = strprintf("%s may not be here: %s", destination ? "a destination" : "a source", refusal);
        if (!text)
                return -ENOMEM;
        return refuse(ret_error, -EPERM, field, path, text);
}

/* The first bytes of the image; a file that is shorter gives fewer. */
static int read_head(const char *path, char **ret, size_t *ret_size) {
        struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                .resolve = RESOLVE_NO_SYMLINKS };
        _cleanup_close_ int fd = (int) syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
        _cleanup_free_ char *buffer = malloc(VMDK_DESCRIPTOR_MAX + 1);

        if (fd < 0)
                return -errno;
        if (!buffer)
                return -ENOMEM;
        ssize_t n = pread(fd, buffer, VMDK_DESCRIPTOR_MAX, 0);
        if (n < 0)
                return -errno;
        buffer[n] = '\0';
        *ret_size = n;
        *ret = TAKE_PTR(buffer);
        return 0;
}

/* One extent of a split disk: a plain file beside the descriptor, and no link to another place. */
static int add_extent(JobFiles *f, const char *name, char **ret_error) {
        const char *slash = strrchr(f->source_path, '/');
        _cleanup_free_ char *path = NULL, *text = NULL;
        struct stat st;

        if (!vmdk_extent_name_is_plain(name)) {
                text = strdup("its descriptor names an extent that is not a plain file beside it");
                return text ? refuse(ret_error, -EBADMSG, "source.path", f->source_path, text) : -ENOMEM;
        }
        path = strprintf("%.*s/%s", (int) (slash - f->source_path), f->source_path, name);
        if (!path)
                return -ENOMEM;
        if (lstat(path, &st) < 0)
                text = strprintf("its extent %s cannot be used: %s", name, strerror(errno));
        else if (!S_ISREG(st.st_mode))
                text = strprintf("its extent %s is not a regular file", name);
        else if (strv_contains(f->source_files, path))
                return 0;
        else
                return strv_consume(&f->source_files, TAKE_PTR(path));
        return text ? refuse(ret_error, -EBADMSG, "source.path", f->source_path, text) : -ENOMEM;
}

static int add_extents(const JobSpec *spec, JobFiles *f, char **ret_error) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        _cleanup_free_ char *head = NULL, *why = NULL;
        _cleanup_strv_free_ char **names = NULL;
        size_t size = 0;
        int r;

        /* To a raw disk its first bytes are the guest's business. */
        if (spec->source.format != FORMAT_PROBE && spec->source.format != FORMAT_VMDK)
                return 0;
        r = read_head(f->source_path, &head, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(ret_error, -EBADMSG, "source.path", f->source_path, strerror(-r));
        if (!vmdk_is_descriptor(head, size))
                return 0;

        r = vmdk_descriptor_parse(head, size, &d, &why);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(ret_error, -EBADMSG, "source.path", f->source_path,
                                why ? why : "its descriptor makes no sense");
        if (vmdk_descriptor_has_parent(&d))
                return refuse(ret_error, -EBADMSG, "source.path", f->source_path,
                                "it is a snapshot that needs its parent disk; consolidate the snapshots first");
        r = vmdk_descriptor_files(&d, &names);
        if (r < 0)
                return r;
        STRV_FOREACH(name, names) {
                r = add_extent(f, *name, ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_source_file(
                const JobSpec *spec, const Settings *settings, bool follow, JobFiles *f, char **ret_error) {
        int r;

        if ((r = resolve("source.path", spec->source.path, follow, S_IFREG, "it is not a regular file",
                             &f->source_path, ret_error)) < 0 ||
                        (r = check_place("source.path", f->source_path, false, settings, ret_error)) < 0 ||
                        (r = strv_extend(&f->source_files, f->source_path)) < 0)
                return r;
        return add_extents(spec, f, ret_error);
}

static int add_destination_file(
                const JobSpec *spec, const Settings *settings, bool follow, JobFiles *f, char **ret_error) {
        const char *path = spec->destination.path, *slash = strrchr(path, '/');
        _cleanup_free_ char *folder = strndup(path, slash == path ? 1 : slash - path), *real = NULL;
        struct stat st;
        int r;

        if (!folder)
                return -ENOMEM;
        r = resolve("destination.path", folder, follow, S_IFDIR, "it is not a folder", &real, ret_error);
        if (r < 0)
                return r == -ENOENT ? -EBADMSG : r; /* ENOENT is said of the source only */
        f->destination_path = strprintf("%s/%s", streq(real, "/") ? "" : real, slash + 1);
        if (!f->destination_path)
                return -ENOMEM;
        f->part_dir = job_part_path(f->destination_path);
        if (!f->part_dir)
                return -ENOMEM;
        r = check_place("destination.path", f->destination_path, true, settings, ret_error);
        if (r < 0)
                return r;
        if (lstat(f->destination_path, &st) >= 0)
                return refuse(ret_error, -EBADMSG, "destination.path", f->destination_path,
                                "there is something under that name already, and it is not overwritten; choose another name or move it away");
        return 0;
}

/* Sockets of services are in /run, where images are not: there, only what other services talk through is out
 * of reach. */
static const char *socket_refusal(const char *path) {
        static const char *const services[] = { "/run/systemd", "/run/dbus", "/run/user", "/run/udev",
                "/run/credentials", "/run/docker.sock", "/run/containerd", "/run/hyper", "/run/libvirt",
                "/run/polkit" };

        for (size_t i = 0; i < ELEMENTSOF(services); i++)
                if (path_is_below(path, services[i]))
                        return "a source or destination may not be here: another service listens there";
        if (path_is_below(path, "/run"))
                return NULL;
        return path_refusal(path, false, NULL);
}

/* The server may come later than the job: its socket need not be there yet. But its folder must be. */
static int add_socket(const char *field, const char *path, JobFiles *f, char **ret_error) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *folder = strndup(path, slash == path ? 1 : slash - path), *real = NULL,
                            *full = NULL;
        struct stat st;

        if (!folder)
                return -ENOMEM;
        int r = resolve(field, folder, true, S_IFDIR, "it is not a folder", &real, ret_error);
        if (r < 0)
                return r == -ENOENT ? -EBADMSG : r;
        full = strprintf("%s/%s", streq(real, "/") ? "" : real, slash + 1);
        if (!full)
                return -ENOMEM;
        const char *refusal = socket_refusal(full);
        if (refusal)
                return refuse(ret_error, -EPERM, field, full, refusal);
        if (lstat(full, &st) >= 0 && !S_ISSOCK(st.st_mode))
                return refuse(ret_error, -EBADMSG, field, full, "it is not a socket");
        /* hyper-job connects to the path that the URI has, so that is the one to be bound; only a path that
         * leads there without a link can be. */
        if (!streq(full, path))
                return refuse(ret_error, -EBADMSG, field, path,
                                "the way to the socket has symbolic links in it; give the path without them");
        return strv_consume(&f->sockets, TAKE_PTR(full));
}

/* All of the folder is shown to the job, so it must be one that is made for this. */
static int add_tls_directory(const char *field, const char *path, JobFiles *f, char **ret_error) {
        _cleanup_free_ char *folder = NULL, *ca = NULL;
        int r = resolve(field, path, true, S_IFDIR, "it is not a folder", &folder, ret_error);

        if (r < 0)
                return r == -ENOENT ? -EBADMSG : r;
        ca = strprintf("%s/ca-cert.pem", folder);
        if (!ca)
                return -ENOMEM;
        if (access(ca, F_OK) < 0)
                return refuse(ret_error, -EBADMSG, field, folder, "there is no ca-cert.pem in it");
        if (!streq(folder, path))
                return refuse(ret_error, -EBADMSG, field, path,
                                "the way to it has symbolic links in it; give the path without them");
        return strv_consume(&f->tls_directories, TAKE_PTR(folder));
}

static int add_nbd(const char *name, const JobEndpoint *e, JobFiles *f, char **ret_error) {
        _cleanup_free_ char *uri_field = strprintf("%s.uri", name),
                            *tls_field = strprintf("%s.tls_certificates", name), *why = NULL;
        _cleanup_(nbd_uri_done) NbdUri uri = {};
        int r;

        if (!uri_field || !tls_field)
                return -ENOMEM;
        r = nbd_uri_parse(e->uri, &uri, &why);
        if (r == -EINVAL)
                return refuse(ret_error, -EBADMSG, uri_field, "the URI", why ? why : "makes no sense");
        if (r < 0)
                return r;
        if (uri.socket)
                r = add_socket(uri_field, uri.socket, f, ret_error);
        else
                f->network = true;
        if (r >= 0 && e->tls_certificates)
                r = add_tls_directory(tls_field, e->tls_certificates, f, ret_error);
        return r;
}

static int job_files_look(const JobSpec *spec, const Settings *settings, bool follow, JobFiles *ret,
                char **ret_error) {
        _cleanup_(job_files_done) JobFiles f = {};
        int r;

        if (spec->source.type == ENDPOINT_FILE)
                r = add_source_file(spec, settings, follow, &f, ret_error);
        else
                r = add_nbd("source", &spec->source, &f, ret_error);
        if (r < 0)
                return r;
        if (spec->destination.type == ENDPOINT_FILE)
                r = add_destination_file(spec, settings, follow, &f, ret_error);
        else if (spec->destination.type == ENDPOINT_NBD)
                r = add_nbd("destination", &spec->destination, &f, ret_error);
        if (r < 0)
                return r;
        *ret = f;
        f = (JobFiles){};
        return 0;
}

int job_files_resolve(const JobSpec *spec, const Settings *settings, JobFiles *ret, char **ret_error) {
        return job_files_look(spec, settings, true, ret, ret_error);
}

int job_files_check(const JobSpec *spec, const Settings *settings, JobFiles *ret, char **ret_error) {
        return job_files_look(spec, settings, false, ret, ret_error);
}
