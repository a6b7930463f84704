/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/file-contexts.h"

#include <ctype.h>
#include <regex.h>

#include "basic/string-util.h"

#define BLANKS " \t"
#define META ".^$?*+|[](){}\\"
#define PATTERN_MAX 256u
#define CONTEXT_MAX 256u
#define REPETITIONS_MAX 8u
#define CONTEXT_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:.,-"

typedef struct Line {
        char pattern[PATTERN_MAX];
        char type; /* 0: any, or the letter of -d, -- and so on */
        const char *context;
        size_t context_length;
} Line;

static size_t word_length(const char *p) {
        return strcspn(p, BLANKS "\n");
}

/* False for an empty line, a comment, and what is malformed. */
static bool parse(const char *p, Line *ret) {
        Line l = {};
        size_t n;

        p += strspn(p, BLANKS);
        n = word_length(p);
        if (*p != '/' || n >= sizeof(l.pattern))
                return false;
        memcpy(l.pattern, p, n);
        p += n;
        p += strspn(p, BLANKS);
        if (*p == '-' && word_length(p) == 2) {
                l.type = p[1];
                p += 2;
                p += strspn(p, BLANKS);
        }
        l.context = p;
        l.context_length = word_length(p);
        *ret = l;
        return l.context_length > 0;
}

/* Removes the backslashes of a pattern that has no other special characters; false if it has. */
static bool to_literal(const char *pattern, char *ret) {
        for (const char *p = pattern; *p; p++) {
                if (*p == '\\' && p[1] && !isalnum((unsigned char) p[1]))
                        p++;
                else if (strchr(META, *p))
                        return false;
                *ret++ = *p;
        }
        *ret = 0;
        return true;
}

/* Whether the part before the first special character rules the path out. */
static bool begins_otherwise(const char *pattern, const char *path) {
        size_t n = strcspn(pattern, META);

        /* The last character may be optional, and an alternative begins anew. */
        return !strchr(pattern, '|') && n > 0 && strncmp(pattern, path, n - 1) != 0;
}

/* References to groups and counts can make a match take forever, and no policy has them. regcomp() copies
 * what each "+" repeats, so that nested ones double it each time. */
static bool is_expensive(const char *pattern) {
        unsigned repetitions = 0;

        for (const char *p = pattern; *p; p++) {
                if (*p == '{' || (*p == '\\' && isdigit((unsigned char) p[1])))
                        return true;
                repetitions += *p == '+';
        }
        return repetitions > REPETITIONS_MAX;
}

/* 1, 0, or -ENOMEM. */
static int matches(const char *pattern, const char *path) {
        _cleanup_free_ char *anchored = NULL;
        regex_t regex;

        if (begins_otherwise(pattern, path) || is_expensive(pattern))
                return 0;
        anchored = strprintf("^(%s)$", pattern);
        if (!anchored)
                return -ENOMEM;
        int r = regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB);
        if (r != 0)
                return r == REG_ESPACE ? -ENOMEM : 0;
        r = regexec(&regex, path, 0, NULL, 0);
        regfree(&regex);
        return r == 0;
}

static bool context_is_plain(const char *context, size_t n) {
        return n < CONTEXT_MAX && strspn(context, CONTEXT_CHARACTERS) >= n;
}

int file_contexts_find(const char *text, const char *path, bool directory, char **ret) {
        Line found = {}, exact = {};

        for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
                char literal[PATTERN_MAX];
                Line l;

                if (!parse(p, &l) || (l.type && l.type != (directory ? 'd' : '-')))
                        continue;
                if (to_literal(l.pattern, literal)) {
                        if (streq(literal, path))
                                exact = l;
                        continue;
                }
                int r = matches(l.pattern, path);
                if (r < 0)
                        return r;
                if (r > 0)
                        found = l;
        }
        if (exact.context)
                found = exact;
        /* "<<none>>" is not plain either. */
        if (!found.context || !context_is_plain(found.context, found.context_length))
                return 0;
        *ret = strndup(found.context, found.context_length);
        return *ret ? 1 : -ENOMEM;
}

char *selinux_config_value(const char *text, const char *key) {
        const char *value = NULL;

        for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
                const char *q = startswith(p + strspn(p, BLANKS), key);
                if (q && *q == '=')
                        value = q + 1;
        }
        if (!value)
                return NULL;
        size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
        return n > 0 && n < CONTEXT_MAX ? strndup(value, n) : NULL;
}
