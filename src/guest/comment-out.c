/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/comment-out.h"
#include "basic/string-util.h"
#include "guest/buffer.h"

static void add_marked(Buffer *out, const char *mark, const char *p, size_t n) {
        buffer_add_text(out, mark);
        for (size_t i = 0; i < n; i++) {
                buffer_add(out, p + i, 1);
                if (p[i] == '\n' && i + 1 < n)
                        buffer_add_text(out, mark);
        }
}

/* @replacement: NULL for a comment. */
static int edit(const char *step, const char *file, const char *text, setting_matches matches,
                const char *mark, const char *replacement, Changes *changes, char **ret) {
        _cleanup_buffer_ Buffer out = {};
        bool changed = false;
        int r;

        for (const char *p = text; *p;) {
                size_t blanks = 0, n = 0;

                if (matches(p, &blanks, &n)) {
                        _cleanup_free_ char *from = strndup(p + blanks, n);
                        r = from ? changes_add(changes, step, file, from, replacement) : -ENOMEM;
                        if (r < 0)
                                return r;
                        buffer_add(&out, p, blanks);
                        if (replacement)
                                buffer_add_text(&out, replacement);
                        else
                                add_marked(&out, mark, p + blanks, n);
                        p += blanks + n;
                        changed = true;
                } else {
                        n = n > 0 ? blanks + n : strcspn(p, "\n");
                        buffer_add(&out, p, n);
                        p += n;
                }
                buffer_add(&out, p, *p == '\n');
                p += *p == '\n';
        }
        if (!changed)
                return 0;
        r = buffer_finish(&out, ret, NULL);
        return r < 0 ? r : 1;
}

int comment_out(const char *step, const char *file, const char *text, setting_matches matches,
                const char *mark, Changes *changes, char **ret) {
        return edit(step, file, text, matches, mark, NULL, changes, ret);
}

int replace_setting(const char *step, const char *file, const char *text, setting_matches matches,
                const char *replacement, Changes *changes, char **ret) {
        return edit(step, file, text, matches, NULL, replacement, changes, ret);
}
