/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who has done what over HTTP: the entries with HYPER_AUDIT= in the journal. Only those of the units that
 * write them are read, since any user may write to the journal. */

#include "basic/time-util.h"

typedef enum AuditKind {
        AUDIT_LOGIN, /* a session began, was refreshed or ended: hyper-managerd.service */
        AUDIT_REFUSED, /* a login was refused: hyper-auth@.service */
        AUDIT_REQUEST, /* something was changed: hyper.service */
        _AUDIT_KIND_MAX,
        _AUDIT_KIND_INVALID = -EINVAL,
} AuditKind;

const char *audit_kind_to_string(int kind) _pure_;
int audit_kind_from_string(const char *s) _pure_;

typedef struct AuditEntry {
        usec_t when;
        AuditKind kind;
        char *user, *role, *address, *message; /* NULL: not given; valid UTF-8 */
} AuditEntry;

typedef struct AuditEntries {
        AuditEntry *entries;
        size_t n, allocated;
        bool more; /* there are older ones */
} AuditEntries;
void audit_entries_done(AuditEntries *l);

typedef struct AuditFilter {
        usec_t after, before; /* exclusive; 0: no limit */
        unsigned kinds; /* a bit for each; 0: all */
        const char *user; /* NULL: all */
} AuditFilter;

/* The newest first, @max at most. @directory as for journal_open(). 0 or negative errno. */
int journal_read_audit(const char *directory, const AuditFilter *filter, size_t max, AuditEntries *ret);
