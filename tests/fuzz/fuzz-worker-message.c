/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "dialect/worker-message.h"
#include "fuzz.h"

/* What was refused says why, in one text. */
static void check_errors(int r, const JsonErrors *errors) {
        _cleanup_free_ char *text = json_errors_text(errors);

        if (!text || !utf8_is_valid(text) || (r == -EBADMSG) != (errors->n_errors > 0))
                abort();
}

static void try_hello(const char *text, bool registering) {
        _cleanup_(worker_hello_done) WorkerHello h = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = worker_hello_parse(text, registering, &h, &errors);

        check_errors(r, &errors);
        if (r == 0 && (!h.worker_id || (registering && !h.capabilities) || h.wait > WORKER_WAIT_MAX))
                abort();
}

static void try_events(const char *text) {
        _cleanup_(worker_events_done) WorkerEvents e = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = worker_events_parse(text, &e, &errors);

        check_errors(r, &errors);
        for (size_t i = 0; i < e.n; i++)
                if (!(e.events[i].percent <= 100))
                        abort();
        if (r == 0 && e.n == 0)
                abort();
}

static void try_result(const char *text) {
        _cleanup_(worker_result_done) WorkerResult result = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = worker_result_parse(text, &result, &errors);

        check_errors(r, &errors);
        if (r == 0 && !json_is_array(json_object_get(result.document, "outputs")))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);

        if (!text)
                return 0;
        try_hello(text, true);
        try_hello(text, false);
        try_events(text);
        try_result(text);
        return 0;
}
