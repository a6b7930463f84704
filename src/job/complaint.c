/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/complaint.h"
#include "basic/string-util.h"

#define CUT " […] "

/* "PLUGIN[1]: error: the reason", or "error: the reason" */
static const char *skip_nbdkit_thread(const char *line) {
        size_t n = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789-");
        const char *rest = n > 0 && line[n] == '[' ? strstr(line + n, "]: error: ") : NULL;

        if (rest)
                return rest + strlen("]: error: ");
        rest = startswith(line, "error: ");
        return rest ? rest : line;
}

static const char *skip_program(const char *line) {
        static const char *const programs[] = { "qemu-img: ", "qemu-nbd: ", "nbdkit: " };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                const char *rest = startswith(line, programs[i]);
                if (rest)
                        return streq(programs[i], "nbdkit: ") ? skip_nbdkit_thread(rest) : rest;
        }
        return line;
}

/* "Could not open 'json:{…}': the reason" names no file that anybody knows. */
static char *without_options(const char *line) {
        const char *begin = strstr(line, "'json:{"), *end = begin ? strstr(begin, "}'") : NULL;

        for (const char *next = end; next; next = strstr(end + 2, "}'"))
                end = next;
        return end ? strprintf("%.*sthe image%s", (int) (begin - line), line, end + 2) : strdup(line);
}

static bool is_worth_telling(char *const *lines, const char *line) {
        return *line && !startswith(line, "Try '") && !strv_contains((char **) lines, line);
}

/* Both ends are kept: the first line is mostly the cause, the last one what came of it. */
static char *shorten(char *text) {
        size_t length = strlen(text), half = (COMPLAINT_MAX - strlen(CUT)) / 2;

        if (length <= COMPLAINT_MAX)
                return text;
        size_t head = half, tail = length - half;
        while (head > 0 && ((unsigned char) text[head] & 0xc0) == 0x80)
                head--;
        while (tail < length && ((unsigned char) text[tail] & 0xc0) == 0x80)
                tail++;
        char *cut = strprintf("%.*s" CUT "%s", (int) head, text, text + tail);
        free(text);
        return cut;
}

char *complaint_text(const char *errors) {
        _cleanup_strv_free_ char **lines = NULL;

        for (const char *p = errors; p && *p;) {
                size_t length = strcspn(p, "\n");
                _cleanup_free_ char *raw = strndup(p, length);
                char *line = raw ? without_options(skip_program(raw)) : NULL;

                if (!line)
                        return NULL;
                if (!is_worth_telling(lines, line))
                        free(line);
                else if (strv_consume(&lines, line) < 0)
                        return NULL;
                p += length + (p[length] == '\n');
        }
        if (!lines)
                return NULL;
        char *text = strv_join(lines, "; ");
        return text ? shorten(text) : NULL;
}
