/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connections to disks, through servers of our own or to somebody else's, and who is to blame when one
 * breaks. */

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/rights.h"
#include "basic/string-util.h"
#include "engine/endpoint-nbd.h"
#include "engine/nbd-connect.h"
#include "job/bound.h"
#include "job/connection.h"
#include "job/failure.h"
#include "job/image-files.h"
#include "spec/nbd-uri.h"
#include "json/json-table.h"

#define MANY_CONNECTIONS 0 /* the engine's choice */
#define PSK_MAX ((size_t) 8192)

void connection_done(Connection *c) {
        c->endpoint = endpoint_free(c->endpoint);
        c->servers = server_group_free(c->servers);
}

/* What nbd_set_tls_psk_file(3) and the URI must say for a pre-shared key. */
typedef struct Psk {
        char *file; /* "user:key"; removed with the struct. NULL: there is no key */
        char *uri; /* with the user in it */
} Psk;

static void psk_done(Psk *p) {
        if (p->file)
                (void) unlink(p->file);
        free(p->file);
        free(p->uri);
}

static int psk_write(Attempt *a, const char *role, const char *user, const char *key, Psk *p) {
        _cleanup_free_ char *line = strprintf("%s:%s\n", user, key);

        p->file = strprintf("%s/%s.psk", a->runtime, role);
        if (!line || !p->file)
                return -ENOMEM;
        int r = write_file_atomic_at(AT_FDCWD, p->file, line, strlen(line), 0600);
        explicit_bzero(line, strlen(line));
        return r;
}

/* Nothing that would mean something in a URI. */
static bool psk_user_is_plain(const char *user) {
        return *user &&
                        user[strspn(user,
                                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._"
                                        "-")] == 0;
}

/* The credential that the manager hands over, if there is one: the key, or "user:key" as psktool(1) writes
 * it. libnbd wants the user in the URI; without any name it is "hyper". */
static int psk_load(Attempt *a, const JobEndpoint *spec, const char *role, Psk *p) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_(nbd_uri_done) NbdUri uri = {};
        _cleanup_free_ char *path = NULL, *text = NULL, *why = NULL;

        if (isempty(directory))
                return 0;
        path = strprintf("%s/%s.tls_psk", directory, role);
        if (!path)
                return -ENOMEM;
        int r = read_file_at(AT_FDCWD, path, PSK_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = nbd_uri_parse(spec->uri, &uri, &why);
        if (r < 0)
                return r;
        text[strcspn(text, "\r\n")] = 0;
        char *colon = strchr(text, ':');
        if (colon)
                *colon = 0;
        const char *user = uri.user ? uri.user : colon ? text : "hyper";
        const char *rest = strstr(spec->uri, "://");
        r = rest && (uri.user || psk_user_is_plain(user))
                        ? psk_write(a, role, user, colon ? colon + 1 : text, p)
                        : -EINVAL;
        if (r >= 0 && !uri.user) {
                p->uri = strprintf("%.*s://%s@%s", (int) (rest - spec->uri), spec->uri, user, rest + 3);
                r = p->uri ? 0 : -ENOMEM;
        }
        explicit_bzero(text, strlen(text));
        if (colon)
                explicit_bzero(colon + 1, strlen(colon + 1));
        return r;
}

/* The socket and the certificates are those that the manager looked at. */
static int check_server_files(Attempt *a, const JobEndpoint *spec) {
        static const char *const names[] = { "ca-cert.pem", "ca-crl.pem", "client-cert.pem",
                "client-key.pem" };
        _cleanup_(nbd_uri_done) NbdUri uri = {};
        _cleanup_free_ char *why = NULL;
        int r = nbd_uri_parse(spec->uri, &uri, &why);

        if (r >= 0 && uri.socket)
                r = bound_check_path(a, uri.socket, "connection_failed");
        for (size_t i = 0; r >= 0 && spec->tls_certificates && i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = strprintf("%s/%s", spec->tls_certificates, names[i]);

                r = path ? bound_check_path(a, path, "failed") : -ENOMEM;
        }
        return r;
}

int connect_nbd(Attempt *a, const JobEndpoint *spec, const char *role, unsigned flags, Endpoint **ret) {
        _cleanup_(psk_done) Psk psk = {};
        _cleanup_free_ char *why = NULL;

        int r = psk_load(a, spec, role, &psk);
        if (r < 0)
                return attempt_fail(a, r, "failed", "Reading the pre-shared key for the %s failed: %s", role,
                                strerror(-r));
        char *const uris[] = { psk.uri ? psk.uri : spec->uri, NULL };
        NbdOptions options = {
                .uris = uris,
                .connections = MANY_CONNECTIONS,
                .flags = flags,
                .tls_certificates = spec->tls_certificates,
                .tls_psk_file = psk.file,
                .cancel_fd = a->cancel_fd,
                .label = role,
        };
        r = check_server_files(a, spec);
        if (r < 0)
                return r;
        rights_raise((spec->tls_certificates ? RIGHTS_READ : 0) | RIGHTS_WRITE);
        r = endpoint_nbd_new(&options, ret, &why);
        rights_lower();
        if (r >= 0)
                return 0;
        const char *code = failure_code_from_errno(r);
        /* Whatever else a network says may pass; a file that is "missing" is not ours. */
        if (streq(code, "failed") || streq(code, "source_missing"))
                code = "connection_failed";
        return attempt_fail(a, r, code, "Connecting to the %s server failed: %s", role,
                        why ? why : strerror(-r));
}

