/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/inventory-name.h"

#include <strings.h>

#include "basic/string-util.h"

static const struct {
        char character;
        const char *escape;
} escapes[] = {
        { '/', "%2f" },
        { '%', "%25" },
        { '\\', "%5c" },
};

static char *decode(const char *name, size_t size) {
        char *decoded = malloc(size + 1), *p = decoded;

        if (!decoded)
                return NULL;
        for (size_t i = 0; i < size; i++) {
                char c = name[i];

                for (size_t k = 0; c == '%' && k < ELEMENTSOF(escapes) && size - i >= 3; k++)
                        if (strncasecmp(name + i, escapes[k].escape, 3) == 0) {
                                c = escapes[k].character;
                                i += 2;
                                break;
                        }
                *p++ = c;
        }
        *p = '\0';
        return decoded;
}

char *inventory_name_decode(const char *name) {
        return decode(name, strlen(name));
}

static const char *escape_of(char c) {
        for (size_t i = 0; i < ELEMENTSOF(escapes); i++)
                if (escapes[i].character == c)
                        return escapes[i].escape;
        return NULL;
}

static char *encode_to(char *p, const char *name) {
        for (; *name; name++) {
                const char *escape = escape_of(*name);

                if (escape)
                        p = stpcpy(p, escape);
                else
                        *p++ = *name;
        }
        *p = '\0';
        return p;
}

char *inventory_name_encode(const char *name) {
        char *encoded = malloc(strlen(name) * 3 + 1);

        if (encoded)
                (void) encode_to(encoded, name);
        return encoded;
}

char *inventory_path_normalize(const char *path) {
        /* Each character may become an escape, and there is one "/" more. */
        char *normal = malloc(strlen(path) * 3 + 2), *p = normal;

        if (!normal)
                return NULL;
        *p = '\0';
        for (size_t n; *path; path += n) {
                _cleanup_free_ char *name = NULL;

                n = strcspn(path, "/");
                if (n == 0) {
                        n = 1;
                        continue;
                }
                name = decode(path, n);
                if (!name)
                        return mfree(normal);
                *p++ = '/';
                p = encode_to(p, name);
        }
        return normal;
}
