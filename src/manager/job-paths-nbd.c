/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-paths-nbd.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "manager/path-look.h"
#include "spec/nbd-uri.h"

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
        return path_refusal(path, false);
}

/* An operator's is by the same rules as files; an administrator's may be in /run besides. */
static int resolve_socket_directory(const PathRules *rules, bool destination, const char *field,
                const char *path, const char *directory, char **ret, JsonErrors *errors) {
        if (rules->role < ROLE_ADMIN) {
                struct stat st;
                int r = path_check_place(rules, destination, field, path, path, errors);

                return r < 0 ? r
                             : path_resolve_directory(
                                               rules, destination, field, directory, true, ret, &st, errors);
        }
        const char *refusal = socket_refusal(path);
        _cleanup_free_ char *text = NULL;

        if (refusal)
                return path_refuse(errors, -EPERM, field, path, refusal);
        *ret = realpath(directory, NULL);
        if (*ret)
                return 0;
        text = strprintf("its directory cannot be used: %s", strerror(errno));
        return text ? path_refuse(errors, -EBADMSG, field, path, text) : -ENOMEM;
}

/* The server may come later than the job: its socket need not be there yet. But its directory must be. */
static int add_socket(const PathRules *rules, bool destination, const char *field, const char *path,
                JobFiles *f, JsonErrors *errors) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = strndup(path, slash == path ? 1 : slash - path), *real = NULL,
                            *full = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (!directory)
                return -ENOMEM;
        int r = resolve_socket_directory(rules, destination, field, path, directory, &real, errors);
        if (r < 0)
                return r;
        full = strprintf("%s/%s", streq(real, "/") ? "" : real, slash + 1);
        if (!full)
                return -ENOMEM;
        const char *refusal = socket_refusal(full);
        if (refusal)
                return path_refuse(errors, -EPERM, field, full, refusal);
        fd = path_open_handle(full);
        if (fd >= 0 && fstat(fd, &st) < 0)
                return -errno;
        if (fd == -ELOOP || (fd >= 0 && !S_ISSOCK(st.st_mode)))
                return path_refuse(errors, -EBADMSG, field, full, "it is not a socket");
        if (fd >= 0 && (r = job_files_note(f, full, &st)) < 0)
                return r;
        /* hyper-job connects to the path that the URI has, so that is the one to be bound; only a path that
         * leads there without a link can be. */
        if (!streq(full, path))
                return path_refuse(errors, -EBADMSG, field, path,
                                "the way to the socket has symbolic links in it; give the path without "
                                "them");
        return strv_consume(&f->sockets, TAKE_PTR(full));
}

/* Where certificates usually are, although nothing else there may be used. */
static bool is_certificate_directory(const char *path) {
        return path_is_below(path, "/etc/pki") || path_is_below(path, "/etc/hyper");
}

static int resolve_tls_directory(const PathRules *rules, bool destination, const char *field,
                const char *path, char **ret, JsonErrors *errors) {
        _cleanup_free_ char *real = NULL;

        if (rules->role < ROLE_ADMIN || !is_certificate_directory(path)) {
                struct stat st;
                return path_resolve_directory(rules, destination, field, path, true, ret, &st, errors);
        }
        real = realpath(path, NULL);
        if (!real)
                return path_refuse(errors, -EBADMSG, field, path, "there is no such directory");
        if (!is_certificate_directory(real))
                return path_refuse(errors, -EPERM, field, path,
                                "it leads out of the directory for certificates");
        *ret = TAKE_PTR(real);
        return 0;
}

/* One of the files that nbd_set_tls_certificates(3) reads in its directory. 0 also if it is not there. */
static int add_tls_file(JobFiles *f, const char *field, const char *directory, const char *name,
                JsonErrors *errors) {
        _cleanup_free_ char *path = strprintf("%s/%s", directory, name);
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (!path)
                return -ENOMEM;
        fd = path_open_handle(path);
        if (fd == -ENOENT || strv_contains(f->tls_files, path))
                return 0;
        if (fd == -ELOOP)
                return path_refuse(errors, -EBADMSG, field, path,
                                "it is a symbolic link; put the file itself there");
        if (fd < 0 || fstat(fd, &st) < 0)
                return path_refuse(errors, -EBADMSG, field, path, strerror(fd < 0 ? -fd : errno));
        if (!S_ISREG(st.st_mode))
                return path_refuse(errors, -EBADMSG, field, path, "it is not a regular file");
        int r = job_files_note(f, path, &st);
        return r < 0 ? r : strv_consume(&f->tls_files, TAKE_PTR(path));
}

/* The job is shown the files that are known, not the directory. */
static int add_tls_directory(const PathRules *rules, bool destination, const char *field, const char *path,
                JobFiles *f, JsonErrors *errors) {
        static const char *const names[] = { "ca-cert.pem", "ca-crl.pem", "client-cert.pem",
                "client-key.pem" };
        _cleanup_free_ char *directory = NULL, *ca = NULL;
        int r = resolve_tls_directory(rules, destination, field, path, &directory, errors);

        if (r < 0)
                return r;
        ca = strprintf("%s/%s", directory, names[0]);
        if (!ca)
                return -ENOMEM;
        if (access(ca, F_OK) < 0)
                return path_refuse(errors, -EBADMSG, field, directory, "there is no ca-cert.pem in it");
        if (!streq(directory, path))
                return path_refuse(errors, -EBADMSG, field, path,
                                "the way to it has symbolic links in it; give the path without them");
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                r = add_tls_file(f, field, directory, names[i], errors);
                if (r < 0)
                        return r;
        }
        return 0;
}

int job_paths_add_nbd(const PathRules *rules, const char *name, const JobEndpoint *e, JobFiles *f,
                JsonErrors *errors) {
        bool destination = streq(name, "destination");
        _cleanup_free_ char *uri_field = strprintf("%s.uri", name),
                            *tls_field = strprintf("%s.tls_certificates", name), *why = NULL;
        _cleanup_(nbd_uri_done) NbdUri uri = {};
        int r;

        if (!uri_field || !tls_field)
                return -ENOMEM;
        r = nbd_uri_parse(e->uri, &uri, &why);
        if (r == -EINVAL)
                return path_refuse(errors, -EBADMSG, uri_field, "the URI", why ? why : "is malformed");
        if (r < 0)
                return r;
        if (uri.socket)
                r = add_socket(rules, destination, uri_field, uri.socket, f, errors);
        else
                f->network = true;
        if (r >= 0 && e->tls_certificates)
                r = add_tls_directory(rules, destination, tls_field, e->tls_certificates, f, errors);
        return r;
}
