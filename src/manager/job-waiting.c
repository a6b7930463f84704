/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-waiting.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/job-event.h"
#include "manager/manager.h"
#include "json/json-table.h"

void job_tell_waiting(Job *j) {
        JobEvent e = JOB_EVENT_INIT(EVENT_WARM_WAITING);
        char time[RFC3339_SIZE];

        if (!job_waits(j) || !j->warm)
                return;
        bool cutover = j->warm->cutover_at > 0 && j->warm->cutover_at <= j->row->due_at;
        format_rfc3339(time, j->row->due_at);
        _cleanup_free_ char *message =
                        strprintf("%s begins at %s", cutover ? "The cutover" : "The next pass", time);
        _cleanup_json_ json_t *details = json_pack("{s:I, s:s, s:f, s:b}", "passes",
                        (json_int_t) j->warm->passes, "next", time, "estimate_seconds",
                        j->warm->estimate_seconds, "cutover", (int) cutover);
        e.job_id = j->row->id;
        e.message = message;
        e.details = details;
        int r = message && details ? j->manager->send_event(&e) : -ENOMEM;
        if (r < 0)
                log_warning_errno(r, "Failed to log when job %s goes on: %m", j->row->id);
}
