/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/restore.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/schedule/schedule-run.h"
#include "manager/schedule/schedule-timer.h"
#include "store/schedules.h"
#include "store/webhooks.h"

/* In the runtime directory, which a boot empties: all timers were set in this boot. (The boot id in
 * /proc/sys is not visible with ProcSubset=pid.) */
#define MARK "restored"

int restore_is_needed(Store *s, bool *ret) {
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
        *ret = needed || schedules.enabled > 0 || deliveries[DELIVERY_PENDING] > 0;
        return 0;
}

int restore_after_boot(Manager *m) {
        _cleanup_free_ char *mark = strprintf("%s/" MARK, m->runtime_directory);
        int r;

        if (!mark)
                return -ENOMEM;
        if (access(mark, F_OK) >= 0)
                return 0;
        if (errno != ENOENT)
                return -errno;
        m->restoring = true;
        schedule_catch_up(m);
        schedule_runs_continue(m, NULL);
        r = schedule_timers_restore(m, NULL);
        return r < 0 ? r : 0;
}

void restore_done(Manager *m) {
        _cleanup_free_ char *mark = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (!m->restoring)
                return;
        m->restoring = false;
        mark = strprintf("%s/" MARK, m->runtime_directory);
        if (mark)
                fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                log_warning_errno(mark ? -errno : -ENOMEM,
                                "Failed to record that the timers of schedules are set: %m");
}
