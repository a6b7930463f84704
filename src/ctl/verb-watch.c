/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-watch.h"
#include "ctl/client.h"
#include "ctl/watch.h"

int verb_watch(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = client_connect(ctl, &bus);

        return status != EXIT_OK ? status : watch_jobs(ctl, &bus, words);
}
