/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/udev-rule.h"
#include "basic/string-util.h"
#include "guest/buffer.h"

static const char *const hardware[] = { "DRIVERS==", "DRIVER==", "KERNELS==", "DEVPATH==", "ID_PATH",
        "ID_NET_NAME_SLOT", "ID_NET_NAME_PATH", "ENV{PHYSDEVPATH}" };

static bool contains(const char *p, size_t n, const char *word) {
        return memmem(p, n, word, strlen(word));
}

static bool must_go(const char *p, size_t n) {
        if (!contains(p, n, "\"net\"") || !(contains(p, n, " NAME=\"") || contains(p, n, ",NAME=\"")) ||
                        p[strspn(p, " \t")] == '#')
                return false;
        for (size_t i = 0; i < ELEMENTSOF(hardware); i++)
                if (contains(p, n, hardware[i]))
                        /* Old generators of rules wrote this for any driver. */
                        return !contains(p, n, "DRIVERS==\"?*\"");
        return false;
}

int udev_rules_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        _cleanup_buffer_ Buffer out = {};
        bool changed = false;
        int r;

        for (const char *p = text; *p;) {
                size_t n = strcspn(p, "\n");

                if (must_go(p, n)) {
                        _cleanup_free_ char *rule = strndup(p, n);
                        r = rule ? changes_add(changes, step, file, rule, NULL) : -ENOMEM;
                        if (r < 0)
                                return r;
                        buffer_add_text(&out, "# ");
                        changed = true;
                }
                n += p[n] == '\n';
                buffer_add(&out, p, n);
                p += n;
        }
        if (!changed)
                return 0;
        r = buffer_finish(&out, ret, NULL);
        return r < 0 ? r : 1;
}
