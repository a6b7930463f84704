/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Named sources: a vCenter or an ESXi host with the user that logs in to it. The password is not here: it is
 * a credential (manager/credentials.h) of the set that the row names. A row never changes. The same rules
 * and errors as in store.h. */

#include "store/store.h"

typedef struct SourceRow {
        char *name;
        char *type; /* "vsphere" */
        char *url, *username; /* url as vsphere_url_normalize() has it */
        char *datacenter; /* where its VMs are looked for first, or NULL */
        char *ca; /* PEM, or NULL */
        char *thumbprint; /* "AA:BB:…", or NULL */
        char *credentials; /* the name of the set that holds the password */
        usec_t created_at;
} SourceRow;

void source_row_done(SourceRow *row);
SourceRow *source_row_free(SourceRow *row);
DEFINE_CLEANUP_FUNC(SourceRow *, source_row_free);

typedef struct SourceRows {
        SourceRow *rows;
        size_t n;
} SourceRows;
void source_rows_done(SourceRows *rows);

/* -EEXIST: the name is taken. */
int store_source_insert(Store *s, const SourceRow *row);
/* The same in place of the one of this name. -ENOENT. */
int store_source_replace(Store *s, const SourceRow *row);
/* -ENOENT. */
int store_source_delete(Store *s, const char *name);
/* -ENOENT. */
int store_source_get(Store *s, const char *name, SourceRow **ret);
/* In the order of their names. */
int store_sources_list(Store *s, SourceRows *ret);
