/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/driver-list.h"
#include "basic/string-util.h"
#include "guest/buffer.h"

const char *const disk_drivers[] = { "virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", NULL };

#define BLANKS " \t\n"

/* @word among those of @text, which are separated by blanks. With @comments, a word that begins with "#"
 * begins one. */
static bool has_word(const char *text, size_t size, bool comments, const char *word) {
        const char *end = text + size;

        for (const char *p = text; p < end;) {
                if (comments && *p == '#' && (p == text || strchr(BLANKS, p[-1])))
                        while (p < end && *p != '\n')
                                p++;
                size_t n = 0;
                while (p + n < end && !strchr(BLANKS "\"'", p[n]))
                        n++;
                if (n == strlen(word) && memcmp(p, word, n) == 0)
                        return true;
                p += n;
                p += p < end;
        }
        return false;
}

int initramfs_tools_rewrite(
                const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        _cleanup_buffer_ Buffer out = {};
        size_t size = strlen(text);
        bool changed = false;
        int r;

        buffer_add(&out, text, size);
        if (size > 0 && text[size - 1] != '\n')
                buffer_add_text(&out, "\n");
        for (const char *const *d = disk_drivers; *d; d++) {
                if (has_word(text, size, true, *d))
                        continue;
                r = changes_add(changes, step, file, NULL, *d);
                if (r < 0)
                        return r;
                buffer_add_text(&out, *d);
                buffer_add_text(&out, "\n");
                changed = true;
        }
        if (!changed)
                return 0;
        r = buffer_finish(&out, ret, NULL);
        return r < 0 ? r : 1;
}

/* The length of a shell's array, whose comments may contain anything. */
static size_t array_length(const char *list) {
        size_t n = 0;

        while (list[n] && list[n] != ')')
                n += list[n] == '#' && (n == 0 || strchr(BLANKS, list[n - 1])) ? strcspn(list + n, "\n") : 1;
        return n;
}

/* The list behind a line that begins with KEY( or KEY"; NULL if there is none. */
static const char *find_modules(const char *text, const char *key, size_t *ret_length, bool *ret_array) {
        for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
                const char *list = startswith(p, key);

                if (!list || (*list != '(' && *list != '"'))
                        continue;
                *ret_array = *list == '(';
                *ret_length = *ret_array ? array_length(list + 1) : strcspn(list + 1, "\"");
                return list[1 + *ret_length] ? list + 1 : NULL;
        }
        return NULL;
}

static int list_rewrite(const char *step, const char *file, const char *key, const char *text,
                Changes *changes, char **ret) {
        _cleanup_buffer_ Buffer out = {};
        bool changed = false, array = false;
        size_t n;
        const char *list = find_modules(text, key, &n, &array);
        int r;

        if (!list)
                return 0;
        buffer_add(&out, text, (size_t) (list + n - text));
        for (const char *const *d = disk_drivers; *d; d++) {
                if (has_word(list, n, array, *d))
                        continue;
                r = changes_add(changes, step, file, NULL, *d);
                if (r < 0)
                        return r;
                if (n > 0 || changed)
                        buffer_add_text(&out, " ");
                buffer_add_text(&out, *d);
                changed = true;
        }
        if (!changed)
                return 0;
        buffer_add_text(&out, list + n);
        r = buffer_finish(&out, ret, NULL);
        return r < 0 ? r : 1;
}

int mkinitcpio_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        return list_rewrite(step, file, "MODULES=", text, changes, ret);
}

int suse_kernel_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        return list_rewrite(step, file, "INITRD_MODULES=", text, changes, ret);
}

char *dracut_text(void) {
        char *all = strv_join((char *const *) disk_drivers, " ");
        char *text = all ? strprintf("add_drivers+=\" %s \"\n", all) : NULL;

        free(all);
        return text;
}
