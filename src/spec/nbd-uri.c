/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libxml/uri.h>
#include <strings.h>
#include <sys/un.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/job-path.h"
#include "spec/nbd-uri.h"

#define NBD_PORT 10809
/* NBD_MAX_STRING of the protocol, and ample for a URI. */
#define NBD_STRING_MAX 4096
#define URI_MAX 8192

static void xml_uri_freep(xmlURI **u) {
        xmlFreeURI(*u);
}

void nbd_uri_done(NbdUri *u) {
        free(u->socket);
        free(u->host);
        free(u->user);
        free(u->export_name);
        *u = (NbdUri){};
}

static int refuse(char **ret_error, const char *why) {
        char *text = strdup(why);

        if (!text)
                return -ENOMEM;
        *ret_error = text;
        return -EINVAL;
}

/* What no parser needs to see: bytes that RFC 3986 does not know, and an escaped NUL, which cuts strings. */
static bool has_only_uri_characters(const char *s) {
        for (const char *p = s; *p; p++)
                if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}", *p))
                        return false;
        return !strstr(s, "%00");
}

static int parse_scheme(const char *scheme, bool *ret_tls, bool *ret_unix) {
        static const char *const schemes[] = { "nbd", "nbds", "nbd+unix", "nbds+unix" };

        for (size_t i = 0; scheme && i < ELEMENTSOF(schemes); i++)
                if (streq(scheme, schemes[i])) {
                        *ret_tls = i & 1;
                        *ret_unix = i >= 2;
                        return 0;
                }
        return -EINVAL;
}

/* One "name=value" of the query. */
static int parse_parameter(const char *text, size_t size, NbdUri *u, char **ret_error) {
        const char *equals = memchr(text, '=', size);
        size_t name = equals ? (size_t) (equals - text) : size;

        if (name == strlen("tls-psk-file") && strncasecmp(text, "tls-psk-file", name) == 0)
                return refuse(ret_error, "must not name a key file: give the key as tls_psk");
        if (name == strlen("tls-certificates") && strncasecmp(text, "tls-certificates", name) == 0)
                return refuse(ret_error,
                                "must not name a certificate directory: give it as tls_certificates");
        if (!equals || name != strlen("socket") || memcmp(text, "socket", name) != 0)
                return refuse(ret_error, "must have no query parameter but \"socket\"");
        if (u->socket)
                return refuse(ret_error, "must give \"socket\" once only");

        size_t n = size - name - 1;
        if (n == 0) /* xmlURIUnescapeString() takes 0 for "up to the NUL", past the end of this parameter */
                return refuse(ret_error, "must give \"socket\" a path");
        char *value = malloc(n + 1);
        if (!value)
                return -ENOMEM;
        u->socket = xmlURIUnescapeString(equals + 1, (int) n, value);
        return 0;
}

static int parse_query(const char *query, NbdUri *u, char **ret_error) {
        int r;

        for (const char *p = query; *p;) {
                size_t n = strcspn(p, "&;");

                if (n > 0) {
                        r = parse_parameter(p, n, u, ret_error);
                        if (r < 0)
                                return r;
                }
                p += n + (p[n] != 0);
        }
        return 0;
}

static int check_unix(const NbdUri *u, const xmlURI *x, char **ret_error) {
        const char *reason;

        if (!isempty(x->server) || x->port > 0)
                return refuse(ret_error, "must not name a host: a unix socket is on this machine");
        if (!u->socket)
                return refuse(ret_error, "must have the socket's path in a query parameter \"socket\"");
        if (!job_path_is_valid(u->socket, false, &reason))
                return refuse(ret_error, "must have an absolute path, of plain components, as \"socket\"");
        if (strlen(u->socket) >= sizeof(((struct sockaddr_un *) NULL)->sun_path))
                return refuse(ret_error, "must have a shorter path as \"socket\": 107 bytes at most");
        return 0;
}

static int take_host(NbdUri *u, const xmlURI *x, char **ret_error) {
        if (u->socket)
                return refuse(ret_error,
                                "must have no \"socket\" unless it begins with nbd+unix or nbds+unix");
        if (isempty(x->server))
                return refuse(ret_error, "must name a host");

        /* [::1] */
        size_t n = strlen(x->server);
        bool bracketed = n > 2 && x->server[0] == '[' && x->server[n - 1] == ']';
        u->host = bracketed ? strndup(x->server + 1, n - 2) : strdup(x->server);
        if (!u->host)
                return -ENOMEM;
        if (strpbrk(u->host, "[]/@") || utf8_has_control(u->host) || strlen(u->host) > 255)
                return refuse(ret_error, "must name a host that can exist");
        u->port = x->port > 0 ? (unsigned) x->port : NBD_PORT;
        if (u->port > UINT16_MAX)
                return refuse(ret_error, "must have a port from 1 to 65535");
        return 0;
}

static int take_names(NbdUri *u, const xmlURI *x, char **ret_error) {
        const char *export = strempty(x->path);

        if (x->user) {
                if (strchr(x->user, ':'))
                        return refuse(ret_error, "must not hold a password: give a key as tls_psk");
                if (!utf8_is_valid(x->user) || utf8_has_control(x->user) || strlen(x->user) > 255)
                        return refuse(ret_error, "must have a plain user name");
                if (free_and_strdup(&u->user, x->user) < 0)
                        return -ENOMEM;
        }
        /* The slash that ends the authority is no part of the name; "//x" is the export "/x". */
        export = export[0] == '/' ? export + 1 : export;
        if (!utf8_is_valid(export) || utf8_has_control(export) || strlen(export) > NBD_STRING_MAX)
                return refuse(ret_error, "must have an export name of at most 4096 bytes of plain text");
        return free_and_strdup(&u->export_name, export);
}

int nbd_uri_parse(const char *uri, NbdUri *ret, char **ret_error) {
        _cleanup_(nbd_uri_done) NbdUri u = {};
        bool is_unix;
        int r;

        if (strlen(uri) > URI_MAX || !has_only_uri_characters(uri))
                return refuse(ret_error, "must be a URI: plain ASCII, everything else as %XX");
        _cleanup_(xml_uri_freep) xmlURI *x = xmlParseURI(uri);
        /* "nbd:x" has no authority and means something else to every program. */
        if (!x || !strstr(uri, "://"))
                return refuse(ret_error, "must be a URI like nbd://host:10809/export");
        if (parse_scheme(x->scheme, &u.tls, &is_unix) < 0)
                return refuse(ret_error, "must begin with nbd://, nbds://, nbd+unix:// or nbds+unix://");
        if (x->opaque || x->fragment)
                return refuse(ret_error, "must be a URI like nbd://host:10809/export, without a \"#\"");
        if (x->query_raw) {
                r = parse_query(x->query_raw, &u, ret_error);
                if (r < 0)
                        return r;
        }
        r = is_unix ? check_unix(&u, x, ret_error) : take_host(&u, x, ret_error);
        if (r < 0)
                return r;
        r = take_names(&u, x, ret_error);
        if (r < 0)
                return r;
        *ret = u;
        u = (NbdUri){};
        return 0;
}
