/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/lvm-filter.h"
#include "basic/string-util.h"
#include "guest/buffer.h"

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

/* Each line of it. */
static void comment_out(Buffer *out, const char *p, size_t n) {
        buffer_add_text(out, "# ");
        for (size_t i = 0; i < n; i++) {
                buffer_add(out, p + i, 1);
                if (p[i] == '\n' && i + 1 < n)
                        buffer_add_text(out, "# ");
        }
}

int lvm_filter_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        _cleanup_buffer_ Buffer out = {};
        bool changed = false;
        int r;

        for (const char *p = text; *p;) {
                size_t blanks = strspn(p, " \t"), n = setting_at(p + blanks);

                buffer_add(&out, p, blanks);
                p += blanks;
                if (n > 0 && names_hardware(p, n)) {
                        _cleanup_free_ char *from = strndup(p, n);
                        r = from ? changes_add(changes, step, file, from, NULL) : -ENOMEM;
                        if (r < 0)
                                return r;
                        comment_out(&out, p, n);
                        changed = true;
                } else {
                        n = strcspn(p, "\n");
                        buffer_add(&out, p, n);
                }
                p += n;
                buffer_add(&out, p, *p == '\n');
                p += *p == '\n';
        }
        if (!changed)
                return 0;
        r = buffer_finish(&out, ret, NULL);
        return r < 0 ? r : 1;
}
