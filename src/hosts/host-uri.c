/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-uri.h"
#include "basic/string-util.h"
#include "basic/utf8.h"

#define URI_MAX 1024

bool host_id_is_valid(const char *id) {
        size_t n = strlen(id);

        return n >= 1 && n <= HOST_ID_MAX && utf8_is_valid(id) && !utf8_has_control(id) && !strchr(id, '/');
}

/* Where the parts of DRIVER[+TRANSPORT]://[USERINFO@]HOST[:PORT]/PATH[?QUERY] begin and how long they are. */
typedef struct Parts {
        const char *scheme, *userinfo, *host, *rest, *query;
        size_t scheme_size, userinfo_size, host_size;
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
        p.rest = end;
        p.query = strchr(end, '?');
        if (p.query)
                p.query++;
        *ret = p;
        return true;
}

static bool scheme_ends(const Parts *p, const char *transport) {
        size_t n = strlen(transport);

        return p->scheme_size > n && memcmp(p->scheme + p->scheme_size - n, transport, n) == 0;
}

/* "command" and "netcat" name programs, "socket", "mode" and "proxy" how to get there; the others switch checks
 * off or ask for things that only a person at a terminal can answer. */
static const char *check_query(const char *query) {
        static const char *const allowed[] = { "keyfile", "no_tty", "socket", "mode", "proxy", "name",
                "pkipath", "tls_priority" };

        for (const char *p = query; p && *p;) {
                size_t n = strcspn(p, "&;"), key = strcspn(p, "=&;");
                bool known = n == 0;

                for (size_t i = 0; i < ELEMENTSOF(allowed) && !known; i++)
                        known = key == strlen(allowed[i]) && memcmp(p, allowed[i], key) == 0;
                if (!known)
                        return "of its parameters keyfile, no_tty, socket, mode, proxy, name, pkipath and "
                               "tls_priority may be given";
                p += n + (p[n] != '\0');
        }
        return NULL;
}

static const char *find_fault(const char *uri) {
        static const char *const drivers[] = { "qemu", "test", "xen", "lxc", "ch", "bhyve", "vz" };
        static const char *const transports[] = { "", "+unix", "+ssh", "+tls" };
        bool known = false;
        Parts p;

        if (strlen(uri) > URI_MAX)
                return "must have 1024 characters at most";
        for (const char *c = uri; *c; c++)
                if (*c <= ' ' || *c >= 0x7f || strchr("\"'\\<>^`{|}", *c))
                        return "must be of the characters of a URI; others are written as %XX";
        if (strchr(uri, '#'))
                return "must not have a fragment (#)";
        if (!split(uri, &p))
                return "must be a libvirt URI, such as qemu:///system or qemu+ssh://root@kvm1/system";
        for (size_t i = 0; i < ELEMENTSOF(drivers) && !known; i++)
                for (size_t k = 0; k < ELEMENTSOF(transports) && !known; k++) {
                        size_t n = strlen(drivers[i]), m = strlen(transports[k]);

                        known = p.scheme_size == n + m && memcmp(p.scheme, drivers[i], n) == 0 &&
                                        memcmp(p.scheme + n, transports[k], m) == 0;
                }
        if (!known)
                return "must begin with qemu:, qemu+ssh:, qemu+tls: or another of libvirt's drivers with one "
                       "of these transports";
        if (p.userinfo && memchr(p.userinfo, ':', p.userinfo_size))
                return "must not hold a password: hosts are reached with keys or certificates";
        if (p.userinfo_size > 0 && p.userinfo[0] == '-')
                return "must not have a user that begins with a dash";
        if ((p.userinfo && memchr(p.userinfo, '%', p.userinfo_size)) || memchr(p.host, '%', p.host_size))
                return "must have the user and the machine as they are, without %XX";
        if (p.host_size > 0 && p.host[0] == ':')
                return "must name a machine before the port";
        if (p.host_size > 0 && p.host[0] == '-')
                return "must not have a machine that begins with a dash";
        if ((scheme_ends(&p, "+ssh") || scheme_ends(&p, "+tls")) && p.host_size == 0)
                return "must name a machine for ssh and tls";
        if (*p.rest != '/')
                return "must have a path, such as /system";
        return check_query(p.query);
}

int host_uri_check(const char *uri, const char **ret_why) {
        const char *why = find_fault(uri);

        if (!why)
                return 0;
        *ret_why = why;
        return -EINVAL;
}

char *host_uri_redact(const char *uri) {
        Parts p;

        if (!split(uri, &p) || !p.userinfo)
                return strdup(uri);
        return strprintf("%.*s://***@%s", (int) p.scheme_size, p.scheme, p.host);
}

static bool has_parameter(const char *query, const char *name) {
        size_t n = strlen(name);

        for (const char *p = query; p; p = strpbrk(p, "&;"), p = p ? p + 1 : NULL)
                if (strncmp(p, name, n) == 0 && p[n] == '=')
                        return true;
        return false;
}

char *host_uri_complete(const char *uri, const char *keyfile) {
        Parts p;

        if (!split(uri, &p) || !scheme_ends(&p, "+ssh"))
                return strdup(uri);
        bool key = keyfile && !has_parameter(p.query, "keyfile"), tty = !has_parameter(p.query, "no_tty");
        return strprintf("%s%s%s%s%s%s", uri,
                        !key && !tty               ? ""
                                        : !p.query ? "?"
                                                   : "&",
                        tty ? "no_tty=1" : "", tty && key ? "&" : "", key ? "keyfile=" : "",
                        key ? keyfile : "");
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
