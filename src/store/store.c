/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "basic/string-util.h"
#include "store/schema-hosts.h"
#include "store/schema.h"
#include "store/sql.h"
#include "store/store.h"

/* What the connection is told before anything else. WAL lets readers read while the owner writes; FULL makes
 * a commit durable before it returns. */
static int configure_owner(Store *s) {
        int on = 1;

        if (sqlite3_exec(s->db,
                            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                            "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=33554432",
                            NULL, NULL, NULL) != SQLITE_OK)
                return sql_errno(s);
        /* -wal and -shm stay when the owner sleeps: a reader that may not write could not make them. */
        if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on) != SQLITE_OK)
                return sql_errno(s);
        return schema_migrate(s);
}

/* SQLite counts its memory, for which it takes a lock with each piece. */
static void configure_library(void) {
        (void) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int open_schema(const char *path, StoreMode mode, const Schema *schema, Store **ret) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        _cleanup_(store_freep) Store *s = new0(Store, 1);
        int flags = mode == STORE_OWNER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
        int r;

        if (!s)
                return -ENOMEM;
        (void) pthread_once(&once, configure_library);
        s->schema = schema;
        /* SQLite has one error for all that keeps it from opening a file; ask the kernel. */
        if (mode == STORE_READER && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0)
                return -errno;
        if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) !=
                        SQLITE_OK)
                return s->db ? sql_errno(s) : -ENOMEM;
        (void) sqlite3_busy_timeout(s->db, 5000);
        /* Rows are written by this program alone, but the file may be damaged. What SQLite would put into
         * temporary files (a statement that touches many pages) stays in memory: in a sandbox there is no
         * place for them. */
        if (sqlite3_exec(s->db,
                            "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY",
                            NULL, NULL, NULL) != SQLITE_OK)
                return sql_errno(s);
        r = mode == STORE_OWNER ? configure_owner(s) : schema_check(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

int store_open(const char *path, StoreMode mode, Store **ret) {
        return open_schema(path, mode, &schema_jobs, ret);
}

int store_open_hosts(const char *path, StoreMode mode, Store **ret) {
        return open_schema(path, mode, &schema_hosts, ret);
}

Store *store_free(Store *s) {
        if (!s)
                return NULL;
        sql_forget(s);
        for (size_t i = 0; i < _SQL_MAX; i++)
                (void) sqlite3_finalize(s->statements[i]);
        (void) sqlite3_close(s->db);
        return mfree(s);
}

const char *store_error_text(Store *s) {
        return sqlite3_errmsg(s->db);
}
