/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-cancel.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/watch.h"

static int cancel_one(Ctl *ctl, sd_bus *bus, const char *id) {
        _cleanup_free_ char *what = strprintf("Cancelling job %s", id);

        if (!what)
                return log_oom(), EXIT_OTHER;
        return client_call(ctl, bus, NULL, what, "CancelJob", "s", id);
}

/* All are tried, also behind one that fails. */
int verb_cancel(Ctl *ctl, char **words) {
        _cleanup_strv_free_ char **cancelled = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int first, status;

        first = client_connect(ctl, &bus);
        if (first != EXIT_OK)
                return first;
        STRV_FOREACH(id, words) {
                status = cancel_one(ctl, bus, *id);
                if (status == EXIT_OK && strv_extend(&cancelled, *id) < 0)
                        return log_oom(), EXIT_OTHER;
                if (first == EXIT_OK)
                        first = status;
        }
        if (!ctl->args.wait || !cancelled)
                return first;
        /* A job that ended as cancelled is what was asked for. */
        status = watch_jobs(ctl, &bus, cancelled);
        return first != EXIT_OK ? first : status == EXIT_JOB_CANCELLED ? EXIT_OK : status;
}
