/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* udev rules that name network interfaces by hardware that stays behind. */

#include "guest/changes.h"

/* Comments out the rules that give an interface a name if it has a driver or a path of the source's
 * hardware. 1 with *ret (caller frees), 0 or -ENOMEM. */
int udev_rules_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);

/* The length of the rule that begins at @line, without its last line end: a line that ends with a backslash
 * is continued. */
size_t udev_rule_length(const char *line) _pure_;
/* The value of KEY OP "value" in a rule: @op is "==" for a match, "=" for an assignment ("=" or ":=").
 * NULL: there is none, or the rule is a comment. */
const char *udev_rule_value(
                const char *rule, size_t length, const char *key, const char *op, size_t *ret_length);
