/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/warm-state.h"
#include "basic/string-util.h"
#include "json/json-table.h"

static const JsonField fields[] = {
        { "passes", JSON_FIELD_UNSIGNED, offsetof(WarmState, passes), .flags = JSON_REQUIRED },
        { "cutover", JSON_FIELD_BOOLEAN, offsetof(WarmState, cutover), .flags = JSON_REQUIRED },
        { "cutover_at", JSON_FIELD_UINT64, offsetof(WarmState, cutover_at), .flags = JSON_REQUIRED,
                        .max = INT64_MAX },
        { "interval_seconds", JSON_FIELD_UNSIGNED, offsetof(WarmState, interval_seconds),
                        .flags = JSON_REQUIRED },
        { "pass_ended_at", JSON_FIELD_UINT64, offsetof(WarmState, pass_ended_at), .max = INT64_MAX },
        { "pass_bytes", JSON_FIELD_UINT64, offsetof(WarmState, pass_bytes), .max = INT64_MAX },
        { "total_bytes", JSON_FIELD_UINT64, offsetof(WarmState, total_bytes), .max = INT64_MAX },
        { "pass_seconds", JSON_FIELD_KNOWN },
        { "estimate_seconds", JSON_FIELD_KNOWN },
        { "downtime_seconds", JSON_FIELD_KNOWN },
        {},
};

int warm_state_decode(const char *text, WarmState *ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = json_loads(text, 0, NULL);
        WarmState w = {};

        if (!object)
                return -EBADMSG;
        int r = json_table_decode(fields, object, "", &w, &errors);
        if (r < 0)
                return r;
        if (errors.n_errors > 0)
                return -EBADMSG;
        w.pass_seconds = json_number_value(json_object_get(object, "pass_seconds"));
        w.estimate_seconds = json_number_value(json_object_get(object, "estimate_seconds"));
        w.downtime_seconds = json_number_value(json_object_get(object, "downtime_seconds"));
        *ret = w;
        return 0;
}

char *warm_state_encode(const WarmState *w) {
        _cleanup_json_ json_t *object = json_pack("{s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}",
                        "passes", (json_int_t) w->passes, "cutover", (int) w->cutover, "cutover_at",
                        (json_int_t) w->cutover_at, "interval_seconds", (json_int_t) w->interval_seconds,
                        "pass_ended_at", (json_int_t) w->pass_ended_at, "pass_bytes",
                        (json_int_t) w->pass_bytes, "total_bytes", (json_int_t) w->total_bytes,
                        "pass_seconds", w->pass_seconds, "estimate_seconds", w->estimate_seconds,
                        "downtime_seconds", w->downtime_seconds);

        return object ? json_dumps(object, JSON_COMPACT) : NULL;
}

char *warm_state_first(const JobSpec *s) {
        const WarmState warm = { .cutover_at = s->parameters.cutover_at,
                .interval_seconds = s->parameters.interval_seconds };

        return warm_state_encode(&warm);
}

void warm_state_add_pass(WarmState *w, const JobWarmResult *result, usec_t now) {
        w->passes = result->pass;
        w->pass_ended_at = now;
        w->pass_bytes = result->bytes;
        w->total_bytes = result->bytes > (uint64_t) INT64_MAX - w->total_bytes
                        ? (uint64_t) INT64_MAX
                        : w->total_bytes + result->bytes;
        w->pass_seconds = result->seconds;
        w->estimate_seconds = result->estimate_seconds;
        w->downtime_seconds = result->downtime_seconds;
}

bool warm_state_is_cutover(const WarmState *w, usec_t now) {
        return w->cutover || (w->passes > 0 && w->cutover_at > 0 && w->cutover_at <= now);
}

usec_t warm_state_next(const WarmState *w, usec_t now) {
        usec_t estimate = (usec_t) (w->estimate_seconds * (double) USEC_PER_SEC),
               next = MAX(w->pass_ended_at + w->interval_seconds * USEC_PER_SEC, now);

        if (w->cutover_at == 0 || next + estimate < w->cutover_at)
                return next;
        return MAX(w->cutover_at, now);
}

static bool is_first_phase(JobPhase phase) {
        return phase < 0 || phase == PHASE_INITIALIZATION || phase == PHASE_INSPECTION;
}

const char *warm_phase(const WarmState *w, JobState state, JobPhase phase, usec_t due_at) {
        if (job_state_is_terminal(state))
                return NULL;
        if (w->cutover)
                return phase == PHASE_GUEST || phase == PHASE_FINALIZATION ? "finishing" : "cutover";
        if (state == JOB_QUEUED && due_at > 0)
                return "waiting";
        return w->passes == 0 && is_first_phase(phase) ? "preparing" : "precopy";
}

static json_t *seconds_json(double seconds) {
        return seconds > 0 ? json_real(seconds) : json_null();
}

json_t *warm_state_to_json(const WarmState *w, JobState state, JobPhase phase, usec_t due_at) {
        bool waits = state == JOB_QUEUED && due_at > 0, ended = job_state_is_terminal(state);
        unsigned pass = ended ? w->passes : w->passes + 1;

        return json_pack("{s:s?, s:I, s:I, s:o, s:o, s:I, s:I, s:o, s:o, s:o}", "phase",
                        warm_phase(w, state, phase, due_at), "pass", (json_int_t) pass, "passes",
                        (json_int_t) w->passes, "next", json_time(waits ? due_at : 0), "cutover_at",
                        json_time(w->cutover_at), "pass_bytes", (json_int_t) w->pass_bytes, "total_bytes",
                        (json_int_t) w->total_bytes, "pass_seconds", seconds_json(w->pass_seconds),
                        "estimate_seconds", seconds_json(w->estimate_seconds), "downtime_seconds",
                        seconds_json(w->downtime_seconds));
}
