/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Labels of machines, such as "vlan10" or "san-b", and the storage that only machines with a certain label
 * have. */

#include <jansson.h>

#include "basic/macro.h"

#define LABEL_MAX 64u /* bytes */
#define LABELS_MAX 16u
#define LABELS_EXPECTED                                                                            \
        "must be labels: 1 to 64 lower-case letters, digits, \".\", \"_\" and \"-\", the first a " \
        "letter or digit; at most 16"
#define STORAGE_RULES_MAX 256u

/* Lower-case letters, digits, ".", "_" and "-", the first a letter or a digit. */
bool label_is_valid(const char *label) _pure_;
/* A list of them; NULL is one. */
bool labels_are_valid(char *const *labels) _pure_;

/* The labels of a machine as one text: in the order of their bytes, each once, separated by newlines. NULL
 * when out of memory; the caller frees. */
char *labels_to_text(char *const *labels);
/* The same as a list of JSON. New reference; NULL when out of memory. */
json_t *labels_to_json(const char *text);
bool labels_have(const char *text, const char *label) _pure_;

/* Files below @prefix are only on machines with this label. */
typedef struct StorageRule {
        char *prefix, *label;
} StorageRule;

typedef struct StorageRules {
        StorageRule *rules;
        size_t n;
} StorageRules;

void storage_rules_done(StorageRules *r);
/* Adds a rule, or replaces the one for the same prefix, an absolute path. 0; -EINVAL: not a path or not a
 * label; -E2BIG; -ENOMEM. */
int storage_rules_set(StorageRules *r, const char *prefix, const char *label);
