/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/udev-rule.h"
#include "basic/string-util.h"
#include "guest/comment-out.h"

static const char *const hardware[] = { "DRIVERS==", "DRIVER==", "KERNELS==", "DEVPATH==", "ID_PATH",
        "ID_NET_NAME_SLOT", "ID_NET_NAME_PATH", "ENV{PHYSDEVPATH}" };

static bool contains(const char *p, size_t n, const char *word) {
        return memmem(p, n, word, strlen(word));
}

static bool names_hardware(const char *p, size_t n) {
        if (!contains(p, n, "\"net\"") || !(contains(p, n, " NAME=\"") || contains(p, n, ",NAME=\"")) ||
                        p[strspn(p, " \t")] == '#')
                return false;
        for (size_t i = 0; i < ELEMENTSOF(hardware); i++)
                if (contains(p, n, hardware[i]))
                        /* Old generators of rules wrote this for any driver. */
                        return !contains(p, n, "DRIVERS==\"?*\"");
        return false;
}

static bool rule_must_go(const char *line, size_t *ret_blanks, size_t *ret_length) {
        *ret_blanks = 0;
        *ret_length = strcspn(line, "\n");
        return names_hardware(line, *ret_length);
}

int udev_rules_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        return comment_out(step, file, text, rule_must_go, "# ", changes, ret);
}
