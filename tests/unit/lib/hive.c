/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/lib/hive.h"

#include <endian.h>
#include <stdio.h>

#include "unit/lib/test.h"

/* --- the operations -------------------------------------------------------------------------------- */

static int64_t hive_root(void *hive) {
        return (int64_t) hivex_root(hive);
}

static int64_t hive_child(void *hive, int64_t key, const char *name) {
        return (int64_t) hivex_node_get_child(hive, (hive_node_h) key, name);
}

static int64_t hive_add(void *hive, int64_t key, const char *name) {
        hive_node_h child = hivex_node_add_child(hive, (hive_node_h) key, name);

        return child == 0 ? -EIO : (int64_t) child;
}

static int hive_remove(void *hive, int64_t key) {
        return hivex_node_delete_child(hive, (hive_node_h) key) < 0 ? -EIO : 0;
}

static int hive_names(void *hive, int64_t key, char ***ret) {
        hive_node_h *keys = hivex_node_children(hive, (hive_node_h) key);
        char **names = NULL;

        for (hive_node_h *k = keys; k && *k; k++)
                ck_assert_int_eq(strv_consume(&names, hivex_node_name(hive, *k)), 0);
        free(keys);
        *ret = names;
        return 0;
}

static int hive_read(void *hive, int64_t key, const char *name, unsigned *ret_type, char **ret,
                size_t *ret_size) {
        hive_value_h value = hivex_node_get_value(hive, (hive_node_h) key, name);
        hive_type type;

        if (value == 0)
                return -ENOENT;
        *ret = hivex_value_value(hive, value, &type, ret_size);
        *ret_type = type;
        return *ret ? 0 : -EIO;
}

static int hive_write(
                void *hive, int64_t key, const char *name, unsigned type, const char *data, size_t size) {
        const hive_set_value value = {
                .key = (char *) name, .t = (hive_type) type, .len = size, .value = (char *) data
        };

        return hivex_node_set_value(hive, (hive_node_h) key, &value, 0) < 0 ? -EIO : 0;
}

static const RegistryOps ops = { hive_root, hive_child, hive_add, hive_remove, hive_names, hive_read,
        hive_write };

/* --- the file -------------------------------------------------------------------------------------- */

static void put16(char *p, uint16_t v) {
        v = htole16(v);
        memcpy(p, &v, sizeof(v));
}

static void put32(char *p, uint32_t v) {
        v = htole32(v);
        memcpy(p, &v, sizeof(v));
}

#define BLOCK 4096u
#define NK_SIZE 0x58u
#define SK_SIZE 0x30u

/* Offsets in it count from the first bin. */
static void fill_bin(char *bin) {
        char *nk = bin + 0x20, *sk = nk + NK_SIZE, *rest = sk + SK_SIZE;
        uint32_t sk_offset = (uint32_t) (sk - bin);

        memcpy(bin, "hbin", 4);
        put32(bin + 8, BLOCK);
        put32(nk, -NK_SIZE); /* negative: in use */
        memcpy(nk + 4, "nk", 2);
        put16(nk + 6, 0x2c); /* the root, whose name is ASCII */
        for (size_t offset = 0x20; offset <= 0x34; offset += 4)
                put32(nk + offset, offset == 0x28 ? 0 : UINT32_MAX); /* no keys, no values */
        put32(nk + 0x18, 0);
        put32(nk + 0x1c, 0);
        put32(nk + 0x30, sk_offset);
        put16(nk + 0x4c, 4);
        memcpy(nk + 0x50, "ROOT", 4);
        put32(sk, -SK_SIZE);
        memcpy(sk + 4, "sk", 2);
        put32(sk + 8, sk_offset); /* the previous one and the next one */
        put32(sk + 12, sk_offset);
        put32(sk + 16, 1);
        put32(sk + 20, 20); /* the length of the descriptor, which is empty */
        put16(sk + 24, 1);
        put16(sk + 26, 0x8000);
        put32(rest, (uint32_t) (BLOCK - (size_t) (rest - bin)));
}

static void write_empty(const char *path) {
        char image[2 * BLOCK] = "regf";
        uint32_t sum = 0, word;

        put32(image + 4, 1);
        put32(image + 8, 1);
        put32(image + 0x14, 1); /* version 1.3 */
        put32(image + 0x18, 3);
        put32(image + 0x20, 1);
        put32(image + 0x24, 0x20); /* the root */
        put32(image + 0x28, BLOCK);
        put32(image + 0x2c, 1);
        for (size_t i = 0; i < 0x1fc; i += 4) {
                memcpy(&word, image + i, sizeof(word));
                sum ^= word;
        }
        memcpy(image + 0x1fc, &sum, sizeof(sum));
        fill_bin(image + BLOCK);
        FILE *f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(image, sizeof(image), 1, f), 1);
        ck_assert_int_eq(fclose(f), 0);
}

void test_hive_new(const char *path, Registry *ret) {
        write_empty(path);
        *ret = (Registry){ .ops = &ops, .hive = hivex_open(path, HIVEX_OPEN_WRITE), .name = "SYSTEM" };
        ck_assert_ptr_nonnull(ret->hive);
}

void test_hive_reopen(const char *path, Registry *r) {
        ck_assert_int_eq(hivex_commit(r->hive, NULL, 0), 0);
        test_hive_close(r);
        r->hive = hivex_open(path, 0);
        ck_assert_ptr_nonnull(r->hive);
}

void test_hive_close(Registry *r) {
        if (r->hive)
                (void) hivex_close(r->hive);
        r->hive = NULL;
}
