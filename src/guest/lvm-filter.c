/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/lvm-filter.h"

#include <ctype.h>

#include "basic/string-util.h"
#include "guest/comment-out.h"

static const char *const keys[] = { "global_filter", "filter", "devices/global_filter", "devices/filter" };
/* What names a disk by its hardware. */
static const char *const hardware[] = { "/hd", "/nvme", "vmhba", "naa.", "by-id", "by-path" };
/* A longer list is no filter. */
#define SETTING_MAX ((size_t) 64 * 1024)

/* Up to the "]" of a list that may have several lines, with comments in it; SETTING_MAX if it is longer. */
static size_t list_length(const char *list) {
        bool quoted = false;
        size_t n = 0;

        while (list[n] && (quoted || list[n] != ']') && n < SETTING_MAX) {
                quoted ^= list[n] == '"';
                n += !quoted && list[n] == '#' ? strcspn(list + n, "\n") : 1;
        }
        return MIN(n, SETTING_MAX);
}

/* The length of a setting of ours that begins at @p, with the list behind it; 0: there is none. */
static size_t setting_at(const char *p, bool *ret_too_long) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const char *q = startswith(p, keys[i]);

                if (!q)
                        continue;
                q += strspn(q, " \t");
                if (*q != '=')
                        continue;
                q++;
                q += strspn(q, " \t");
                size_t n = *q == '[' ? list_length(q) : 0;
                *ret_too_long = n >= SETTING_MAX;
                return (size_t) (q - p) + n + strcspn(q + n, "\n");
        }
        return 0;
}

/* "a|/dev/sda2|", "a|sd.*|", "a|^/dev/sd|" */
static bool names_sd(const char *p, size_t n) {
        const char *end = p + n, *q;

        for (; (q = memmem(p, (size_t) (end - p), "sd", 2)); p = q + 2)
                if (!isalnum((unsigned char) q[-1]) && q[-1] != '_' && q[-1] != '-')
                        return true;
        return false;
}

static bool names_hardware(const char *p, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(hardware); i++)
                if (memmem(p, n, hardware[i], strlen(hardware[i])))
                        return true;
        return names_sd(p, n);
}

static bool filter_must_go(const char *line, size_t *ret_blanks, size_t *ret_length) {
        bool too_long = false;

        *ret_blanks = strspn(line, " \t");
        *ret_length = setting_at(line + *ret_blanks, &too_long);
        return *ret_length > 0 && !too_long && names_hardware(line + *ret_blanks, *ret_length);
}

int lvm_filter_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        return comment_out(step, file, text, filter_must_go, "# ", changes, ret);
}
