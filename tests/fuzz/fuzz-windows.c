/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values of a Windows registry. Each value of a key is the next part of the input; what becomes of them is
 * read by a program with all rights. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "guest/first-boot.h"
#include "guest/registry-edit.h"
#include "guest/utf16.h"
#include "guest/windows-table.h"

typedef struct Input {
        const uint8_t *data;
        size_t size;
} Input;

static int64_t input_root(void *hive) {
        return 1;
}

static int64_t input_child(void *hive, int64_t key, const char *name) {
        return key + 1;
}

static int input_remove(void *hive, int64_t key) {
        return 0;
}

/* A type, a length, and so many bytes. */
static int input_read(void *hive, int64_t key, const char *name, unsigned *ret_type, char **ret,
                size_t *ret_size) {
        Input *in = hive;
        size_t n;

        if (in->size < 2)
                return -ENOENT;
        *ret_type = in->data[0] % 8;
        n = MIN((size_t) in->data[1], in->size - 2);
        *ret = malloc(n > 0 ? n : 1);
        if (!*ret)
                return -ENOMEM;
        memcpy(*ret, in->data + 2, n);
        *ret_size = n;
        in->data += 2 + n;
        in->size -= 2 + n;
        return 0;
}

static int input_names(void *hive, int64_t key, char ***ret) {
        int r = 0;

        for (unsigned i = 0; i < 3 && r >= 0; i++)
                r = strv_extendf(ret, "{848F537B-D3A3-4FD7-9360-3F7098E5EDE%u}", i);
        return r;
}

static int input_write(
                void *hive, int64_t key, const char *name, unsigned type, const char *data, size_t size) {
        bool text = type == REGISTRY_TEXT || type == REGISTRY_EXPAND || type == REGISTRY_LIST;

        if (text && (size % 2 != 0 || size < 2 || data[size - 1] || data[size - 2]))
                abort();
        return 0;
}

static const RegistryOps ops = { input_root, input_child, input_child, input_remove, input_names, input_read,
        input_write };

static void read_network(const uint8_t *data, size_t size) {
        Input in = { data, size };
        const Registry r = { &ops, &in, "SYSTEM" };
        _cleanup_(windows_network_done) WindowsNetwork n = {};
        _cleanup_free_ char *text = NULL;

        if (windows_network_read(&r, "ControlSet001", &n) < 0)
                return;
        text = first_boot_text(&n);
        if (text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEF0123456789{}-:. \r\n") != strlen(text))
                abort();
}

static void change(const uint8_t *data, size_t size, const RegistryEdit *edits) {
        static const RegistryWord words[] = { { "set", "ControlSet001" }, { "driver", "viostor" }, {} };
        Input in = { data, size };
        const Registry r = { &ops, &in, "SYSTEM" };
        _cleanup_changes_ Changes c = {};

        if (registry_apply(&r, edits, words, "fuzz", &c) < 0)
                abort();
}

static void read_texts(const char *data, size_t size) {
        _cleanup_free_ char *text = utf16_to_utf8(data, size, 100);
        _cleanup_strv_free_ char **list = NULL;

        if (!text || !utf8_is_valid(text) || strlen(text) > 100)
                abort();
        if (utf16_list(data, size, 10, 20, &list) < 0 || strv_length(list) > 10)
                abort();
        STRV_FOREACH(s, list)
                if (!utf8_is_valid(*s) || strlen(*s) > 20)
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        read_texts((const char *) data, size);
        read_network(data, size);
        change(data, size, windows_driver_edits);
        change(data, size, windows_software_edits);
        return 0;
}
