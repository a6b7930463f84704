/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/limit-rules.h"

#include "basic/parse-util.h"
#include "basic/string-util.h"

void limit_rules_done(LimitRules *r) {
        for (size_t i = 0; i < r->n; i++)
                free(r->rules[i].pattern);
        free(r->rules);
        *r = (LimitRules){};
}

/* @n bytes of a name, of which the part behind the colon may be empty if a "*" follows. */
static bool is_name(const char *s, size_t n, bool may_be_empty) {
        size_t kind = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

        if (n > LIMIT_NAME_MAX || kind == 0 || kind >= n || s[kind] != ':')
                return false;
        if (kind + 1 == n)
                return may_be_empty;
        if (s[kind + 1] == ' ' || (!may_be_empty && s[n - 1] == ' '))
                return false;
        for (size_t i = kind + 1; i < n; i++)
                if ((unsigned char) s[i] < ' ' || s[i] == 0x7f || s[i] == '*')
                        return false;
        return true;
}

bool limit_name_is_valid(const char *name) {
        return utf8_is_valid(name) && is_name(name, strlen(name), false);
}

bool limit_pattern_is_valid(const char *pattern) {
        size_t n = strlen(pattern);

        if (n == 0 || pattern[n - 1] != '*')
                return limit_name_is_valid(pattern);
        return utf8_is_valid(pattern) && is_name(pattern, n - 1, true);
}

static LimitRule *find(const LimitRules *r, const char *pattern) {
        for (size_t i = 0; i < r->n; i++)
                if (streq(r->rules[i].pattern, pattern))
                        return &r->rules[i];
        return NULL;
}

bool limit_rules_have(const LimitRules *r, const char *pattern) {
        return find(r, pattern);
}

int limit_rules_set(LimitRules *r, const char *pattern, unsigned max) {
        LimitRule *rule = find(r, pattern);
        size_t allocated = r->n;

        if (!limit_pattern_is_valid(pattern))
                return -EINVAL;
        if (!rule) {
                if (r->n >= LIMIT_RULES_MAX)
                        return -E2BIG;
                if (!GREEDY_REALLOC(r->rules, allocated, r->n + 1))
                        return -ENOMEM;
                rule = &r->rules[r->n];
                *rule = (LimitRule){ .pattern = strdup(pattern) };
                if (!rule->pattern)
                        return -ENOMEM;
                r->n++;
        }
        rule->max = max;
        return 0;
}

unsigned limit_rules_max(const LimitRules *r, const char *name) {
        const LimitRule *best = NULL;
        size_t length = 0;

        for (size_t i = 0; r && i < r->n; i++) {
                const LimitRule *rule = &r->rules[i];
                size_t n = strlen(rule->pattern);

                if (rule->pattern[n - 1] != '*') {
                        if (streq(rule->pattern, name))
                                return rule->max;
                } else if (n > length && strncmp(rule->pattern, name, n - 1) == 0) {
                        best = rule;
                        length = n;
                }
        }
        return best ? best->max : LIMIT_UNLIMITED;
}

char *limit_rules_to_text(const LimitRules *r) {
        _cleanup_strv_free_ char **lines = NULL;

        for (size_t i = 0; i < r->n; i++)
                if (strv_extendf(&lines, "%u %s\n", r->rules[i].max, r->rules[i].pattern) < 0)
                        return NULL;
        return lines ? strv_join(lines, "") : strdup("");
}

int limit_rules_from_text(LimitRules *r, const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy;

        if (!copy)
                return -ENOMEM;
        for (char *line; (line = strsep(&rest, "\n")) && *line;) {
                char *pattern = strchr(line, ' ');
                unsigned max;

                if (!pattern)
                        return -EBADMSG;
                *pattern++ = '\0';
                if (parse_unsigned(line, &max) < 0)
                        return -EBADMSG;
                int k = limit_rules_set(r, pattern, max);
                if (k < 0)
                        return k == -ENOMEM ? k : -EBADMSG;
        }
        return 0;
}
