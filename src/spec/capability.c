/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/capability.h"
#include "basic/string-util.h"

static const struct {
        const char *name, *short_name;
} capabilities[_CAPABILITY_MAX] = {
        [CAPABILITY_QEMU_IMG] = { "qemu_img", NULL },
        [CAPABILITY_NBD_ACCESS] = { "nbd_access", "nbd" },
        [CAPABILITY_LVM_TOOLS] = { "lvm_tools", "lvm" },
        [CAPABILITY_MOUNT_OPERATIONS] = { "mount_operations", "mount" },
        [CAPABILITY_SELINUX_TOOLS] = { "selinux_tools", "selinux" },
};

const char *capability_to_string(Capability c) {
        return c >= 0 && c < _CAPABILITY_MAX ? capabilities[c].name : NULL;
}

Capability capability_from_string(const char *s) {
        for (int i = 0; s && i < _CAPABILITY_MAX; i++)
                if (streq(capabilities[i].name, s) || streq_ptr(capabilities[i].short_name, s))
                        return i;
        return _CAPABILITY_INVALID;
}

char *capabilities_to_text(uint32_t mask) {
        _cleanup_free_ char *text = strdup("");

        for (int i = 0; text && i < _CAPABILITY_MAX; i++)
                if (mask & 1u << i) {
                        char *longer = strprintf(
                                        "%s%s%s", text, isempty(text) ? "" : ", ", capabilities[i].name);

                        free(text);
                        text = longer;
                }
        return TAKE_PTR(text);
}

static void add_word(uint32_t *mask, const char *word) {
        Capability c = capability_from_string(word);

        if (c >= 0)
                *mask |= 1u << c;
}

int capabilities_from_json(json_t *value, const char *path, uint32_t *ret, JsonErrors *errors) {
        uint32_t mask = 0;
        const char *key;
        bool wrong = false;
        json_t *v;
        size_t i;

        if (json_is_array(value)) {
                json_array_foreach(value, i, v) {
                        wrong |= !json_is_string(v);
                        add_word(&mask, json_string_value(v));
                }
        } else if (json_is_object(value)) {
                json_object_foreach(value, key, v) {
                        wrong |= !json_is_boolean(v) && !json_is_null(v);
                        if (json_is_true(v))
                                add_word(&mask, key);
                }
        } else
                wrong = true;
        if (wrong) {
                int r = json_errors_add(errors, path, "must be a list of words, or an object of booleans");

                return r < 0 ? r : -EBADMSG;
        }
        *ret = mask;
        return 0;
}
