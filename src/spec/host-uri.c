/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/host-uri.h"
#include <stdio.h>

#include "basic/string-util.h"
#include "basic/utf8.h"

#define URI_MAX 1024
#define PATH_MAX_SIZE 256

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

bool host_id_is_valid(const char *id) {
        size_t n = strlen(id);

        return n >= 1 && n <= HOST_ID_MAX && utf8_is_valid(id) && !utf8_has_control(id) && !strchr(id, '/');
}

/* --- in parts -------------------------------------------------------------------------------------- */

/* Where the parts of SCHEME://[USERINFO@]HOST[:PORT][/PATH][?QUERY] begin and how long they are. */
typedef struct Parts {
        const char *scheme, *userinfo, *host, *path, *query;
        size_t scheme_size, userinfo_size, host_size, path_size;
} Parts;

static bool split(const char *uri, Parts *ret) {
        Parts p = { .scheme = uri };
        const char *authority, *end, *at;

        authority = strstr(uri, "://");
        if (!authority)
                return false;
        p.scheme_size = (size_t) (authority - uri);
        authority += 3;
        end = authority + strcspn(authority, "/?#");
        at = memrchr(authority, '@', (size_t) (end - authority));
        if (at) {
                p.userinfo = authority;
                p.userinfo_size = (size_t) (at - authority);
                authority = at + 1;
        }
        p.host = authority;
        p.host_size = (size_t) (end - authority);
        p.path = end;
        p.path_size = strcspn(end, "?");
        if (end[p.path_size] == '?')
                p.query = end + p.path_size + 1;
        *ret = p;
        return true;
}

static bool is_text(const char *s, size_t n, const char *text) {
        return n == strlen(text) && memcmp(s, text, n) == 0;
}

static bool is_made_of(const char *s, size_t n, const char *characters) {
        for (size_t i = 0; i < n; i++)
                if (!s[i] || !strchr(characters, s[i]))
                        return false;
        return true;
}

/* --- what is allowed ------------------------------------------------------------------------------- */

/* Each reads its part of @p. NULL, or what is wrong. */

static const char *read_scheme(const Parts *p, bool allow_test, HostUri *u) {
        static const struct {
                const char *scheme;
                HostTransport transport;
        } schemes[] = {
                { "qemu", TRANSPORT_LOCAL },
                { "qemu+ssh", TRANSPORT_SSH },
                { "qemu+tls", TRANSPORT_TLS },
                { "test", TRANSPORT_TEST },
        };

        for (size_t i = 0; i < ELEMENTSOF(schemes); i++)
                if (is_text(p->scheme, p->scheme_size, schemes[i].scheme)) {
                        u->transport = schemes[i].transport;
                        return u->transport == TRANSPORT_TEST && !allow_test
                                        ? "must not be a test host; hosts.allow_test in the configuration "
                                          "allows them"
                                        : NULL;
                }
        return "must begin with qemu:///, qemu+ssh:// or qemu+tls://";
}

static const char *read_user(const Parts *p, HostUri *u) {
        if (!p->userinfo)
                return NULL;
        if (memchr(p->userinfo, ':', p->userinfo_size))
                return "must not hold a password: hosts are reached with keys or certificates";
        if (u->transport != TRANSPORT_SSH)
                return "must have a user with qemu+ssh only";
        if (p->userinfo_size == 0 || p->userinfo[0] == '-' ||
                        !is_made_of(p->userinfo, p->userinfo_size, LETTERS DIGITS "._-+@"))
                return "must have a user of letters, digits, \".\", \"_\", \"-\", \"+\" and \"@\" that does "
                       "not begin with a "
                       "dash";
        u->user = p->userinfo;
        u->user_size = p->userinfo_size;
        return NULL;
}

static const char *read_port(const char *s, size_t n, HostUri *u) {
        if (n == 0)
                return NULL;
        for (size_t i = 1; i < n && n <= 6; i++)
                u->port = u->port * 10 + (unsigned) (s[i] - '0');
        return s[0] == ':' && is_made_of(s + 1, n - 1, DIGITS) && u->port >= 1 && u->port <= UINT16_MAX
                        ? NULL
                        : "must have a port of 1 to 65535 behind the machine";
}

static const char *read_host(const Parts *p, HostUri *u) {
        static const char wrong[] = "must have a machine's name of letters, digits, \".\", \"_\" and \"-\" "
                                    "that does not begin "
                                    "with a dash, or its address";
        const char *bracket =
                        p->host_size > 0 && p->host[0] == '[' ? memchr(p->host, ']', p->host_size) : NULL;
        size_t n;

        if (u->transport == TRANSPORT_LOCAL || u->transport == TRANSPORT_TEST)
                return p->host_size == 0 ? NULL : "must name another machine with qemu+ssh or qemu+tls";
        if (bracket) {
                n = (size_t) (bracket - p->host) + 1;
                if (n < 4 || !is_made_of(p->host + 1, n - 2, DIGITS "abcdefABCDEF:."))
                        return wrong;
        } else {
                const char *colon = memchr(p->host, ':', p->host_size);

                n = colon ? (size_t) (colon - p->host) : p->host_size;
                if (n == 0 || p->host[0] == '-' || !is_made_of(p->host, n, LETTERS DIGITS "._-"))
                        return wrong;
        }
        u->host = p->host;
        u->host_size = n;
        return read_port(p->host + n, p->host_size - n, u);
}

