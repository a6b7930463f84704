/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/database.h"

#include <errno.h>
#include <sys/stat.h>

#include "basic/log.h"
#include "basic/time-util.h"

#define CHECK_INTERVAL USEC_PER_SEC

/* Whether the file that is open is still the one under that name. Looked at once a second: a restored backup
 * is a rare thing, a request is not. */
static bool database_is_current(Database *d) {
        usec_t now = now_monotonic();
        struct stat st;

        if (now < d->checked + CHECK_INTERVAL)
                return true;
        if (stat(d->path, &st) < 0 || st.st_dev != d->dev || st.st_ino != d->ino)
                return false;
        d->checked = now;
        return true;
}

/* Whatever the cause is, for clients it is one error, and no other. */
static int refuse(const Database *d, int error) {
        (void) log_error_errno(error,
                        "Failed to open the database %s, so all requests are refused. Check its permissions "
                        "and its "
                        "disk: %m",
                        d->path);
        return -ENOMEDIUM;
}

int database_open(Database *d) {
        struct stat st;
        int r;

        if (d->store && !database_is_current(d)) {
                log_info("The database %s was replaced, opening it anew.", d->path);
                d->store = store_free(d->store);
        }
        if (d->store)
                return 0;
        if (!d->path)
                return -ENOENT;
        if (stat(d->path, &st) < 0) {
                if (errno == ENOENT)
                        return -ENOENT;
                return refuse(d, -errno);
        }
        r = d->open(d->path, STORE_READER, &d->store);
        if (r == -ENOENT || r == -EAGAIN)
                return r;
        if (r < 0)
                return refuse(d, r);
        d->dev = st.st_dev;
        d->ino = st.st_ino;
        d->checked = now_monotonic();
        return 1;
}

void database_done(Database *d) {
        d->store = store_free(d->store);
}
