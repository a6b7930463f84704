/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/boot-state.h"

#include <fnmatch.h>

#include "basic/string-util.h"

typedef enum Detail { NOTHING, FROM } Detail;

/* The changes without which it does not boot. The first row that matches counts. */
static const struct {
        const char *step, *pattern; /* fnmatch(3), of the file */
        const char *text; /* behind the file; NULL: it boots without */
        Detail detail; /* behind that */
} rows[] = {
        { "boot_repair", "*/device.map", NULL, NOTHING },
        { "boot_repair", "*/EFI/BOOT/BOOTX64.EFI",
                        "is missing, which the firmware starts since its boot entries are not migrated",
                        NOTHING },
        { "boot_repair", "*/EFI/BOOT/*", NULL, NOTHING },
        { "boot_repair", "/boot/*", "names ", FROM },
        { "boot_repair", "/efi/*", "names ", FROM },
        { "lvm_repair", "/etc/lvm/devices/*", "names the disks of the source", NOTHING },
        { "lvm_repair", "*", "excludes other disks than those of the source", NOTHING },
        { "offline_fix", "/etc/fstab", "names ", FROM },
        { "offline_fix", "/etc/crypttab", "names ", FROM },
};

static const char *text_of(const json_t *change, const char *key) {
        return strempty(json_string_value(json_object_get(change, key)));
}

/* NULL with 0: it boots without this change. */
static int explain(const json_t *change, char **ret) {
        const char *step = text_of(change, "step"), *file = text_of(change, "file");

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (!streq(rows[i].step, step) || fnmatch(rows[i].pattern, file, 0) != 0)
                        continue;
                if (!rows[i].text)
                        return 0;
                *ret = strprintf("%s %s%s", file, rows[i].text,
                                rows[i].detail == FROM ? text_of(change, "from") : "");
                return *ret ? 0 : -ENOMEM;
        }
        return 0;
}

/* Those of a file that is changed in several lines stand once for each device. */
static int add_reason(json_t *reasons, const char *text) {
        json_t *other;
        size_t i;

        json_array_foreach(reasons, i, other)
                if (streq_ptr(json_string_value(other), text))
                        return 0;
        return json_array_size(reasons) >= GUEST_LIST_MAX                      ? 0
                        : json_array_append_new(reasons, guest_text(text)) < 0 ? -ENOMEM
                                                                               : 0;
}

static int judge_needs(const json_t *needs, json_t *reasons) {
        json_t *change;
        size_t i;

        json_array_foreach(needs, i, change) {
                _cleanup_free_ char *text = NULL;
                int r = explain(change, &text);

                if (r >= 0 && text)
                        r = add_reason(reasons, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The one that the boot loader starts by default. If that is not known, it is probably the newest one, which
 * is the first. */
static json_t *default_kernel(const json_t *kernels) {
        json_t *kernel;
        size_t i;

        json_array_foreach(kernels, i, kernel)
                if (json_is_true(json_object_get(kernel, "default")))
                        return kernel;
        return json_array_get(kernels, 0);
}

static int judge_kernels(const json_t *kernels, json_t *reasons) {
        json_t *kernel = default_kernel(kernels), *missing = json_object_get(kernel, "missing"),
               *none = json_object_get(kernel, "unavailable"), *name;
        _cleanup_strv_free_ char **names = NULL;
        size_t i;

        if (json_array_size(missing) == 0)
                return 0;
        json_array_foreach(json_array_size(none) > 0 ? none : missing, i, name)
                if (strv_extend(&names, strempty(json_string_value(name))) < 0)
                        return -ENOMEM;
        _cleanup_free_ char *list = strv_join(names, " "), *text = NULL;
        if (list && json_array_size(none) > 0)
                text = strprintf("The kernel %s has no driver %s", text_of(kernel, "version"), list);
        else if (list)
                text = strprintf("%s lacks %s", text_of(kernel, "initramfs"), list);
        return text ? add_reason(reasons, text) : -ENOMEM;
}

int boot_state(const json_t *needs, const json_t *kernels, bool known, BootState *ret) {
        json_t *reasons = json_array();
        int r = reasons ? 0 : -ENOMEM;

        if (r >= 0 && known)
                r = judge_needs(needs, reasons);
        if (r >= 0 && known)
                r = judge_kernels(kernels, reasons);
        if (r < 0) {
                json_decref(reasons);
                return r;
        }
        bool unknown = !known || json_array_size(kernels) == 0;
        *ret = (BootState){ .bootable = json_array_size(reasons) > 0 ? "no"
                                : unknown                            ? "unknown"
                                                                     : "yes",
                .reasons = reasons };
        return 0;
}