static const char *read_path(const Parts *p, HostUri *u) {
        u->path = p->path;
        u->path_size = p->path_size;
        if (is_text(p->path, p->path_size, "/system"))
                return u->transport == TRANSPORT_TEST ? "must be test:///default or the file of a test host"
                                                      : NULL;
        switch (u->transport) {
        case TRANSPORT_SSH:
        case TRANSPORT_TLS:
                return is_text(p->path, p->path_size, "/session") ? NULL
                                                                  : "must end with /system or /session";
        case TRANSPORT_TEST:
                return p->path_size > 1 && p->path_size <= PATH_MAX_SIZE && p->path[0] == '/' &&
                                                is_made_of(p->path, p->path_size, LETTERS DIGITS "/._-")
                                ? NULL
                                : "must have a path of letters, digits, \"/\", \".\", \"_\" and \"-\"";
        default:
                return "must end with /system";
        }
}

/* All else that libvirt knows names programs, files, sockets, or other URIs. */
static const char *read_query(const Parts *p, HostUri *u) {
        if (!p->query)
                return NULL;
        if (!streq(p->query, "no_verify=1"))
                return "must have no parameter but no_verify=1; keys, certificates and the way to a host "
                       "are set for "
                       "hyper-hostd as a whole, see hyper-hostd(8)";
        if (u->transport != TRANSPORT_SSH && u->transport != TRANSPORT_TLS)
                return "must have no_verify=1 with qemu+ssh and qemu+tls only";
        u->no_verify = true;
        return NULL;
}

int host_uri_parse(const char *uri, bool allow_test, HostUri *ret, const char **ret_why) {
        const char *why = NULL;
        HostUri u = {};
        Parts p;

        if (strlen(uri) > URI_MAX)
                why = "must have 1024 characters at most";
        else if (!split(uri, &p))
                why = "must be a libvirt URI, such as qemu:///system or qemu+ssh://root@kvm1/system";
        if (!why)
                why = read_scheme(&p, allow_test, &u);
        if (!why)
                why = read_user(&p, &u);
        if (!why)
                why = read_host(&p, &u);
        if (!why)
                why = read_path(&p, &u);
        if (!why)
                why = read_query(&p, &u);
        if (why) {
                *ret_why = why;
                return -EINVAL;
        }
        *ret = u;
        return 0;
}

/* --- made anew ------------------------------------------------------------------------------------- */

char *host_uri_build(const HostUri *u, const char *keyfile) {
        static const char *const schemes[] = {
                [TRANSPORT_LOCAL] = "qemu",
                [TRANSPORT_SSH] = "qemu+ssh",
                [TRANSPORT_TLS] = "qemu+tls",
                [TRANSPORT_TEST] = "test",
        };
        bool ssh = u->transport == TRANSPORT_SSH;
        char port[sizeof(":65535")] = "";

        if (u->port > 0)
                (void) snprintf(port, sizeof(port), ":%hu", (unsigned short) u->port);
        return strprintf("%s://%.*s%s%.*s%s%.*s%s%s%s%s", schemes[u->transport], (int) u->user_size,
                        strempty(u->user), u->user ? "@" : "", (int) u->host_size, strempty(u->host), port,
                        (int) u->path_size, u->path, ssh || u->no_verify ? "?" : "",
                        ssh ? "no_tty=1&keyfile=" : "", ssh ? keyfile : "",
                        !u->no_verify         ? ""
                                        : ssh ? "&no_verify=1"
                                              : "no_verify=1");
}

char *host_uri_redact(const char *uri) {
        Parts p;

        if (!split(uri, &p))
                return strdup("***");
        return strprintf("%.*s://%s%.*s%.*s%s", (int) p.scheme_size, p.scheme, p.userinfo ? "***@" : "",
                        (int) p.host_size, p.host, (int) strcspn(p.path, "?#"), p.path,
                        p.query && streq(p.query, "no_verify=1") ? "?no_verify=1" : "");
}

char *host_uri_make_id(const char *uri) {
        Parts p;
        size_t n;

        if (!split(uri, &p) || p.host_size == 0)
                return strdup("local");
        n = p.host[0] == '[' ? strcspn(p.host, "]") + 1 : strcspn(p.host, ":/?");
        return strndup(p.host, MIN(MIN(n, p.host_size), (size_t) HOST_ID_MAX));
}

bool host_uri_is_local(const char *uri) {
        Parts p;

        return split(uri, &p) && p.host_size == 0;
}
