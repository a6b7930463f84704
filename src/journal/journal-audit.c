/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal-audit.h"

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "journal/journal-open.h"

#define TEXT_MAX ((size_t) 4096)

/* What is written by which unit; a name that ends in "@" is a template. */
static const struct {
        const char *name, *unit;
} kinds[] = {
        [AUDIT_LOGIN] = { "login", "hyper-managerd.service" },
        [AUDIT_REFUSED] = { "refused", "hyper-auth@" },
        [AUDIT_REQUEST] = { "request", "hyper.service" },
};

const char *audit_kind_to_string(int kind) {
        return kind >= 0 && kind < _AUDIT_KIND_MAX ? kinds[kind].name : NULL;
}

int audit_kind_from_string(const char *s) {
        for (int i = 0; i < _AUDIT_KIND_MAX; i++)
                if (streq(kinds[i].name, s))
                        return i;
        return _AUDIT_KIND_INVALID;
}

static void entry_done(AuditEntry *e) {
        free(e->user);
        free(e->role);
        free(e->address);
        free(e->message);
}

void audit_entries_done(AuditEntries *l) {
        for (size_t i = 0; i < l->n; i++)
                entry_done(&l->entries[i]);
        free(l->entries);
        *l = (AuditEntries){};
}

/* --- an entry -------------------------------------------------------------------------------------- */

/* *ret is NULL if the entry has no such field. */
static int read_field(sd_journal *j, const char *name, char **ret) {
        const void *data;
        size_t size, skip = strlen(name) + 1;
        int r = sd_journal_get_data(j, name, &data, &size);

        *ret = NULL;
        if (r < 0 || size <= skip)
                return r == -ENOMEM ? r : 0;
        *ret = utf8_make_valid((const char *) data + skip, size - skip, TEXT_MAX);
        return *ret ? 0 : -ENOMEM;
}

static bool is_of(const char *unit, const char *wanted) {
        return endswith(wanted, "@") ? startswith(unit, wanted) != NULL : streq(unit, wanted);
}

/* 1, or 0 if it is none that counts. */
static int read_entry(sd_journal *j, AuditEntry *ret) {
        _cleanup_free_ char *kind = NULL, *unit = NULL;
        const struct {
                const char *name;
                char **value;
        } fields[] = { { "HYPER_AUDIT", &kind }, { "_SYSTEMD_UNIT", &unit }, { "HYPER_USER", &ret->user },
                { "HYPER_ROLE", &ret->role }, { "HYPER_ADDRESS", &ret->address },
                { "MESSAGE", &ret->message } };
        int r = sd_journal_get_realtime_usec(j, &ret->when), k;

        for (size_t i = 0; i < ELEMENTSOF(fields) && r >= 0; i++)
                r = read_field(j, fields[i].name, fields[i].value);
        if (r < 0)
                return r;
        k = kind ? audit_kind_from_string(kind) : _AUDIT_KIND_INVALID;
        if (k < 0 || !unit || !is_of(unit, kinds[k].unit))
                return 0;
        ret->kind = (AuditKind) k;
        return 1;
}

static bool is_wanted(const AuditEntry *e, const AuditFilter *filter) {
        return (filter->kinds == 0 || filter->kinds & 1u << e->kind) &&
                        (filter->before == 0 || e->when < filter->before) &&
                        (!filter->user || streq_ptr(e->user, filter->user));
}

/* --- all ------------------------------------------------------------------------------------------- */

static int add_matches(sd_journal *j, const char *user) {
        int r = 0;

        for (int i = 0; i < _AUDIT_KIND_MAX && r >= 0; i++) {
                _cleanup_free_ char *match = strprintf("HYPER_AUDIT=%s", kinds[i].name);

                r = match ? sd_journal_add_match(j, match, 0) : -ENOMEM;
        }
        if (r >= 0 && user) {
                _cleanup_free_ char *match = strprintf("HYPER_USER=%s", user);

                r = match ? sd_journal_add_match(j, match, 0) : -ENOMEM;
        }
        return r;
}

/* 1: it is the last that is read. */
static int take_entry(sd_journal *j, const AuditFilter *filter, size_t max, AuditEntries *l) {
        AuditEntry e = {};
        int r = read_entry(j, &e);

        if (r <= 0 || e.when <= filter->after || !is_wanted(&e, filter)) {
                entry_done(&e);
                return r < 0 ? r : filter->after > 0 && e.when <= filter->after;
        }
        if (l->n == max) {
                entry_done(&e);
                l->more = true;
                return 1;
        }
        if (!GREEDY_REALLOC(l->entries, l->allocated, l->n + 1)) {
                entry_done(&e);
                return -ENOMEM;
        }
        l->entries[l->n++] = e;
        return 0;
}

int journal_read_audit(const char *directory, const AuditFilter *filter, size_t max, AuditEntries *ret) {
        _cleanup_(audit_entries_done) AuditEntries list = {};
        _cleanup_journal_ sd_journal *j = NULL;
        int r = journal_open(directory, &j);

        if (r >= 0)
                r = add_matches(j, filter->user);
        if (r >= 0)
                r = filter->before > 0 ? sd_journal_seek_realtime_usec(j, filter->before)
                                       : sd_journal_seek_tail(j);
        while (r == 0 && (r = sd_journal_previous(j)) > 0)
                r = take_entry(j, filter, max, &list);
        if (r < 0)
                return r;
        *ret = list;
        list = (AuditEntries){};
        return 0;
}
