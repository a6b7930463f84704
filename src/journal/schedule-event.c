/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <systemd/sd-id128.h>

#include "basic/string-util.h"
#include "journal/schedule-event.h"
#include "spec/job-spec.h"

#define MANAGER_UNIT "hyper-managerd.service"
/* What "-20261121T020000Z-1a2b" adds to a schedule's id to make the id of a job. */
#define JOB_SUFFIX "-20261121T020000Z-1a2b"

/* Texts for them are in units/hyper.catalog. */
static const struct {
        const char *name;
        sd_id128_t id;
        int priority;
} kinds[_SCHEDULE_EVENT_MAX] = {
        [SCHEDULE_TRIGGERED] = { "triggered",
                        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, 21), 6 },
        [SCHEDULE_COMPLETED] = { "completed",
                        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, 22), 6 },
        [SCHEDULE_FAILED] = { "failed",
                        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, 23), 4 },
        [SCHEDULE_SKIPPED] = { "skipped",
                        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, 24), 5 },
};

const char *schedule_event_to_string(ScheduleEventKind k) {
        return k >= 0 && k < _SCHEDULE_EVENT_MAX ? kinds[k].name : NULL;
}

ScheduleEventKind schedule_event_from_string(const char *s) {
        for (int i = 0; s && i < _SCHEDULE_EVENT_MAX; i++)
                if (streq(kinds[i].name, s))
                        return i;
        return _SCHEDULE_EVENT_INVALID;
}

bool schedule_id_is_valid(const char *id) {
        char buf[JOB_ID_MAX + 1];
        size_t n = strlen(id);

        if (n + strlen(JOB_SUFFIX) > JOB_ID_MAX)
                return false;
        memcpy(buf, id, n);
        strcpy(buf + n, JOB_SUFFIX);
        return n > 0 && job_id_is_valid(buf);
}

char *schedule_unit_name(const char *id, const char *type) {
        _cleanup_free_ char *escaped = job_escape_id(id);

        return escaped ? strprintf("hyper-schedule-%s.%s", escaped, type) : NULL;
}

int schedule_event_send(
                ScheduleEventKind kind, const char *schedule_id, const char *job_id, const char *message) {
        _cleanup_strv_free_ char **fields = NULL;
        struct iovec iov[8];
        size_t n = 0;
        int r;

        if (!schedule_event_to_string(kind) || isempty(schedule_id))
                return -EINVAL;
        r = strv_extendf(&fields, "MESSAGE=%s", message);
        if (r >= 0)
                r = strv_extendf(&fields, "MESSAGE_ID=" SD_ID128_FORMAT_STR,
                                SD_ID128_FORMAT_VAL(kinds[kind].id));
        if (r >= 0)
                r = strv_extendf(&fields, "PRIORITY=%d", kinds[kind].priority);
        if (r >= 0)
                r = strv_extendf(&fields, "HYPER_SCHEDULE_EVENT=%s", kinds[kind].name);
        if (r >= 0)
                r = strv_extendf(&fields, "HYPER_SCHEDULE_ID=%s", schedule_id);
        if (r >= 0 && job_id)
                r = strv_extendf(&fields, "HYPER_JOB_ID=%s", job_id);
        if (r < 0)
                return r;
        STRV_FOREACH(f, fields)
                iov[n++] = (struct iovec){ *f, strlen(*f) };
        return sd_journal_sendv(iov, (int) n);
}

void schedule_event_done(ScheduleEvent *e) {
        e->schedule_id = mfree(e->schedule_id);
        e->job_id = mfree(e->job_id);
}

/* A field's value as a string; NULL in *ret if there is none. */
static int read_field(sd_journal *j, const char *field, char **ret) {
        const void *data;
        size_t size, n = strlen(field) + 1;
        int r = sd_journal_get_data(j, field, &data, &size);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        if (size < n || size - n > JOB_ID_MAX || memchr(data, '\0', size))
                return -EBADMSG;
        *ret = strndup((const char *) data + n, size - n);
        return *ret ? 0 : -ENOMEM;
}

int schedule_event_read(sd_journal *j, ScheduleEvent *ret) {
        _cleanup_(schedule_event_done) ScheduleEvent e = {};
        _cleanup_free_ char *kind = NULL, *unit = NULL;
        int r;

        r = read_field(j, "HYPER_SCHEDULE_EVENT", &kind);
        if (r < 0)
                return r;
        if (!kind)
                return -ENODATA;
        r = read_field(j, "_SYSTEMD_UNIT", &unit);
        if (r >= 0)
                r = read_field(j, "HYPER_SCHEDULE_ID", &e.schedule_id);
        if (r >= 0)
                r = read_field(j, "HYPER_JOB_ID", &e.job_id);
        if (r < 0)
                return r;
        if (!streq_ptr(unit, MANAGER_UNIT))
                return -EPERM;
        e.kind = schedule_event_from_string(kind);
        if (e.kind < 0 || !e.schedule_id || !schedule_id_is_valid(e.schedule_id) ||
                        (e.job_id && !job_id_is_valid(e.job_id)))
                return -EBADMSG;
        *ret = e;
        e = (ScheduleEvent){};
        return 0;
}
