/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/attempt-end.h"
#include "store/job-changes.h"
#include "store/jobs.h"
#include "store/vsphere-totals.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/job-directory.h"
#include "manager/job-waiting.h"
#include "manager/manager.h"
#include "manager/progress.h"
#include "spec/vsphere-counts.h"

AttemptFacts attempt_facts(const Job *j) {
        return (AttemptFacts){
                .job_id = j->row->id,
                .attempt = j->row->attempt,
                .retry_count = j->row->retry_count,
                .idempotent = j->row->idempotent,
                .was_running = j->row->state == JOB_RUNNING,
                .timeout_seconds = j->row->timeout_seconds,
                .pass = j->warm ? j->warm->passes + 1 : 0,
                .cutover = j->warm && j->warm->cutover,
                .phase = j->row->phase,
                .error_message = j->error_message,
                .error_phase = j->error_phase,
                .worker = j->row->worker_id,
        };
}

/* How large the disks are that came out. */
static uint64_t output_size(const char *result) {
        _cleanup_json_ json_t *object = result ? json_loads(result, 0, NULL) : NULL;
        uint64_t size = 0;
        json_t *output;
        size_t i;

        json_array_foreach(json_object_get(object, "outputs"), i, output) {
                json_int_t n = json_integer_value(json_object_get(output, "virtual_size"));

                size += n > 0 ? (uint64_t) n : 0;
        }
        return size;
}

/* A finished job says 100 %, and of how much, whether its last events were seen or not. */
static int record_completion(Job *j, const WarmState *warm, const Verdict *v) {
        uint64_t total = MAX(j->row->bytes_total, output_size(v->result));

        job_progress(j, PHASE_FINALIZATION, 100, total > 0 ? total : j->row->bytes_done, total,
                        j->row->rate);
        j->progress_dirty = false;
        int r = store_job_progress(j->store,
                        &(JobProgress){ .id = j->row->id,
                                        .phase = j->row->phase,
                                        .percent = j->row->percent,
                                        .bytes_done = j->row->bytes_done,
                                        .bytes_total = j->row->bytes_total,
                                        .rate = j->row->rate },
                        1, j->clock());
        return r < 0 ? r : job_complete(j, v->result, warm, v->reason);
}

/* Above it, numbers are not exact in JSON, and no job transfers as much. */
#define METRIC_MAX INT64_C(9007199254740991)

/* One that was killed has no result, and has only counted. NULL: nothing is known. */
static json_t *metrics_of(const Job *j, const AttemptFacts *facts) {
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id);
        json_t *metrics = json_object();
        VsphereCounts counts;

        if (facts->result || !directory || vsphere_counts_read(directory, &counts) < 0 ||
                        vsphere_counts_to_json(&counts, metrics) < 0) {
                json_decref(metrics);
                return facts->result ? json_incref(facts->result->metrics) : NULL;
        }
        return metrics;
}

/* What the attempt has transferred from a vSphere server, however it has ended. */
static int record_vsphere(Job *j, const AttemptFacts *facts) {
        static const char *const sums[][2] = {
                { "vsphere_logins", "logins" },
                { "vsphere_leases", "leases" },
                { "vsphere_nfc_bytes", "nfc" },
                { "vsphere_https_bytes", "https" },
                { "vsphere_vddk_bytes", "vddk" },
        };
        const char *server = j->server ? startswith(j->server, "https://") : NULL;
        _cleanup_json_ json_t *metrics = server ? metrics_of(j, facts) : NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(sums) && metrics && r >= 0; i++) {
                json_int_t n = json_integer_value(json_object_get(metrics, sums[i][0]));

                if (n > 0 && n <= METRIC_MAX)
                        r = store_vsphere_add(j->store, server, sums[i][1], (uint64_t) n);
        }
        return r;
}

/* As part of the group. What came so far is written first: the row then shows how far the attempt went. */
static int record(Job *j, const AttemptFacts *facts, const Verdict *v) {
        const JobWarmResult *pass =
                        facts->result && facts->result->warm.pass > 0 ? &facts->result->warm : NULL;
        WarmState warm = j->warm ? *j->warm : (WarmState){};
        usec_t now = j->clock();
        int r = progress_record(j);

        if (r >= 0)
                r = record_vsphere(j, facts);
        if (r < 0)
                return r;
        if (j->warm && pass)
                warm_state_add_pass(&warm, pass, now);
        switch (v->state) {
        case JOB_COMPLETED:
                return record_completion(j, j->warm ? &warm : NULL, v);
        case JOB_QUEUED:
                return job_pass(j, &warm, warm_state_next(&warm, now), v->reason);
        case JOB_RETRYING:
                return job_retry(j, j->clock() + v->pause, v->stopped, v->reason);
        default:
                return job_fail(j, v->result, v->reason);
        }
}

typedef struct AttemptEnd {
        Job *job;
        attempt_done done;
        void *userdata;
} AttemptEnd;

static void on_recorded(int r, void *userdata) {
        _cleanup_free_ AttemptEnd *e = userdata;
        Manager *m = e->job->manager;

        r = job_follow(e->job, r);
        if (r >= 0)
                job_tell_waiting(e->job);
        queue_wake(m);
        e->done(e->job, r, e->userdata);
}

int attempt_end(Job *j, const AttemptFacts *facts, attempt_done done, void *userdata) {
        _cleanup_(verdict_done) Verdict v = {};
        _cleanup_free_ AttemptEnd *e = new0(AttemptEnd, 1);
        Manager *m = j->manager;
        int r;

        if (!e)
                return -ENOMEM;
        *e = (AttemptEnd){ .job = j, .done = done, .userdata = userdata };
        r = attempt_judge(facts, &v);
        if (r >= 0)
                r = commit_group_enter(m->group);
        if (r < 0)
                return r;
        r = record(j, facts, &v);
        commit_group_leave(m->group, r < 0 ? NULL : on_recorded, r < 0 ? NULL : e);
        if (r < 0)
                return r;
        TAKE_PTR(e);
        return 0;
}
