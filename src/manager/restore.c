/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/restore.h"
#include "store/deliveries.h"
#include "store/jobs-list.h"

#include "basic/string-util.h"
#include "manager/boot-mark.h"
#include "manager/job-directory.h"
#include "manager/schedule/schedule-run.h"
#include "manager/schedule/schedule-timer.h"
#include "store/schedules.h"
#include "store/webhooks.h"

int restore_is_needed(Store *s, const char *state_directory, bool *ret) {
        _cleanup_strv_free_ char **ids = NULL;
        uint64_t jobs[_JOB_STATE_MAX], deliveries[_DELIVERY_STATE_MAX];
        ScheduleStats schedules;
        bool needed = false;
        int r;

        r = store_jobs_count(s, jobs);
        if (r < 0)
                return r;
        r = store_schedules_stats(s, &schedules);
        if (r < 0)
                return r;
        r = store_deliveries_count(s, deliveries);
        if (r < 0)
                return r;
        for (JobState state = 0; state < _JOB_STATE_MAX; state++)
                needed = needed || (!job_state_is_terminal(state) && jobs[state] > 0);
        r = job_directories_list(state_directory, &ids);
        if (r < 0)
                return r;
        *ret = needed || strv_length(ids) > 0 || schedules.enabled > 0 || deliveries[DELIVERY_PENDING] > 0;
        return 0;
}

int restore_after_boot(Manager *m) {
        int r = boot_mark_is_set(m);

        if (r != 0)
                return r < 0 ? r : 0;
        m->restoring = true;
        schedule_catch_up(m);
        schedule_runs_continue(m, NULL);
        r = schedule_timers_restore(m, NULL);
        return r < 0 ? r : 0;
}
