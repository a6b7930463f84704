/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-retry.h"
#include "store/jobs.h"

#include "api/http/reply.h"
#include "api/job-json.h"
#include "api/job-retry.h"
#include "api/job-submit.h"
#include "json/json-table.h"

static int on_retried(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = job_find(r, request_param(r, "id"), &row);
        if (k < 0)
                return k;
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:o, s:s, s:o}", "message", "job queued again", "job_id",
                                        json_text(row->id), "status", job_state_to_status(row->state),
                                        "timestamp", json_time(now_realtime())));
}

int hypersdk_retry(Request *r) {
        return job_retry_call(r, on_retried);
}
