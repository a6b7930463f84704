/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-cancel.h"
#include "api/http/request-body.h"

#include <errno.h>

#include "api/bus-client.h"
#include "api/http/reply.h"
#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-json.h"
#include "basic/string-util.h"
#include "store/jobs-list.h"
#include "store/jobs.h"

/* As many jobs as one request cancels; the answer says if there are more. */
#define CANCEL_MAX 1000u

#define STATES_TERMINAL (1u << JOB_COMPLETED | 1u << JOB_FAILED | 1u << JOB_CANCELLED)

typedef struct Cancellation {
        char **ids; /* what is asked of the manager, by index of the call */
        char **cancelled, **failed;
        json_t *errors; /* {"id": "why not"} */
        size_t n_pending;
        uint64_t n_left;
} Cancellation;

static void cancellation_free(void *userdata) {
        Cancellation *c = userdata;

        strv_free(c->ids);
        strv_free(c->cancelled);
        strv_free(c->failed);
        json_decref(c->errors);
        free(c);
}

static int refuse(Cancellation *c, const char *id, const char *text) {
        /* An id given twice fails once. */
        if (json_object_get(c->errors, id))
                return 0;
        if (json_object_set_new(c->errors, id, json_string(text)) < 0)
                return -ENOMEM;
        return strv_extend(&c->failed, id);
}

static int reply(Request *r, const Cancellation *c) {
        return request_reply_json(r, 200,
                        hypersdk_cancelled_json(
                                        c->cancelled, c->failed, c->errors, c->n_left, now_realtime()));
}

static int on_cancelled(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        Cancellation *c = request_userdata(r);
        const char *id = c->ids[PTR_TO_SIZE(userdata)];
        int k;

        k = error ? refuse(c, id, strempty(error->message)) : strv_extend(&c->cancelled, id);
        if (k < 0)
                return k;
        c->n_pending--;
        return c->n_pending == 0 ? reply(r, c) : 0;
}

/* Ids: each is looked up, so that each that cannot be cancelled has its reason. */
static int choose_by_ids(Cancellation *c, Store *store, const HypersdkSelection *s) {
        STRV_FOREACH(id, s->ids) {
                _cleanup_(job_row_freep) JobRow *row = NULL;
                int k = store ? store_job_get(store, *id, &row) : -ENOENT;

                if (k == -ENOENT)
                        k = refuse(c, *id, "There is no such job.");
                else if (k < 0)
                        return k;
                else if (s->states > 0 && !(s->states & 1u << row->state))
                        continue;
                else if (job_state_is_terminal(row->state)) {
                        _cleanup_free_ char *text =
                                        strprintf("The job is %s already.", job_state_to_status(row->state));

                        k = text ? refuse(c, *id, text) : -ENOMEM;
                } else if (!strv_contains(c->ids, *id))
                        k = strv_extend(&c->ids, *id);
                if (k < 0)
                        return k;
        }
        return 0;
}

static int choose_by_status(Cancellation *c, Store *store, const HypersdkSelection *s) {
        _cleanup_(job_rows_done) JobRows rows = {};
        JobFilter filter = {
                .states = s->states & ~STATES_TERMINAL, .order = JOB_ORDER_NEWEST, .limit = CANCEL_MAX
        };
        int k;

        /* 0 would mean all of them. */
        if (!store || filter.states == 0)
                return 0;
        k = store_jobs_list(store, &filter, &rows);
        for (size_t i = 0; i < rows.n && k >= 0; i++)
                k = strv_extend(&c->ids, rows.rows[i]->id);
        c->n_left = rows.total - rows.n;
        return k;
}

/* The body, or ?id= without one. */
static int decode(Request *r, HypersdkSelection *ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL;
        const char *id = request_query(r, "id");
        size_t size;
        int k;

        (void) request_body(r, &size);
        if (size == 0 && !isempty(id))
                return strv_extend(&ret->ids, id);
        if (size == 0)
                body = json_object();
        else {
                k = request_json_object(r, &body);
                if (k < 0)
                        return k;
        }
        k = body ? hypersdk_cancel_decode(body, ret, &errors) : -ENOMEM;
        if (k == -EBADMSG) {
                _cleanup_free_ char *text = json_errors_text(&errors);

                if (text)
                        (void) request_reply_error(r, 400, "%s", text);
        }
        return k;
}

int hypersdk_cancel(Request *r) {
        _cleanup_(hypersdk_selection_done) HypersdkSelection s = {};
        Store *store = NULL;
        int k;

        k = decode(r, &s);
        if (k < 0)
                return k;
        k = api_store(request_api(r), &store);
        if (k < 0 && k != -ENOENT)
                return k;
        if (k < 0)
                store = NULL;

        Cancellation *c = new0(Cancellation, 1);
        if (!c)
                return -ENOMEM;
        request_set_userdata(r, c, cancellation_free);
        c->errors = json_object();
        if (!c->errors)
                return -ENOMEM;
        k = s.ids ? choose_by_ids(c, store, &s) : choose_by_status(c, store, &s);
        if (k < 0)
                return k;

        size_t n = strv_length(c->ids);
        for (size_t i = 0; i < n; i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

                k = manager_call_new(r, "CancelJob", &m);
                if (k >= 0)
                        k = sd_bus_message_append(m, "s", c->ids[i]);
                if (k >= 0)
                        k = manager_call(r, m, on_cancelled, SIZE_TO_PTR(i));
                if (k < 0)
                        return k;
                c->n_pending++;
        }
        return n == 0 ? reply(r, c) : 0;
}
