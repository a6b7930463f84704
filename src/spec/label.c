/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/label.h"

#include "basic/string-util.h"
#include "spec/job-path.h"

/* --- labels ---------------------------------------------------------------------------------------- */

bool label_is_valid(const char *label) {
        size_t n = strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789._-");

        return n > 0 && n <= LABEL_MAX && label[n] == '\0' && !strchr("._-", label[0]);
}

bool labels_are_valid(char *const *labels) {
        STRV_FOREACH(label, labels)
                if (!label_is_valid(*label))
                        return false;
        return strv_length(labels) <= LABELS_MAX;
}

static int by_bytes(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

char *labels_to_text(char *const *labels) {
        _cleanup_strv_free_ char **sorted = NULL;

        STRV_FOREACH(label, labels)
                if (!strv_contains(sorted, *label) && strv_extend(&sorted, *label) < 0)
                        return NULL;
        if (!sorted)
                return strdup("");
        qsort(sorted, strv_length(sorted), sizeof(char *), by_bytes);
        return strv_join(sorted, "\n");
}

json_t *labels_to_json(const char *text) {
        json_t *list = json_array();

        for (const char *p = text; list && *p;) {
                size_t n = strcspn(p, "\n");

                if (json_array_append_new(list, json_stringn(p, n)) < 0) {
                        json_decref(list);
                        return NULL;
                }
                p += n + (p[n] == '\n');
        }
        return list;
}

bool labels_have(const char *text, const char *label) {
        size_t size = strlen(label);

        for (const char *p = text; *p;) {
                size_t n = strcspn(p, "\n");

                if (n == size && memcmp(p, label, n) == 0)
                        return true;
                p += n + (p[n] == '\n');
        }
        return false;
}

/* --- storage --------------------------------------------------------------------------------------- */

void storage_rules_done(StorageRules *r) {
        for (size_t i = 0; i < r->n; i++) {
                free(r->rules[i].prefix);
                free(r->rules[i].label);
        }
        free(r->rules);
        *r = (StorageRules){};
}

/* Without slashes at its end, so that "/" is empty. NULL: not a path, or out of memory. */
static int normalize(const char *path, char **ret) {
        const char *reason;
        size_t n = strlen(path);

        while (n > 0 && path[n - 1] == '/')
                n--;
        char *prefix = strndup(path, n);
        if (!prefix)
                return -ENOMEM;
        if (path[0] != '/' || (n > 0 && !job_path_is_valid(prefix, /* is_destination= */ false, &reason))) {
                free(prefix);
                return -EINVAL;
        }
        *ret = prefix;
        return 0;
}

int storage_rules_set(StorageRules *r, const char *prefix, const char *label) {
        _cleanup_free_ char *normal = NULL;
        size_t allocated = r->n;
        int k = label_is_valid(label) ? normalize(prefix, &normal) : -EINVAL;

        if (k < 0)
                return k;
        for (size_t i = 0; i < r->n; i++)
                if (streq(r->rules[i].prefix, normal))
                        return free_and_strdup(&r->rules[i].label, label);
        if (r->n >= STORAGE_RULES_MAX)
                return -E2BIG;
        if (!GREEDY_REALLOC(r->rules, allocated, r->n + 1))
                return -ENOMEM;
        r->rules[r->n] = (StorageRule){ .label = strdup(label) };
        if (!r->rules[r->n].label)
                return -ENOMEM;
        r->rules[r->n++].prefix = TAKE_PTR(normal);
        return 0;
}
