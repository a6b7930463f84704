/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/kernel-line.h"
#include "basic/string-util.h"
#include "guest/buffer.h"
#include "guest/comment-out.h"

#define DISABLE_UUID "GRUB_DISABLE_LINUX_UUID="

static const char *const arguments[] = { "root=", "resume=" };

/* What stands between the arguments of a kernel, in the quoting of each of the files. */
static bool separates(char c) {
        return strchr(" \t\n\"'=", c) || c == '\0';
}

/* The length of an argument's name if one begins at @p: there is no other word right before it. */
static size_t argument_at(const char *text, const char *p) {
        if (p > text && !separates(p[-1]))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(arguments); i++)
                if (startswith(p, arguments[i]))
                        return strlen(arguments[i]);
        return 0;
}

/* Whether the line of @p is a comment. In menu.lst, Debian's update-grub reads "# kopt=root=…". */
static bool in_comment(const char *text, const char *p) {
        const char *line = p;

        while (line > text && line[-1] != '\n')
                line--;
        line += strspn(line, " \t");
        return *line == '#' && !startswith(line, "# kopt=");
}

static int rewrite_argument(const char *step, const char *file, const char *name, size_t length,
                const DeviceNames *names, Changes *changes, Buffer *out) {
        const char *stable = device_names_find(names, name, length);
        _cleanup_free_ char *from = strndup(name, length);
        int r = 0;

        if (!from)
                return -ENOMEM;
        if (stable) {
                buffer_add_text(out, stable);
                r = changes_add(changes, step, file, from, stable);
                return r < 0 ? r : 1;
        }
        buffer_add(out, name, length);
        if (device_name_is_unstable(name, length))
                r = changes_warn(changes, step,
                                "%s gives the kernel the device %s, whose file system is not known: it may "
                                "have another name on KVM",
                                file, from);
        return r;
}

int kernel_line_rewrite(const char *step, const char *file, const char *text, const DeviceNames *names,
                Changes *changes, char **ret) {
        _cleanup_buffer_ Buffer out = {};
        bool changed = false;
        int r;

        for (const char *p = text; *p;) {
                size_t n = argument_at(text, p);

                if (n == 0 || in_comment(text, p)) {
                        buffer_add(&out, p++, 1);
                        continue;
                }
                buffer_add(&out, p, n);
                p += n;
                n = strcspn(p, " \t\n\"'");
                r = rewrite_argument(step, file, p, n, names, changes, &out);
                if (r < 0)
                        return r;
                changed = changed || r > 0;
                p += n;
        }
        if (!changed)
                return 0;
        r = buffer_finish(&out, ret, NULL);
        return r < 0 ? r : 1;
}

static bool disables_uuid(const char *line, size_t *ret_blanks, size_t *ret_length) {
        const char *value = startswith(line, DISABLE_UUID);

        *ret_blanks = 0;
        *ret_length = strcspn(line, "\n");
        return value && (startswith(value, "true") || startswith(value, "\"true\""));
}

int default_grub_rewrite(
                const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        return comment_out(step, file, text, disables_uuid, "#", changes, ret);
}
