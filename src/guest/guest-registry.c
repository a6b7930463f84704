/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/guest-registry.h"

#include "basic/string-util.h"

static int64_t hive_root(void *hive) {
        int64_t key = guestfs_hivex_root(hive);

        return key <= 0 ? -EIO : key;
}

static int64_t hive_child(void *hive, int64_t key, const char *name) {
        int64_t child = guestfs_hivex_node_get_child(hive, key, name);

        return child < 0 ? -EIO : child;
}

static int64_t hive_add(void *hive, int64_t key, const char *name) {
        int64_t child = guestfs_hivex_node_add_child(hive, key, name);

        return child <= 0 ? -EIO : child;
}

static int hive_remove(void *hive, int64_t key) {
        return guestfs_hivex_node_delete_child(hive, key) < 0 ? -EIO : 0;
}

static int hive_names(void *hive, int64_t key, char ***ret) {
        struct guestfs_hivex_node_list *keys = guestfs_hivex_node_children(hive, key);
        _cleanup_strv_free_ char **names = NULL;
        int r = keys ? 0 : -EIO;

        for (uint32_t i = 0; keys && r >= 0 && i < keys->len && i < REGISTRY_LIST_MAX; i++) {
                char *name = guestfs_hivex_node_name(hive, keys->val[i].hivex_node_h);
                r = name ? strv_consume(&names, name) : -EIO;
        }
        if (keys)
                guestfs_free_hivex_node_list(keys);
        if (r >= 0)
                *ret = TAKE_PTR(names);
        return r;
}

static int hive_read(void *hive, int64_t key, const char *name, unsigned *ret_type, char **ret,
                size_t *ret_size) {
        int64_t value = guestfs_hivex_node_get_value(hive, key, name), type;
        char *data;

        if (value <= 0)
                return value < 0 ? -EIO : -ENOENT;
        type = guestfs_hivex_value_type(hive, value);
        data = type < 0 ? NULL : guestfs_hivex_value_value(hive, value, ret_size);
        if (!data)
                return -EIO;
        *ret_type = (unsigned) type;
        *ret = data;
        return 0;
}

static int hive_write(
                void *hive, int64_t key, const char *name, unsigned type, const char *data, size_t size) {
        return guestfs_hivex_node_set_value(hive, key, name, type, data, size) < 0 ? -EIO : 0;
}

static const RegistryOps ops = { hive_root, hive_child, hive_add, hive_remove, hive_names, hive_read,
        hive_write };

int guest_registry_open(Guest *guest, const char *path, const char *name, bool write, Registry *ret) {
        if (guestfs_hivex_open(guest->g, path, GUESTFS_HIVEX_OPEN_WRITE, write, -1) < 0)
                return -EIO;
        *ret = (Registry){ .ops = &ops, .hive = guest->g, .name = name };
        return 0;
}

int guest_registry_commit(Guest *guest) {
        return guestfs_hivex_commit(guest->g, NULL) < 0 ? -EIO : 0;
}

void guest_registry_close(Guest *guest) {
        (void) guestfs_hivex_close(guest->g);
}
