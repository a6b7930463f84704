/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many jobs may hold a limit of a certain name at the same time. A limit is "KIND:NAME", such as
 * "vcenter:vc1.example.com" or "datastore:san 3". A rule is for one name, or, with "*" at its end, for all
 * names that begin with what is before it. The longest one that matches a name counts; a rule without "*"
 * is longer than all with it. */

#include <limits.h>

#include "basic/macro.h"

#define LIMIT_NAME_MAX 160u /* bytes */
#define LIMIT_RULES_MAX 1024u
#define LIMIT_COUNT_MAX 100000u
#define LIMIT_UNLIMITED UINT_MAX

typedef struct LimitRule {
        char *pattern;
        unsigned max; /* or LIMIT_UNLIMITED */
} LimitRule;

typedef struct LimitRules {
        LimitRule *rules;
        size_t n;
} LimitRules;

void limit_rules_done(LimitRules *r);

/* "KIND:NAME": the kind of lower-case letters, digits and "-", the name of any UTF-8 without control
 * characters, "*" and blanks at its ends. */
bool limit_name_is_valid(const char *name) _pure_;
/* The same, or with "*" at its end. */
bool limit_pattern_is_valid(const char *pattern) _pure_;

/* Adds a rule, or replaces the one for the same pattern. 0; -EINVAL: not a pattern; -E2BIG; -ENOMEM. */
int limit_rules_set(LimitRules *r, const char *pattern, unsigned max);
/* A line for each, and back. The caller frees; NULL when out of memory. 0, -EBADMSG or -ENOMEM. */
char *limit_rules_to_text(const LimitRules *r);
int limit_rules_from_text(LimitRules *r, const char *text);
bool limit_rules_have(const LimitRules *r, const char *pattern) _pure_;

/* LIMIT_UNLIMITED if no rule matches. @r may be NULL. */
unsigned limit_rules_max(const LimitRules *r, const char *name) _pure_;
