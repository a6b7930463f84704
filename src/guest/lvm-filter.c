/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/lvm-filter.h"
#include "basic/string-util.h"
#include "guest/comment-out.h"

static const char *const keys[] = { "global_filter", "filter" };
/* What names a disk by its hardware. */
static const char *const hardware[] = { "/sd", "/hd", "/nvme", "vmhba", "naa.", "by-id", "by-path" };

/* The length of a setting of ours that begins at @p, with the list behind it; 0: there is none. */
static size_t setting_at(const char *p) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const char *q = startswith(p, keys[i]);

                if (!q)
                        continue;
                q += strspn(q, " \t");
                if (*q != '=')
                        continue;
                q++;
                q += strspn(q, " \t");
                bool quoted = false;
                if (*q != '[')
                        return (size_t) (q - p) + strcspn(q, "\n");
                for (; *q && (quoted || *q != ']'); q++)
                        quoted ^= *q == '"';
                return (size_t) (q - p) + strcspn(q, "\n");
        }
        return 0;
}

static bool names_hardware(const char *p, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(hardware); i++)
                if (memmem(p, n, hardware[i], strlen(hardware[i])))
                        return true;
        return false;
}

static bool filter_must_go(const char *line, size_t *ret_blanks, size_t *ret_length) {
        *ret_blanks = strspn(line, " \t");
        *ret_length = setting_at(line + *ret_blanks);
        return *ret_length > 0 && names_hardware(line + *ret_blanks, *ret_length);
}

int lvm_filter_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        return comment_out(step, file, text, filter_must_go, "# ", changes, ret);
}
