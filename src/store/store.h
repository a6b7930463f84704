/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The database: nouns and rows, not SQL. All SQL is in this directory, prepared once, parameters bound. One
 * owner writes; any number of readers open the same file read-only. Every write below is one transaction
 * that is on disk (synchronous=FULL) when the function returns 0.
 *
 * Errors: -ENOENT no such row, -EEXIST the id is taken, -ESTALE the row is not in the expected state,
 * -EBADMSG the file is not such a database or of a newer schema, -EAGAIN (to a reader only) its owner has to
 * open it first, because it is of an older schema or its -wal and -shm are not as they should be, -EBUSY,
 * -ENOSPC, -EIO, -ENOMEM. */

#include "basic/time-util.h"
#include "shared/role.h"
#include "spec/job-state.h"

typedef struct Store Store;

typedef enum StoreMode {
        STORE_OWNER, /* creates and migrates; keeps -wal and -shm present when it closes */
        STORE_READER, /* read-only; works while no owner runs */
} StoreMode;

int store_open(const char *path, StoreMode mode, Store **ret); /* the manager's */
int store_open_hosts(const char *path, StoreMode mode, Store **ret); /* hyper-hostd's, see hosts.h */
Store *store_free(Store *s);
DEFINE_CLEANUP_FUNC(Store *, store_free);

/* What went wrong last, in SQLite's words, for a log line. */
const char *store_error_text(Store *s);
