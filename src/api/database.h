/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A database of somebody else's, read only: opened when it is first asked for, and again when another file
 * has taken its place. */

#include <sys/types.h>

#include "store/store.h"

typedef struct Database {
        const char *path; /* the owner's; NULL: there is none */
        int (*open)(const char *path, StoreMode mode, Store **ret);
        Store *store; /* NULL: not open */
        dev_t dev;
        ino_t ino;
        usec_t checked; /* monotonic */
} Database;

/* Sees to it that @store is that of the file which is there now: 1 if it was opened anew, 0 if it was open.
 * -ENOENT if there is no file, and for no other cause; -EAGAIN if only its owner can open it at present;
 * -ENOMEDIUM for everything else, which is logged. */
int database_open(Database *d);
/* Closes it. */
void database_done(Database *d);
