/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/mdadm-conf.h"

#include <strings.h>

#include "basic/string-util.h"
#include "guest/buffer.h"
#include "guest/comment-out.h"

#define BLANKS " \t"

static const char *const hardware[] = { "/dev/sd", "/dev/hd", "/dev/nvme", "/dev/disk/by-id/",
        "/dev/disk/by-path/" };

static bool names_hardware(const char *p, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(hardware); i++)
                if (memmem(p, n, hardware[i], strlen(hardware[i])))
                        return true;
        return false;
}

/* A line that begins with a blank continues the one before it. */
static size_t entry_length(const char *line) {
        size_t n = strcspn(line, "\n");

        while (line[n] == '\n' && line[n + 1] && strchr(BLANKS, line[n + 1]))
                n += 1 + strcspn(line + n + 1, "\n");
        return n;
}

/* Keywords may be cut to three letters. */
static bool has_keyword(const char *entry, const char *keyword) {
        size_t n = strcspn(entry, BLANKS "\n");

        return n >= 3 && n <= strlen(keyword) && strncasecmp(entry, keyword, n) == 0;
}

static bool device_must_go(const char *line, size_t *ret_blanks, size_t *ret_length) {
        *ret_blanks = 0;
        *ret_length = entry_length(line);
        return has_keyword(line, "DEVICE") && names_hardware(line, *ret_length);
}

/* The next word, with the blanks before it; false at the end. */
static bool next_word(const char **p, const char *end, const char **ret, size_t *ret_blanks, size_t *ret_n) {
        *ret = *p;
        *ret_blanks = MIN(strspn(*p, BLANKS "\n"), (size_t) (end - *p));
        *ret_n = MIN(strcspn(*p + *ret_blanks, BLANKS "\n"), (size_t) (end - *p) - *ret_blanks);
        *p += *ret_blanks + *ret_n;
        return *p > *ret;
}

static bool is_tag(const char *word, size_t n, const char *tag) {
        return n >= strlen(tag) && strncasecmp(word, tag, strlen(tag)) == 0;
}

static bool has_identity(const char *entry, const char *end) {
        const char *word;
        size_t blanks, n;

        while (next_word(&entry, end, &word, &blanks, &n))
                if (is_tag(word + blanks, n, "uuid=") || is_tag(word + blanks, n, "name="))
                        return true;
        return false;
}

/* 1 if a word was left out. */
static int rewrite_array(const char *step, const char *file, const char *entry, size_t size, Changes *c,
                Buffer *out) {
        const char *end = entry + size, *word;
        bool known = has_identity(entry, end), changed = false;
        size_t blanks, n;

        for (const char *p = entry; next_word(&p, end, &word, &blanks, &n);) {
                int r = 0;

                if (is_tag(word + blanks, n, "devices=") && names_hardware(word + blanks, n)) {
                        _cleanup_free_ char *from = strndup(word + blanks, n);
                        r = !from ? -ENOMEM
                                        : known
                                        ? changes_add(c, step, file, from, NULL)
                                        : changes_warn(c, step,
                                                          "%s names the devices of an array, and not "
                                                          "its UUID: it may not be found on KVM",
                                                          file);
                        if (r < 0)
                                return r;
                        if (known) {
                                changed = true;
                                continue;
                        }
                }
                buffer_add(out, word, blanks + n);
        }
        return changed;
}

static int rewrite_arrays(
                const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        _cleanup_buffer_ Buffer out = {};
        bool changed = false;
        int r;

        for (const char *p = text; *p;) {
                size_t n = entry_length(p);

                if (has_keyword(p, "ARRAY")) {
                        r = rewrite_array(step, file, p, n, changes, &out);
                        if (r < 0)
                                return r;
                        changed = changed || r > 0;
                } else
                        buffer_add(&out, p, n);
                buffer_add(&out, p + n, p[n] == '\n');
                p += n + (p[n] == '\n');
        }
        if (!changed)
                return 0;
        r = buffer_finish(&out, ret, NULL);
        return r < 0 ? r : 1;
}

int mdadm_conf_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        _cleanup_free_ char *commented = NULL;
        int r = comment_out(step, file, text, device_must_go, "# ", changes, &commented), k;

        if (r < 0)
                return r;
        k = rewrite_arrays(step, file, commented ? commented : text, changes, ret);
        if (k == 0 && commented)
                *ret = TAKE_PTR(commented);
        return k < 0 ? k : MAX(r, k);
}
