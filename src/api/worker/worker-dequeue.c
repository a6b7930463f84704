/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* POST /queue/dequeue: a worker asks for a job, and waits for one if it likes to. */

#include "api/worker/worker-dequeue.h"
#include "api/bus-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-json.h"
#include "api/job-submit.h"
#include "api/queue-waiters.h"
#include "api/worker/worker-decode.h"
#include "api/worker/worker-json.h"
#include "api/worker/worker-workers.h"
#include "basic/string-util.h"
#include "dialect/worker-message.h"
#include "store/jobs.h"

static const SchemaField dequeue_fields[] = {
        { "worker_id", SCHEMA_STRING },
        { "capabilities", SCHEMA_ANY, SCHEMA_OPTIONAL, "Those of its registration, if not given." },
        { "operations", SCHEMA_ARRAY_ANY, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "Likewise." },
        { "execution_mode", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        { "job_id", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "Assign exactly this job, or answer with status 400, 404 or 409 why not." },
        { "wait", SCHEMA_INTEGER, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "The time in seconds to wait for a job; defaults to 0.", .max = WORKER_WAIT_MAX },
        {},
};

const Schema worker_dequeue_schema = { .name = "Dequeue", .fields = dequeue_fields };

/* The job as a client of this API would have submitted it. */
static int reply_spec(Request *r, const char *spec) {
        _cleanup_json_ json_t *object = json_loads(spec, 0, NULL);
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int k = job_find(r, strempty(json_string_value(json_object_get(object, "job_id"))), &row);

        return k < 0 ? k
                     : request_reply_json(r, 200,
                                       job_row_definition(row, WORKER_DIALECT, worker_fields, "job_id"));
}

static int reply_nothing(Request *r) {
        return request_reply_json(r, 200, json_null());
}

/* -EBADMSG: it is answered with what is wrong. */
static int parse_hello(Request *r, const char *text, WorkerHello *ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *what = NULL;
        int k = worker_hello_parse(text, /* registering= */ false, ret, &errors);

        if (k != -EBADMSG)
                return k;
        what = json_errors_text(&errors);
        if (!what)
                return -ENOMEM;
        (void) request_reply_error(r, 400, "%s", what);
        return -EBADMSG;
}

/* What the worker that waits can do, as long as @ret_row is there; -ENOENT if it is not registered (any
 * more). */
static int read_offer(Request *r, WorkerRow **ret_row, WorkerOffer *ret) {
        _cleanup_(worker_hello_done) WorkerHello hello = {};
        Store *store;
        int k = parse_hello(r, queue_waiter_text(r), &hello);

        if (k >= 0)
                k = api_store(request_api(r), &store);
        if (k >= 0)
                k = store_worker_get(store, hello.worker_id, ret_row);
        if (k >= 0)
                worker_offer_make(*ret_row, &hello, ret);
        return k;
}

static int on_dequeued(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(worker_row_freep) WorkerRow *row = NULL;
        WorkerOffer offer;
        const char *spec;
        int found = false, k = error ? -EREMOTEIO : sd_bus_message_read(reply, "bs", &found, &spec);

        if (k >= 0 && !found)
                k = read_offer(r, &row, &offer);
        if (queue_waiter_told(r, k >= 0 && found, k >= 0 ? &offer : NULL))
                return 0;
        if (error)
                return request_reply_bus_error(r, error);
        return k >= 0 && found ? reply_spec(r, spec) : reply_nothing(r);
}

static int ask(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_call_new(r, "Dequeue", &m);

        if (k >= 0)
                k = queue_waiter_listen(r);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", queue_waiter_text(r));
        return k < 0 ? k : manager_call(r, m, on_dequeued, NULL);
}

static const QueueWaiterOps waiter_ops = { .ask = ask, .nothing = reply_nothing };

int worker_post_dequeue(Request *r) {
        _cleanup_(worker_hello_done) WorkerHello hello = {};
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *text = NULL;
        int k = request_json(r, &body);

        if (k < 0)
                return k;
        text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
        if (!text)
                return -ENOMEM;
        k = parse_hello(r, text, &hello);
        if (k >= 0)
                k = queue_waiter_new(r, &waiter_ops, hello.worker_id, text,
                                hello.job_id ? 0 : hello.wait * USEC_PER_SEC);
        return k < 0 ? k : ask(r);
}
