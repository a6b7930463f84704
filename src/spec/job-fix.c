/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-fix.h"
#include "basic/string-util.h"

#define EXPECTED                                                                                     \
        "must be \"none\", \"auto\", or a list of fs_repair, lvm_repair, offline_fix, boot_repair, " \
        "initramfs_regenerate and selinux_prep"

static unsigned operation_from_json(json_t *value) {
        JobOperation o = json_is_string(value) ? job_operation_from_string(json_string_value(value))
                                               : _OPERATION_INVALID;

        return o >= 0 ? 1u << o & FIX_ALL : 0;
}

int job_fix_from_json(json_t *value, const char *path, unsigned *ret, JsonErrors *errors) {
        const char *word = json_string_value(value);
        unsigned fix = 0;
        json_t *item;
        size_t i;

        if (!value || json_is_null(value) || json_is_false(value) || streq_ptr(word, "none")) {
                *ret = 0;
                return 0;
        }
        if (json_is_true(value) || streq_ptr(word, "auto")) {
                *ret = FIX_AUTO | FIX_ALL;
                return 0;
        }
        if (!json_is_array(value) || json_array_size(value) == 0)
                return json_errors_add(errors, path, EXPECTED);
        json_array_foreach(value, i, item) {
                unsigned bit = operation_from_json(item);
                if (bit == 0)
                        return json_errors_add(errors, path, EXPECTED);
                fix |= bit;
        }
        *ret = fix;
        return 0;
}

json_t *job_fix_to_json(unsigned fix) {
        if (fix == 0 || (fix & FIX_AUTO))
                return json_string(fix == 0 ? "none" : "auto");
        json_t *list = json_array();
        for (int o = 0; list && o < _OPERATION_MAX; o++)
                if ((fix & 1u << o) &&
                                json_array_append_new(list, json_string(job_operation_to_string(o))) < 0) {
                        json_decref(list);
                        return NULL;
                }
        return list;
}
