/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changes of a hive as tables: what is to be in it afterwards. */

#include "guest/changes.h"
#include "guest/registry.h"

typedef enum RegistryAction {
        REGISTRY_SET, /* the value */
        REGISTRY_SET_IF_KEY, /* the same, unless there is no such key */
        REGISTRY_APPEND, /* the text behind a semicolon, unless it is part of the value already */
        REGISTRY_REMOVE, /* the key, with all that is below it */
} RegistryAction;

typedef struct RegistryEdit {
        const char *key; /* NULL ends a table */
        const char *name; /* of the value; "" is the default one */
        RegistryType type;
        const char *text; /* TEXT, EXPAND, LIST (of this one) */
        uint32_t number; /* NUMBER */
        const char *data; /* BINARY */
        size_t size;
        RegistryAction action;
} RegistryEdit;

/* What "{set}", "{driver}" and so on in a key, name or text stand for. */
typedef struct RegistryWord {
        const char *word, *text; /* NULL ends a list */
} RegistryWord;

/* Carries a table out, and adds each value that was different to @changes. 0, -ENOMEM, or what an operation
 * of the hive returned. */
int registry_apply(const Registry *r, const RegistryEdit *edits, const RegistryWord *words, const char *step,
                Changes *changes);
