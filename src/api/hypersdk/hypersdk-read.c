/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-read.h"
#include "store/jobs-list.h"

#include <unistd.h>

#include "api/hypersdk/hypersdk-json.h"
#include "shared/settings.h"

/* How many jobs run here at once, as the manager's configuration says. It is read rather than asked for, so
 * that a look at /status does not start the manager. */
unsigned hypersdk_max_running(void) {
        _cleanup_(settings_freep) Settings *s = NULL;
        _cleanup_free_ char *error = NULL;

        /* A file that is broken is the manager's to complain about: it keeps what it had. */
        if (settings_load(SYSCONFDIR "/hyper", &s, &error) >= 0)
                return s->jobs.max_running;
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        return (unsigned) CLAMP(cores, 1L, 8L);
}

int hypersdk_read_status(Api *a, json_t **ret) {
        uint64_t counts[_JOB_STATE_MAX] = {};
        Store *store;
        int k;

        k = api_store(a, &store);
        if (k >= 0)
                k = store_jobs_count(store, counts);
        if (k < 0 && k != -ENOENT)
                return k;
        usec_t now = now_realtime(), started = api_started_at(a);
        *ret = hypersdk_status_json(counts, hypersdk_max_running(), now > started ? now - started : 0, now);
        return *ret ? 0 : -ENOMEM;
}

int hypersdk_read_jobs(Api *a, const JobFilter *filter, json_t **ret) {
        _cleanup_(job_rows_done) JobRows rows = {};
        Store *store;
        int k;

        k = api_store(a, &store);
        if (k >= 0)
                k = store_jobs_list(store, filter, &rows);
        if (k < 0 && k != -ENOENT)
                return k;
        *ret = hypersdk_jobs_json(&rows, now_realtime());
        return *ret ? 0 : -ENOMEM;
}
