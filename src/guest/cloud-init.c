/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/cloud-init.h"

#include <strings.h>

#include "basic/string-util.h"
#include "guest/comment-out.h"

#define KEY "datasource_list:"
#define REPLACEMENT KEY " [ NoCloud, None ]"
/* A longer list is none. */
#define LIST_MAX ((size_t) 64 * 1024)
#define BETWEEN " \t,[]\"'\n-"

/* The length of the setting that begins at @p, with the list in it or below it. */
static size_t setting_length(const char *p) {
        const char *value = p + strlen(KEY) + strspn(p + strlen(KEY), " \t");
        size_t n;

        if (*value == '[') {
                const char *end = memchr(value, ']', strnlen(value, LIST_MAX));
                return end ? (size_t) (end - p) + 1 : 0;
        }
        n = strcspn(p, "\n");
        while (p[n] == '\n') {
                const char *line = p + n + 1;
                line += strspn(line, " \t");
                if (*line != '-')
                        break;
                n = (size_t) (line - p) + strcspn(line, "\n");
        }
        return n;
}

/* Whether all words of the list are sources of VMware, or None. */
static bool only_vmware(const char *p, size_t size) {
        const char *end = p + size;
        bool found = false;

        while (p < end) {
                size_t n;
                p += strspn(p, BETWEEN);
                if (p >= end)
                        break;
                n = MIN(strcspn(p, BETWEEN "#"), (size_t) (end - p));
                if ((n == 6 && strncasecmp(p, "VMware", n) == 0) ||
                                (n == 3 && strncasecmp(p, "OVF", n) == 0))
                        found = true;
                else if (n != 4 || strncasecmp(p, "None", n) != 0)
                        return false;
                p += n;
        }
        return found;
}

static bool list_must_go(const char *line, size_t *ret_blanks, size_t *ret_length) {
        if (!startswith(line, KEY))
                return false;
        *ret_blanks = 0;
        *ret_length = setting_length(line);
        return *ret_length > 0 && only_vmware(line + strlen(KEY), *ret_length - strlen(KEY));
}

int cloud_init_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        return replace_setting(step, file, text, list_must_go, REPLACEMENT, changes, ret);
}
