/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/vsphere-server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>

#include "basic/string-util.h"

#define SCHEME "https://"
#define PORT_DEFAULT 443u
#define HOST_MAX 253u

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define PEM_END "-----END CERTIFICATE-----"

bool vsphere_source_name_is_valid(const char *name) {
        size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

        return n > 0 && n <= VSPHERE_SOURCE_NAME_MAX && name[n] == '\0' && isalnum((unsigned char) name[0]);
}

static int refuse(const char **ret_reason, const char *reason) {
        *ret_reason = reason;
        return -EINVAL;
}

static bool name_is_valid(const char *name, size_t n) {
        if (n == 0 || n > HOST_MAX || name[0] == '-' || name[0] == '.')
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) name[i]) && name[i] != '-' && name[i] != '.' && name[i] != '_')
                        return false;
        return true;
}

static bool ipv6_is_valid(const char *address, size_t n) {
        char text[INET6_ADDRSTRLEN];
        struct in6_addr in6;

        if (n == 0 || n >= sizeof(text))
                return false;
        memcpy(text, address, n);
        text[n] = '\0';
        return inet_pton(AF_INET6, text, &in6) == 1;
}

/* What follows the host: nothing, ":PORT", and a path that is the API's. */
static int parse_rest(const char *s, unsigned *ret_port, const char **ret_reason) {
        unsigned port = PORT_DEFAULT;

        if (*s == ':') {
                size_t n = strspn(s + 1, "0123456789");

                port = 0;
                for (size_t i = 0; i < n && port <= UINT16_MAX; i++)
                        port = port * 10 + (unsigned) (s[1 + i] - '0');
                if (n == 0 || port == 0 || port > UINT16_MAX)
                        return refuse(ret_reason, "must have a port of 1 to 65535");
                s += 1 + n;
        }
        if (!streq(s, "") && !streq(s, "/") && !streq(s, "/sdk") && !streq(s, "/sdk/"))
                return refuse(ret_reason,
                                "must be HOST, HOST:PORT or https://HOST[:PORT] of a vCenter or ESXi host");
        *ret_port = port;
        return 0;
}

/* The host as it is written in a URL, an IPv6 address with its brackets; *ret_end is behind it. */
static int parse_host(const char *s, const char **ret_end, const char **ret_reason) {
        const char *end;

        if (*s == '[') {
                end = strchr(s, ']');
                if (!end || !ipv6_is_valid(s + 1, (size_t) (end - s) - 1))
                        return refuse(ret_reason, "must have an IPv6 address between [ and ]");
                *ret_end = end + 1;
                return 0;
        }
        end = s + strcspn(s, ":/");
        if (!name_is_valid(s, (size_t) (end - s)))
                return refuse(ret_reason,
                                "must be HOST, HOST:PORT or https://HOST[:PORT] of a vCenter or ESXi host");
        *ret_end = end;
        return 0;
}

int vsphere_url_normalize(const char *text, char **ret, const char **ret_reason) {
        const char *s = text, *end;
        unsigned port;
        char *url;
        int r;

        if (strlen(text) > VSPHERE_URL_MAX)
                return refuse(ret_reason, "must be at most 512 bytes long");
        if (strchr(s, '@'))
                return refuse(ret_reason, "must not contain a user or password: use username and password");
        if (strncasecmp(s, SCHEME, strlen(SCHEME)) == 0)
                s += strlen(SCHEME);
        else if (strstr(s, "://"))
                return refuse(ret_reason, "must use https");
        r = parse_host(s, &end, ret_reason);
        if (r >= 0)
                r = parse_rest(end, &port, ret_reason);
        if (r < 0)
                return r;
        url = port == PORT_DEFAULT ? strprintf(SCHEME "%.*s", (int) (end - s), s)
                                   : strprintf(SCHEME "%.*s:%u", (int) (end - s), s, port);
        if (!url)
                return -ENOMEM;
        for (char *p = url; *p; p++)
                *p = (char) tolower((unsigned char) *p);
        *ret = url;
        return 0;
}

int vsphere_thumbprint_normalize(const char *text, char ret[static VSPHERE_THUMBPRINT_SIZE]) {
        bool colons = strlen(text) == VSPHERE_THUMBPRINT_SIZE - 1;
        size_t n = 0;

        if (!colons && strlen(text) != 64)
                return -EINVAL;
        for (size_t i = 0; text[i]; i++) {
                if (colons && i % 3 == 2) {
                        if (text[i] != ':')
                                return -EINVAL;
                        continue;
                }
                if (!isxdigit((unsigned char) text[i]))
                        return -EINVAL;
                if (n % 3 == 2)
                        ret[n++] = ':';
                ret[n++] = (char) toupper((unsigned char) text[i]);
        }
        ret[n] = '\0';
        return 0;
}

static bool is_blank(const char *s, size_t n) {
        return strspn(s, " \t\r\n") >= n;
}

bool vsphere_ca_is_valid(const char *text) {
        const char *s = text;
        size_t n = 0;

        if (strlen(text) > VSPHERE_CA_MAX)
                return false;
        for (const char *begin; (begin = strstr(s, PEM_BEGIN)); n++) {
                const char *body = begin + strlen(PEM_BEGIN), *end = strstr(body, PEM_END);

                if (!is_blank(s, (size_t) (begin - s)) || !end ||
                                strspn(body, BASE64 "=\r\n") != (size_t) (end - body))
                        return false;
                s = end + strlen(PEM_END);
        }
        return n > 0 && is_blank(s, strlen(s));
}

static int check_url(char **url, JsonErrors *errors) {
        const char *reason;
        char *normal;
        int r;

        if (!*url)
                return 0;
        r = vsphere_url_normalize(*url, &normal, &reason);
        if (r == -EINVAL)
                return json_errors_add(errors, "vcenter_url", "%s", reason);
        if (r < 0)
                return r;
        free(*url);
        *url = normal;
        return 0;
}

static int check_trust(const char *ca, char **thumbprint, JsonErrors *errors) {
        char normal[VSPHERE_THUMBPRINT_SIZE];
        int r = 0;

        if (ca && *thumbprint)
                return json_errors_add(errors, "ca", "must not be given together with thumbprint");
        if (ca && !vsphere_ca_is_valid(ca))
                r = json_errors_add(errors, "ca", "must be certificates in PEM, at most 64 KiB");
        if (!*thumbprint)
                return r;
        if (vsphere_thumbprint_normalize(*thumbprint, normal) < 0)
                return json_errors_add(errors, "thumbprint",
                                "must be the SHA-256 of the certificate, 64 hexadecimal digits");
        return free_and_strdup(thumbprint, normal);
}

int vsphere_server_check(char **url, const char *ca, char **thumbprint, JsonErrors *errors) {
        int r = check_url(url, errors);

        return r < 0 ? r : check_trust(ca, thumbprint, errors);
}
