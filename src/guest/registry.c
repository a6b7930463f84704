/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/registry.h"

#include "basic/string-util.h"
#include "guest/utf16.h"

static int64_t walk(const Registry *r, const char *path, bool add) {
        int64_t key = r->ops->root(r->hive);

        while (*path && key > 0) {
                size_t n = strcspn(path, "\\");
                _cleanup_free_ char *name = strndup(path, n);
                if (!name)
                        return -ENOMEM;
                int64_t child = r->ops->child(r->hive, key, name);
                key = child == 0 && add ? r->ops->add(r->hive, key, name) : child;
                path += n + (path[n] == '\\');
        }
        return key;
}

int64_t registry_find(const Registry *r, const char *path) {
        return walk(r, path, false);
}

int64_t registry_make(const Registry *r, const char *path) {
        return walk(r, path, true);
}

/* @types: a mask of 1u << type. -ENOENT also for a value of another type. */
static int read_value(const Registry *r, const char *path, const char *name, uint32_t types, char **ret,
                size_t *ret_size) {
        int64_t key = registry_find(r, path);
        _cleanup_free_ char *data = NULL;
        unsigned type;
        int k = key < 0            ? (int) key
                        : key == 0 ? -ENOENT
                                   : r->ops->read(r->hive, key, name, &type, &data, ret_size);

        if (k < 0)
                return k;
        if (type >= 32 || !(types & 1u << type))
                return -ENOENT;
        *ret = TAKE_PTR(data);
        return 0;
}

int registry_read_text(const Registry *r, const char *path, const char *name, char **ret) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int k = read_value(r, path, name, 1u << REGISTRY_TEXT | 1u << REGISTRY_EXPAND, &data, &size);

        if (k < 0)
                return k;
        *ret = utf16_to_utf8(data, size, REGISTRY_TEXT_MAX);
        return *ret ? 0 : -ENOMEM;
}

int registry_read_list(const Registry *r, const char *path, const char *name, char ***ret) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int k = read_value(r, path, name, 1u << REGISTRY_LIST, &data, &size);

        if (k < 0)
                return k;
        return utf16_list(data, size, REGISTRY_LIST_MAX, REGISTRY_TEXT_MAX, ret);
}

int registry_read_number(const Registry *r, const char *path, const char *name, uint32_t *ret) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int k = read_value(r, path, name, 1u << REGISTRY_NUMBER, &data, &size);

        if (k < 0)
                return k;
        if (size < 4)
                return -ENOENT;
        const unsigned char *p = (const unsigned char *) data;
        *ret = p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
        return 0;
}
