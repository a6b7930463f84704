/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/placement.h"

#include "basic/string-util.h"

static const struct {
        const char *key;
        size_t offset;
        char sign;
} kinds[] = {
        { "placement.all", offsetof(JobSpec, placement.all), '+' },
        { "placement.none", offsetof(JobSpec, placement.none), '-' },
        { "placement.preferred", offsetof(JobSpec, placement.preferred), '~' },
};

static char *const *labels_of(const JobSpec *s, size_t kind) {
        return *(char ***) ((char *) s + kinds[kind].offset);
}

static int add_word(char ***words, char sign, const char *label) {
        _cleanup_free_ char *word = strprintf("%c%s", sign, label);

        return !word ? -ENOMEM : strv_contains(*words, word) ? 0 : strv_extend(words, word);
}

/* All rules count whose prefix the path is below, the longer and the shorter ones. */
static int add_storage(const StorageRules *storage, const char *path, char ***words) {
        int r = 0;

        for (size_t i = 0; storage && path && i < storage->n && r >= 0; i++) {
                const char *rest = startswith(path, storage->rules[i].prefix);

                if (rest && (*rest == '/' || *rest == '\0'))
                        r = add_word(words, '+', storage->rules[i].label);
        }
        return r;
}

static int add_endpoint(const StorageRules *storage, const JobEndpoint *e, char ***words) {
        int r = e->type == ENDPOINT_FILE || (e->type == ENDPOINT_KVM && !kvm_spec_is_remote(&e->kvm))
                        ? add_storage(storage, e->path, words)
                        : 0;

        STRV_FOREACH(path, e->further_disks)
                if (r >= 0)
                        r = add_storage(storage, *path, words);
        return r;
}

/* --- jobs ------------------------------------------------------------------------------------------ */

int job_placement_check(const JobSpec *s, JsonErrors *errors) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(kinds) && r >= 0; i++)
                if (!labels_are_valid(labels_of(s, i)))
                        r = json_errors_add(errors, kinds[i].key, "%s", LABELS_EXPECTED);
        STRV_FOREACH(label, s->placement.none)
                if (r >= 0 && strv_contains(s->placement.all, *label))
                        r = json_errors_add(errors, "placement.none",
                                        "must not have the label \"%s\", which is in placement.all", *label);
        if (r >= 0 && strv_length(s->placement.none) > 0 && s->executor == JOB_EXECUTOR_SLURM)
                r = json_errors_add(errors, "placement.none",
                                "must not be given for the executor slurm, which has no such constraint");
        return r;
}

int job_placement_add_words(const JobSpec *s, const StorageRules *storage, char ***words) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                STRV_FOREACH(label, labels_of(s, i))
                        if (r >= 0)
                                r = add_word(words, kinds[i].sign, *label);
        if (r >= 0)
                r = add_endpoint(storage, &s->source, words);
        return r < 0 || !job_spec_has_destination(s) ? r : add_endpoint(storage, &s->destination, words);
}

bool placement_is_word(const char *word) {
        return word[0] && strchr("+-~", word[0]) && !strchr(word, ':');
}

bool placement_is_met(const char *word, const char *labels) {
        return labels_have(labels, word + 1) == (word[0] != '-');
}
