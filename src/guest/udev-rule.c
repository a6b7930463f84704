/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/udev-rule.h"
#include "basic/string-util.h"
#include "guest/comment-out.h"

#define BETWEEN " \t\n\\,"

/* What a rule may match that is of the source's hardware. */
static const char *const hardware[] = { "DRIVERS", "DRIVER", "KERNELS", "DEVPATH", "ID", "ENV{ID_PATH}",
        "ENV{ID_NET_NAME_SLOT}", "ENV{ID_NET_NAME_PATH}", "ENV{PHYSDEVPATH}", "ENV{ID_VENDOR_ID}",
        "ENV{ID_MODEL_ID}", "ATTRS{vendor}", "ATTRS{device}" };

size_t udev_rule_length(const char *line) {
        size_t n = strcspn(line, "\n");

        if (line[strspn(line, " \t")] == '#')
                return n;
        while (n > 0 && line[n - 1] == '\\' && line[n] == '\n')
                n += 1 + strcspn(line + n + 1, "\n");
        return n;
}

/* The value behind @p, which follows a key; NULL if the operator is another one. */
static const char *value_at(const char *p, const char *end, const char *op, size_t *ret_length) {
        size_t n = strlen(op);

        while (p < end && strchr(" \t", *p))
                p++;
        if (streq(op, "=") && p < end && *p == ':')
                p++;
        if ((size_t) (end - p) < n || memcmp(p, op, n) != 0)
                return NULL;
        p += n;
        while (p < end && strchr(" \t", *p))
                p++;
        if (p >= end || *p++ != '"')
                return NULL;
        const char *quote = memchr(p, '"', (size_t) (end - p));
        *ret_length = (size_t) ((quote ? quote : end) - p);
        return p;
}

const char *udev_rule_value(
                const char *rule, size_t length, const char *key, const char *op, size_t *ret_length) {
        const char *end = rule + length;
        size_t n = strlen(key);

        if (rule[strspn(rule, " \t")] == '#')
                return NULL;
        for (const char *p = rule; p < end; p++) {
                const char *value = NULL;

                if (*p == '"') { /* of another key */
                        p = memchr(p + 1, '"', (size_t) (end - p) - 1);
                        if (!p)
                                break;
                        continue;
                }
                if ((p == rule || strchr(BETWEEN, p[-1])) && (size_t) (end - p) > n &&
                                memcmp(p, key, n) == 0)
                        value = value_at(p + n, end, op, ret_length);
                if (value)
                        return value;
        }
        return NULL;
}

static bool names_hardware(const char *rule, size_t n) {
        size_t length;
        const char *subsystem = udev_rule_value(rule, n, "SUBSYSTEM", "==", &length);

        if (!subsystem || length != 3 || memcmp(subsystem, "net", 3) != 0 ||
                        !udev_rule_value(rule, n, "NAME", "=", &length))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(hardware); i++) {
                const char *value = udev_rule_value(rule, n, hardware[i], "==", &length);

                /* Old generators of rules wrote DRIVERS=="?*" for any driver. */
                if (value && memchr(value, '*', length) != value &&
                                !(length == 2 && memcmp(value, "?*", 2) == 0))
                        return true;
        }
        return false;
}

static bool rule_must_go(const char *line, size_t *ret_blanks, size_t *ret_length) {
        *ret_blanks = 0;
        *ret_length = udev_rule_length(line);
        return names_hardware(line, *ret_length);
}

int udev_rules_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        return comment_out(step, file, text, rule_must_go, "# ", changes, ret);
}
