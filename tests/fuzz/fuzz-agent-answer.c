/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the server answers to whatever question, and what is made of it. */

#include "agent/held.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "fuzz.h"
#include "spec/job-spec.h"

static void check_error(int r, const char *error) {
        if (r == -EBADMSG && (!error || !utf8_is_valid(error)))
                abort();
}

static void try_dequeued(const char *text, size_t size) {
        _cleanup_free_ char *id = NULL, *error = NULL;
        int r = answer_dequeued(text, size, &id, &error);

        check_error(r, error);
        if (id && !job_id_is_valid(id))
                abort();
}

static void try_heartbeat(const char *text, size_t size) {
        _cleanup_(heartbeat_answer_done) HeartbeatAnswer a = {};
        _cleanup_free_ char *error = NULL;
        int r = answer_heartbeat(text, size, &a, &error);

        check_error(r, error);
        STRV_FOREACH(id, a.jobs)
                if (!job_id_is_valid(*id))
                        abort();
}

/* A job that is taken has an id of ours that is valid, and a spec that our manager will read. */
static void try_job(const char *text, size_t size) {
        _cleanup_(job_answer_done) JobAnswer a = {};
        _cleanup_(held_file_done) HeldFile f = {};
        _cleanup_free_ char *error = NULL, *why = NULL, *spec = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(job_spec_freep) JobSpec *again = NULL;
        int r = answer_job(text, size, &a, &error);

        check_error(r, error);
        if (r < 0)
                return;
        r = held_file_from_answer("http://s", "w", &a, &f, &why);
        check_error(r, why);
        if (r < 0)
                return;
        spec = json_dumps(f.spec, JSON_COMPACT);
        if (!job_id_is_valid(f.local_id) || !spec ||
                        job_spec_parse(spec, strlen(spec), &again, &errors) < 0 ||
                        !streq(again->job_id, f.local_id) || again->policy.retry_count != 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *text = (const char *) data;
        _cleanup_free_ char *message = NULL;

        try_dequeued(text, size);
        try_heartbeat(text, size);
        try_job(text, size);
        (void) answer_is_error_for(text, size, 404, "/jobs/a");
        message = answer_message(text, size);
        if (message && (!utf8_is_valid(message) || strchr(message, '\n')))
                abort();
        return 0;
}
