/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/kernel-line.h"
#include "basic/string-util.h"
#include "guest/buffer.h"
#include "guest/comment-out.h"

static const struct {
        const char *name;
        const char *end; /* of the value, besides blanks and quotes */
} arguments[] = {
        { "root=", "" }, { "resume=", "" }, { "boot=", "" }, { "real_root=", "" },
        { "RESUME=", "" }, /* initramfs-tools */
        { "cryptdevice=", ":" }, /* device:name */
        { "cryptkey=", ":" }, /* device:type:path */
};

/* What stands between the arguments of a kernel, in the quoting of each of the files. */
static bool separates(char c) {
        return strchr(" \t\n\"'=", c) || c == '\0';
}

/* Whether the name of an argument begins at @p: there is no other word right before it. */
static bool argument_at(const char *text, const char *p, size_t *ret_length, const char **ret_end) {
        if (p > text && !separates(p[-1]))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(arguments); i++)
                if (startswith(p, arguments[i].name)) {
                        *ret_length = strlen(arguments[i].name);
                        *ret_end = arguments[i].end;
                        return true;
                }
        return false;
}

/* Whether the line is a comment. In menu.lst, Debian's update-grub reads "# kopt=root=…". */
static bool is_comment(const char *line) {
        line += strspn(line, " \t");
        return *line == '#' && !startswith(line, "# kopt");
}

/* Up to a blank, a quote, or one of @end. */
static size_t value_length(const char *value, const char *end) {
        size_t n = strcspn(value, " \t\n\"'");

        for (size_t i = 0; i < n; i++)
                if (strchr(end, value[i]))
                        return i;
        return n;
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
        bool changed = false, comment = false;
        int r;

        for (const char *p = text; *p;) {
                const char *end;
                size_t n;

                if (p == text || p[-1] == '\n')
                        comment = is_comment(p);
                if (comment || !argument_at(text, p, &n, &end)) {
                        buffer_add(&out, p++, 1);
                        continue;
                }
                buffer_add(&out, p, n);
                p += n;
                n = value_length(p, end);
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

/* --- grubenv ----------------------------------------------------------------------------------------- */

/* Cuts or adds what fills it up. False if there is no room. */
static bool fill_up(char *text, size_t size, size_t wanted) {
        size_t used = size;

        while (used > 0 && text[used - 1] == '#')
                used--;
        if (used > wanted)
                return false;
        memset(text + used, '#', wanted - used);
        text[wanted] = 0;
        return true;
}

static int copy_of_size(const char *text, size_t wanted, char **ret) {
        size_t size = strlen(text);
        _cleanup_free_ char *copy = malloc(MAX(size, wanted) + 1);

        if (!copy)
                return -ENOMEM;
        memcpy(copy, text, size + 1);
        if (!fill_up(copy, size, wanted))
                return 0;
        *ret = TAKE_PTR(copy);
        return 1;
}

int grubenv_rewrite(const char *step, const char *file, const char *text, const DeviceNames *names,
                Changes *changes, char **ret) {
        _cleanup_changes_ Changes tried = {};
        _cleanup_free_ char *edited = NULL, *filled = NULL, *again = NULL;
        int r = kernel_line_rewrite(step, file, text, names, &tried, &edited);

        if (r > 0) {
                r = copy_of_size(edited, strlen(text), &filled);
                if (r == 0)
                        return changes_warn(changes, step,
                                        "%s has no room for UUIDs: its devices may have other names on KVM",
                                        file);
        }
        if (r < 0)
                return r;
        /* Now the changes and warnings count. */
        r = kernel_line_rewrite(step, file, text, names, changes, &again);
        if (r > 0)
                *ret = TAKE_PTR(filled);
        return r;
}

/* --- /etc/default/grub ------------------------------------------------------------------------------- */

static bool disables_uuid(const char *line, size_t *ret_blanks, size_t *ret_length) {
        static const char *const keys[] = { "GRUB_DISABLE_LINUX_UUID=", "GRUB_DISABLE_UUID=" };

        *ret_blanks = strspn(line, " \t");
        *ret_length = strcspn(line + *ret_blanks, "\n");
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const char *value = startswith(line + *ret_blanks, keys[i]);
                if (value && startswith(value + strspn(value, "\"'"), "true"))
                        return true;
        }
        return false;
}

int default_grub_rewrite(
                const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        return comment_out(step, file, text, disables_uuid, "#", changes, ret);
}
