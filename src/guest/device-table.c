/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/device-table.h"
#include "basic/string-util.h"
#include "guest/buffer.h"

#define BLANKS " \t"

/* The @field-th field of a line; its length is 0 if there is none. */
static const char *find_field(const char *line, size_t length, unsigned field, size_t *ret_length) {
        const char *p = line, *end = line + length;

        for (unsigned i = 0;; i++) {
                while (p < end && strchr(BLANKS, *p))
                        p++;
                const char *begin = p;
                while (p < end && !strchr(BLANKS, *p))
                        p++;
                if (p == begin || (i == 0 && *begin == '#'))
                        break;
                if (i == field) {
                        *ret_length = (size_t) (p - begin);
                        return begin;
                }
        }
        *ret_length = 0;
        return end;
}

/* Other devices of a file system are in its options: logdev=, device=, header=. Some of them cannot be named
 * by a UUID. */
static int warn_of_options(
                const char *step, const char *file, const char *p, const char *end, Changes *changes) {
        int r = 0;

        while (p < end && r >= 0) {
                size_t n = 0;
                while (p + n < end && !strchr(BLANKS ",=:", p[n]))
                        n++;
                if (n > 0 && device_name_is_unstable(p, n))
                        r = changes_warn(changes, step,
                                        "%s names the device %.*s in options, which are not changed: it "
                                        "may have another name on KVM",
                                        file, (int) n, p);
                p += n + 1;
        }
        return r;
}

static int rewrite_line(const char *step, const char *file, unsigned field, const char *line, size_t length,
                const DeviceNames *names, Changes *changes, Buffer *out) {
        size_t n;
        const char *device = find_field(line, length, field, &n);
        const char *stable = n > 0 ? device_names_find(names, device, n) : NULL;
        _cleanup_free_ char *from = strndup(device, n);
        int r = 0;

        if (!from)
                return -ENOMEM;
        if (!stable && n > 0 && device_name_is_unstable(device, n))
                r = changes_warn(changes, step,
                                "%s names the device %s, whose file system is not known: it may have "
                                "another name on KVM",
                                file, from);
        if (r >= 0 && n > 0)
                r = warn_of_options(step, file, device + n, line + length, changes);
        if (r >= 0 && stable)
                r = changes_add(changes, step, file, from, stable);
        if (r < 0)
                return r;
        if (!stable) {
                buffer_add(out, line, length);
                return 0;
        }
        buffer_add(out, line, (size_t) (device - line));
        buffer_add_text(out, stable);
        buffer_add(out, device + n, (size_t) (line + length - device) - n);
        return 1;
}

int device_table_rewrite(const char *step, const char *file, unsigned field, const char *text,
                const DeviceNames *names, Changes *changes, char **ret) {
        _cleanup_buffer_ Buffer out = {};
        bool changed = false;

        for (const char *p = text; *p;) {
                size_t n = strcspn(p, "\n");
                int r = rewrite_line(step, file, field, p, n, names, changes, &out);

                if (r < 0)
                        return r;
                changed = changed || r > 0;
                buffer_add(&out, p + n, p[n] == '\n');
                p += n + (p[n] == '\n');
        }
        if (!changed)
                return 0;
        int r = buffer_finish(&out, ret, NULL);
        return r < 0 ? r : 1;
}

void device_table_note(unsigned field, const char *text, DeviceNames *names) {
        for (const char *p = text; *p;) {
                size_t length = strcspn(p, "\n"), n;
                const char *device = find_field(p, length, field, &n);

                device_names_note(names, device, n);
                p += length + (p[length] == '\n');
        }
}
