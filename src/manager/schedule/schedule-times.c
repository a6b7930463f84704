/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/schedule/schedule-times.h"

#include "basic/string-util.h"
#include "spec/cron-calendar.h"
#include "spec/cron.h"

usec_t schedule_next(const ScheduleRow *row, usec_t now) {
        _cleanup_(cron_done) Cron cron = {};
        _cleanup_free_ char *why = NULL;
        usec_t next;

        if (!row->enabled || cron_parse(row->expression, &cron, &why) < 0)
                return 0;
        if (cron.every > 0)
                return cron_every_next(cron.every, row->created_at, now);
        return cron_next(&cron, now, &next) < 0 ? 0 : next;
}

int schedule_calendar(const ScheduleRow *row, usec_t *ret_every, char ***ret_lines) {
        _cleanup_(cron_done) Cron cron = {};
        _cleanup_free_ char *why = NULL;
        int r = cron_parse(row->expression, &cron, &why);

        if (r >= 0)
                r = cron_to_calendar(&cron, ret_lines);
        if (r >= 0 && ret_every)
                *ret_every = cron.every;
        return r;
}

bool schedule_needs_time(const ScheduleRow *row, usec_t now) {
        _cleanup_(cron_done) Cron cron = {};
        _cleanup_free_ char *why = NULL;

        return row->enabled && row->next_at > 0 && cron_parse(row->expression, &cron, &why) >= 0 &&
                        cron_crosses_clock_change(&cron, now, row->next_at);
}

/* What is due stands in the row; but its next_at is no longer right when the clock was set back or the
 * machine's time zone is another one since, and systemd has moved its timer accordingly. So a timer is
 * believed, too, if the expression has a time just now, unless that one was served: then the clock was set
 * back over it, by less than three hours, as cron(8) has it. */
bool schedule_is_due(const ScheduleRow *row, usec_t now) {
        _cleanup_(cron_done) Cron cron = {};
        _cleanup_free_ char *why = NULL;
        usec_t expected;

        if (!row->enabled)
                return false;
        if (row->next_at > 0 && row->next_at <= now + SCHEDULE_SLACK)
                return true;
        if (cron_parse(row->expression, &cron, &why) < 0)
                return false;
        if (cron.every > 0)
                return row->last_run_at > now || row->next_at > now + cron.every;
        if (now < USEC_PER_MINUTE || cron_next(&cron, now - USEC_PER_MINUTE, &expected) < 0 ||
                        expected > now + SCHEDULE_SLACK || expected < row->updated_at)
                return false;
        return row->last_run_at + SCHEDULE_SLACK < expected || row->last_run_at > now + 3 * USEC_PER_HOUR;
}
