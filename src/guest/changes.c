/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "guest/changes.h"

void changes_done(Changes *c) {
        json_decref(c->changes);
        json_decref(c->warnings);
        *c = (Changes){};
}

json_t *guest_text_n(const char *s, size_t size) {
        _cleanup_free_ char *text = utf8_make_valid(s, size, GUEST_TEXT_MAX);

        return text ? json_string(utf8_replace_control(text, '?')) : NULL;
}

json_t *guest_text(const char *s) {
        return s ? guest_text_n(s, strlen(s)) : json_null();
}

static int append(Changes *c, json_t **list, json_t *item) {
        if (!*list)
                *list = json_array();
        if (!*list || !item) {
                json_decref(item);
                return -ENOMEM;
        }
        if (json_array_size(*list) >= GUEST_LIST_MAX) {
                c->left_out++;
                json_decref(item);
                return 0;
        }
        return json_array_append_new(*list, item) < 0 ? -ENOMEM : 0;
}

int changes_add(Changes *c, const char *step, const char *file, const char *from, const char *to) {
        return append(c, &c->changes,
                        json_pack("{s:s, s:o, s:o, s:o}", "step", step, "file", guest_text(file), "from",
                                        guest_text(from), "to", guest_text(to)));
}

int changes_warn(Changes *c, const char *step, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list ap;

        va_start(ap, format);
        message = vstrprintf(format, ap);
        va_end(ap);
        if (!message)
                return -ENOMEM;
        return append(c, &c->warnings,
                        json_pack("{s:s, s:o}", "step", step, "message", guest_text(message)));
}
