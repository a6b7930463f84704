/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-ws-list.h"

#include "api/api-state.h"
#include "api/job-json.h"
#include "api/v1/v1-job-json.h"
#include "api/v1/v1-page.h"
#include "basic/string-util.h"
#include "shared/thread-call.h"
#include "store/facts.h"
#include "store/jobs-list.h"

struct V1JobList {
        Api *api;
        ThreadCalls *calls;
        v1_job_list_func func;
        void *userdata;
        WsMessage *message;
        int64_t version; /* of the database, before @message was read */
        uint64_t begun, ended; /* readings */
        bool again; /* somebody came after the reading had begun */
};

typedef struct Reading {
        V1JobList *list; /* the loop's */
        char *path; /* NULL: there is no database */
        int64_t version;
        WsMessage *message;
} Reading;

WsMessage *v1_ws_message(const char *type, json_t *data) {
        return ws_message_from_json(json_pack("{s:s, s:o, s:o}", "type", type, "timestamp",
                        json_time(now_realtime()), "data", data));
}

/* --- in the thread --------------------------------------------------------------------------------- */

/* Newest first. */
static int read_jobs(const char *path, json_t **ret) {
        _cleanup_(job_page_rows_done) JobPageRows rows = {};
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_json_ json_t *jobs = json_array();
        usec_t now = now_realtime();
        uint32_t states = 0;
        int r = path ? store_open(path, STORE_READER, &store) : -ENOENT;

        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                states |= job_state_is_terminal(s) ? 0 : 1u << s;
        if (r >= 0)
                r = store_jobs_page_newest(store, states, V1_LIMIT_MAX, &rows);
        if (r < 0 && r != -ENOENT) /* without a database, there are no jobs */
                return r;
        for (size_t i = 0; i < rows.n; i++)
                if (json_array_append_new(jobs, v1_job_json(&rows.rows[i], &(V1JobMore){}, now)) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(jobs);
        return 0;
}

static int work(void *userdata) {
        Reading *g = userdata;
        json_t *jobs = NULL;
        int r = read_jobs(g->path, &jobs);

        if (r < 0)
                return r;
        g->message = v1_ws_message("jobs", jobs);
        return g->message ? 0 : -ENOMEM;
}

static void reading_free(void *userdata) {
        Reading *g = userdata;

        ws_message_unref(g->message);
        free(g->path);
        free(g);
}

/* --- in the loop ----------------------------------------------------------------------------------- */

static int read_version(V1JobList *l, int64_t *ret) {
        Store *store;
        int r = api_store(l->api, &store);

        *ret = -1;
        return r == -ENOENT ? 0 : r < 0 ? r : store_version(store, ret);
}

static int begin(V1JobList *l, int64_t version);

static void on_done(int result, void *userdata) {
        Reading *g = userdata;
        V1JobList *l = g->list;
        int64_t version;
        int r;

        if (result == -ECANCELED) /* it ends */
                return;
        l->ended = l->begun;
        if (result >= 0) {
                ws_message_unref(l->message);
                l->message = TAKE_PTR(g->message);
                l->version = g->version;
        }
        l->func(result, l->ended, l->userdata);
        if (!l->again)
                return;
        l->again = false;
        r = read_version(l, &version);
        if (r >= 0 && (!l->message || version != l->version)) {
                r = begin(l, version);
                if (r >= 0)
                        return;
        }
        l->ended = ++l->begun; /* nothing has changed meanwhile, or it cannot be read */
        l->func(r, l->ended, l->userdata);
}

static int begin(V1JobList *l, int64_t version) {
        Reading *g = new0(Reading, 1);
        int r;

        if (!g)
                return -ENOMEM;
        *g = (Reading){ .list = l, .version = version };
        g->path = version < 0 ? NULL : strdup(l->api->database.path);
        r = version >= 0 && !g->path ? -ENOMEM : thread_call(l->calls, work, on_done, reading_free, g);
        if (r < 0)
                return reading_free(g), r;
        l->begun++;
        return 0;
}

int v1_job_list_ask(V1JobList *l, uint64_t *ret_turn) {
        int64_t version;
        int r = read_version(l, &version);

        if (r < 0)
                return r;
        *ret_turn = 0;
        if (l->message && version == l->version)
                return 0;
        *ret_turn = l->begun + 1;
        if (thread_calls_pending(l->calls) == 0)
                return begin(l, version);
        l->again = true;
        return 0;
}

WsMessage *v1_job_list_message(V1JobList *l) {
        return l->message;
}

V1JobList *v1_job_list_free(V1JobList *l) {
        if (!l)
                return NULL;
        thread_calls_free(l->calls);
        ws_message_unref(l->message);
        return mfree(l);
}

int v1_job_list_new(Api *a, v1_job_list_func func, void *userdata, V1JobList **ret) {
        _cleanup_(v1_job_list_freep) V1JobList *l = new0(V1JobList, 1);
        int r;

        if (!l)
                return -ENOMEM;
        *l = (V1JobList){ .api = a, .func = func, .userdata = userdata };
        r = thread_calls_new(api_event(a), 1, &l->calls);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}
