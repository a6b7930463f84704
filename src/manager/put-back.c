/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/put-back.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "spec/job-remains.h"
#include "store/job-changes.h"

void put_back_plan(Manager *m, usec_t at) {
        if (m->put_back_at == 0 || at < m->put_back_at)
                m->put_back_at = at;
        queue_wake(m);
}

bool put_back_is_early(Manager *m, const char *directory) {
        _cleanup_job_remains_ JobRemains *remains = NULL;
        usec_t now = m->clock();

        if (job_remains_read(directory, &remains) < 0 || remains->next_at <= now)
                return false;
        /* The clock may have been set since. */
        put_back_plan(m, MIN(remains->next_at, now + job_remains_pause(JOB_REMAINS_TRIES)));
        return true;
}

/* The unit could not even begin, or was killed before it could say anything. */
static JobRemains *unknown_remains(const Job *j, usec_t now) {
        _cleanup_job_remains_ JobRemains *r = new0(JobRemains, 1);

        if (!r)
                return NULL;
        r->tries = 1;
        r->next_at = now + job_remains_pause(1);
        r->message = strprintf("The virtual machine may not be as it was before: restoring it did not start "
                               "(%s); look for the snapshot \"hyper %s\", and whether it is off",
                        j->unit.result ? j->unit.result : "systemd did not start its unit", j->row->id);
        return r->message ? TAKE_PTR(r) : NULL;
}

/* 0: nothing is left. */
static int read_remains(const Job *j, const char *directory, JobRemains **ret) {
        int r = job_remains_read(directory, ret);

        if (r >= 0)
                return 1;
        if (r == -ENOENT && streq_ptr(j->unit.result, "success"))
                return 0;
        log_warning("The virtual machine of job %s could not be left as it was; its log says why "
                    "(journalctl HYPER_JOB_ID=%s).",
                        j->row->id, j->row->id);
        *ret = unknown_remains(j, j->clock());
        r = *ret ? job_remains_write(*ret, directory) : -ENOMEM;
        return r < 0 ? r : 1;
}

/* @remains is taken; NULL: nothing is left any more. */
static int record(Job *j, json_t *remains) {
        _cleanup_json_ json_t *result = NULL;
        int r = 0;

        result = j->row->result ? json_loads(j->row->result, 0, NULL) : NULL;
        if (!remains && !json_object_get(result, "remains"))
                return 0;
        if (!result)
                result = json_pack("{s:[], s:n}", "outputs", "error");
        if (remains)
                r = json_object_set_new(result, "remains", remains);
        else
                (void) json_object_del(result, "remains");
        _cleanup_free_ char *text = r >= 0 && result ? json_dumps(result, JSON_COMPACT) : NULL;
        r = text ? store_job_result(j->store, j->row->id, text) : -ENOMEM;
        if (r < 0)
                return r;
        free(j->row->result);
        j->row->result = TAKE_PTR(text);
        return 0;
}

bool put_back_is_open(Job *j, const char *directory) {
        _cleanup_job_remains_ JobRemains *remains = NULL;

        if (!j->warm || !j->unit.put_back_tried)
                return false;
        int r = read_remains(j, directory, &remains);
        bool again = r < 0 || (r > 0 && remains->tries < JOB_REMAINS_TRIES);
        if (r >= 0)
                r = record(j, remains ? job_remains_to_json(remains, again ? remains->next_at : 0) : NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to record what job %s has left on its source: %m", j->row->id);
        if (again)
                put_back_plan(j->manager, remains ? remains->next_at : j->clock() + job_remains_pause(1));
        else if (remains)
                log_error("Giving up on restoring the virtual machine of job %s: %s", j->row->id,
                                remains->message);
        return again;
}
