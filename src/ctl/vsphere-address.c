/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/vsphere-address.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "spec/vsphere-server.h"

#define SCHEME "vsphere://"

/* In place. -EINVAL for a bad escape, and %00. */
static int unescape(char *s) {
        char *to = s;

        for (; *s; s++) {
                int high, low;

                if (*s != '%') {
                        *to++ = *s;
                        continue;
                }
                high = parse_hex_digit(s[1]);
                low = high < 0 ? -1 : parse_hex_digit(s[2]);
                if (low < 0 || high * 16 + low == 0)
                        return -EINVAL;
                *to++ = (char) (high * 16 + low);
                s += 2;
        }
        *to = '\0';
        return 0;
}

static int source_new(
                const char *key, const char *server, const char *user, const char *path, json_t **ret) {
        *ret = json_pack("{s:s, s:s, s:s*, s:s}", "type", "vsphere", key, server, "username", user,
                        "vm_path", path + strspn(path, "/"));
        return *ret ? 1 : -ENOMEM;
}

static int parse_url(const char *authority, json_t **ret) {
        const char *path = strchr(authority, '/'), *at;
        _cleanup_free_ char *user = NULL, *host = NULL;

        if (!path || !path[strspn(path, "/")])
                return -EINVAL;
        at = memrchr(authority, '@', (size_t) (path - authority));
        host = strndup(at ? at + 1 : authority, (size_t) (path - (at ? at + 1 : authority)));
        user = at ? strndup(authority, (size_t) (at - authority)) : NULL;
        if (!host || (at && !user))
                return -ENOMEM;
        if (!*host || (user && (!*user || unescape(user) < 0 || !utf8_is_valid(user))))
                return -EINVAL;
        return source_new("vcenter_url", host, user, path, ret);
}

int vsphere_address_parse(const char *word, json_t **ret) {
        const char *authority = startswith(word, SCHEME), *colon = strstr(word, ":/");
        _cleanup_free_ char *name = NULL;

        if (authority)
                return parse_url(authority, ret);
        if (!colon || strstr(word, "://") || !colon[1 + strspn(colon + 1, "/")])
                return 0;
        name = strndup(word, (size_t) (colon - word));
        if (!name)
                return -ENOMEM;
        return vsphere_source_name_is_valid(name) ? source_new("name", name, NULL, colon + 1, ret) : 0;
}