static int server_fail(Attempt *a, int error, const char *label, const char *why) {
        if (why && strstr(why, "Failed to get") && strstr(why, "lock"))
                return attempt_fail(a, error, "source_in_use",
                                "%s is in use by another process, perhaps a running virtual machine: %s",
                                label, why);
        switch (error) {
        case -ECANCELED:
                return error;
        case -ENOENT:
                return attempt_fail(a, error, "program_missing",
                                "qemu-nbd was not found: install the package qemu-utils");
        case -ESRCH:
                return attempt_fail(a, error, "server_died", "The server for %s ended at its start: %s",
                                label, strna(why));
        default:
                return attempt_fail(a, error, NULL, "Starting the server for %s failed: %s", label,
                                strerror(-error));
        }
}

static int start_servers(Attempt *a, const Image *image, bool writable, unsigned n, const char *label,
                ServerGroup **ret) {
        _cleanup_json_ json_t *options = image_disk_options(image);
        _cleanup_parser_files_ ParserFiles files = {};
        _cleanup_free_ char *said = NULL;

        if (!options)
                return -ENOMEM;
        int r = image_files(image, writable,
                        writable ? (image->device ? RIGHTS_WRITE : 0) : attempt_parser_rights(a), &files);
        if (r < 0)
                return r;
        r = server_group_start(options, &files, n, writable, a->runtime, a->cancel_fd, ret, &said);
        return r < 0 ? server_fail(a, r, label, said) : 0;
}

int serve_image(Attempt *a, const Image *image, ServerGroup **ret) {
        return start_servers(a, image, false, 1, image->label, ret);
}

int connect_image(Attempt *a, const Image *image, bool writable, unsigned flags, const char *label,
                Connection *ret) {
        _cleanup_connection_ Connection c = {};
        _cleanup_free_ char *why = NULL;

        int r = start_servers(a, image, writable, writable ? 1 : servers_for_reading(), label, &c.servers);
        if (r < 0)
                return r;
        NbdOptions nbd = {
                .uris = server_group_sockets(c.servers),
                /* One connection keeps writes in their order, which a stream VMDK needs. */
                .connections = writable ? 1 : MANY_CONNECTIONS,
                .flags = flags,
                .cancel_fd = a->cancel_fd,
                .label = label,
        };
        r = endpoint_nbd_new(&nbd, &c.endpoint, &why);
        if (r < 0)
                return connection_fail(a, &c, NULL, r, "Opening the image", why);
        *ret = c;
        c = (Connection){};
        return 0;
}

/* What a local server says about an error of its image. */
static int image_error_fail(Attempt *a, const Connection *c, const char *what, const char *said) {
        const char *label = c->endpoint ? c->endpoint->label : "the image";
        /* The latter is what qemu says of data that cannot be decompressed. */
        bool damaged = strstr(said, "orrupt") || strstr(said, "reading from file failed: Invalid argument");

        return attempt_fail(a, damaged ? EBADMSG : EIO, damaged ? "image_damaged" : "io_error",
                        "%s failed: %sthe server for %s reports: %s", what,
                        damaged ? "data in the image are damaged: " : "", label, said);
}

int connection_fail(Attempt *attempt, Connection *a, Connection *b, int error, const char *what,
                const char *text) {
        Connection *const both[] = { a, b };
        bool lost = streq(failure_code_from_errno(error), "connection_failed");

        if (error == -ECANCELED)
                return error;
        for (size_t i = 0; i < ELEMENTSOF(both); i++) {
                if (!both[i] || !both[i]->servers)
                        continue;
                _cleanup_free_ char *dead = server_group_obituary(both[i]->servers, lost);
                if (dead)
                        return attempt_fail(attempt, error, "server_died",
                                        "%s failed: the server for %s has died: %s", what,
                                        both[i]->endpoint ? both[i]->endpoint->label : "the image", dead);
        }
        /* A server that cannot read its image hangs up or says EIO; the reason is on its standard error
         * only. */
        for (size_t i = 0; i < ELEMENTSOF(both); i++) {
                bool failed = both[i] && both[i]->servers &&
                                (!both[i]->endpoint || !isempty(endpoint_error(both[i]->endpoint)));
                _cleanup_free_ char *said = failed && (lost || error == -EIO || error == -EINVAL)
                                ? server_group_complaint(both[i]->servers)
                                : NULL;
                if (said)
                        return image_error_fail(attempt, both[i], what, said);
        }
        return attempt_fail(attempt, error, NULL, "%s failed: %s", what,
                        isempty(text) ? strerror(-error) : text);
}
