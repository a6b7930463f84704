/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-retry.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/watch.h"

static int retry_one(Ctl *ctl, sd_bus *bus, const char *id) {
        _cleanup_free_ char *what = strprintf("Retrying job %s", id);

        if (!what)
                return log_oom(), EXIT_OTHER;
        return client_call(ctl, bus, NULL, what, "RetryJob", "sa{sv}", id, 0);
}

/* All are tried, also behind one that fails. */
int verb_retry(Ctl *ctl, char **words) {
        _cleanup_strv_free_ char **retried = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int first, status;

        first = client_connect(ctl, &bus);
        if (first != EXIT_OK)
                return first;
        STRV_FOREACH(id, words) {
                status = retry_one(ctl, bus, *id);
                if (status == EXIT_OK && strv_extend(&retried, *id) < 0)
                        return log_oom(), EXIT_OTHER;
                if (first == EXIT_OK)
                        first = status;
        }
        if (!ctl->args.wait || !retried)
                return first;
        status = watch_jobs(ctl, &bus, retried);
        return first != EXIT_OK ? first : status;
}
