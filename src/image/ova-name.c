/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "basic/string-util.h"
#include "image/ova-name.h"
#include "image/ovf.h"

/* Blanks behind a name, which some programs leave there, are no part of its suffix. */
bool ova_name_has_suffix(const char *name, const char *suffix) {
        size_t n = strlen(name), k = strlen(suffix);

        while (n > 0 && name[n - 1] == ' ')
                n--;
        return n > k && strncasecmp(name + n - k, suffix, k) == 0;
}

static const char *last_part(const char *name) {
        const char *slash = strrchr(name, '/');

        return slash ? slash + 1 : name;
}

bool ova_name_is_clutter(const char *name) {
        return startswith(last_part(name), "._") || startswith(name, "__MACOSX/") ||
                        strstr(name, "/__MACOSX/");
}

bool ova_name_says_raw(const char *name) {
        return ova_name_has_suffix(name, ".raw") || ova_name_has_suffix(name, ".img") ||
                        ova_name_has_suffix(name, "-flat.vmdk");
}

/* "file:///C:/box/./disk%201.vmdk" is "C:/box/disk 1.vmdk". @decode: escapes are taken for such. */
static char *tidy(const char *name, bool decode) {
        const char *rest = strncasecmp(name, "file:", 5) == 0 ? name + 5 : name;
        _cleanup_free_ char *copy = decode ? ovf_decode_href(rest) : strdup(rest);
        char *to = copy;

        if (!copy)
                return NULL;
        for (char *p = copy; *p; p++)
                if (*p == '\\')
                        *p = '/';
        for (const char *p = copy; *p;) {
                size_t n = strcspn(p, "/");
                bool slash = p[n] == '/';

                if (n > 0 && !(n == 1 && p[0] == '.' && slash)) {
                        memmove(to, p, n + slash);
                        to += n + slash;
                }
                p += n + slash;
        }
        *to = 0;
        return TAKE_PTR(copy);
}

bool ova_name_is_same(const char *a, const char *b) {
        _cleanup_free_ char *x = tidy(a, false), *y = tidy(b, false), *decoded_x = tidy(a, true),
                            *decoded_y = tidy(b, true);

        return x && y &&
                        (strcasecmp(x, y) == 0 || (decoded_x && strcasecmp(decoded_x, y) == 0) ||
                                        (decoded_y && strcasecmp(x, decoded_y) == 0));
}

static ssize_t find(ova_name_func name_at, const void *list, const char *name, bool any_case, bool last) {
        ssize_t found = -ENOENT;
        const char *other;

        for (size_t i = 0; (other = name_at(list, i)); i++) {
                const char *candidate = last ? last_part(other) : other;

                if ((any_case ? strcasecmp(candidate, name) : strcmp(candidate, name)) != 0 ||
                                ova_name_is_clutter(other))
                        continue;
                if (found >= 0)
                        return -ENOTUNIQ;
                found = (ssize_t) i;
        }
        return found;
}

static ssize_t find_tidy(ova_name_func name_at, const void *list, const char *ovf, const char *name) {
        _cleanup_free_ char *beside = strprintf("%.*s%s", (int) (last_part(ovf) - ovf), ovf, name);
        const char *const whole[] = { beside, name };

        if (!beside)
                return -ENOMEM;
        for (int any_case = 0; any_case < 2; any_case++)
                for (size_t i = 0; i < ELEMENTSOF(whole); i++) {
                        ssize_t k = find(name_at, list, whole[i], any_case, false);
                        if (k >= 0)
                                return k;
                }
        for (int any_case = 0; any_case < 2; any_case++) {
                ssize_t k = find(name_at, list, last_part(name), any_case, true);
                if (k >= 0)
                        return k;
        }
        return -ENOENT;
}

ssize_t ova_name_find(ova_name_func name_at, const void *list, const char *ovf, const char *name) {
        _cleanup_free_ char *plain = tidy(name, false), *decoded = tidy(name, true);

        if (!plain)
                return -ENOMEM;
        ssize_t k = find_tidy(name_at, list, ovf, plain);
        return k == -ENOENT && decoded && !streq(plain, decoded) ? find_tidy(name_at, list, ovf, decoded)
                                                                 : k;
}
