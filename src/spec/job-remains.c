/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-remains.h"

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/job-file-internal.h"
#include "spec/job-file.h"
#include "json/json-parse.h"

#define MESSAGE_MAX 4096

static const JsonField remains_fields[] = {
        { "tries", JSON_FIELD_UNSIGNED, offsetof(JobRemains, tries), .flags = JSON_REQUIRED, .min = 1,
                        .max = JOB_REMAINS_TRIES },
        { "next_at", JSON_FIELD_UINT64, offsetof(JobRemains, next_at), .flags = JSON_REQUIRED,
                        .max = INT64_MAX },
        { "message", JSON_FIELD_STRING, offsetof(JobRemains, message),
                        .flags = JSON_REQUIRED | JSON_NONEMPTY, .max = MESSAGE_MAX },
        { "snapshot", JSON_FIELD_BOOLEAN, offsetof(JobRemains, snapshot) },
        { "change_tracking", JSON_FIELD_BOOLEAN, offsetof(JobRemains, change_tracking) },
        { "powered_off", JSON_FIELD_BOOLEAN, offsetof(JobRemains, powered_off) },
        {},
};

JobRemains *job_remains_free(JobRemains *r) {
        if (!r)
                return NULL;
        json_table_done(remains_fields, r);
        return mfree(r);
}

usec_t job_remains_pause(unsigned tries) {
        unsigned minutes = tries > 6 ? 60 : 1u << (MAX(tries, 1u) - 1);

        return MIN(minutes, 60u) * USEC_PER_MINUTE;
}

int job_remains_decode(const char *text, size_t size, JobRemains **ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_job_remains_ JobRemains *remains = new0(JobRemains, 1);
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *error = NULL;

        if (!remains)
                return -ENOMEM;
        int r = json_parse_object(text, size, &object, &error);
        if (r >= 0)
                r = json_table_decode(remains_fields, object, "", remains, &errors);
        if (r < 0)
                return r;
        if (errors.n_errors > 0 || errors.unknown)
                return -EBADMSG;
        utf8_replace_control(remains->message, ' ');
        *ret = TAKE_PTR(remains);
        return 0;
}

int job_remains_read(const char *directory, JobRemains **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = job_file_read(directory, JOB_REMAINS_FILE, JOB_REMAINS_MAX, &text, &size);

        return r < 0 ? r : job_remains_decode(text, size, ret);
}

int job_remains_write(const JobRemains *r, const char *directory) {
        _cleanup_json_ json_t *object = json_pack("{s:I, s:I, s:s, s:b, s:b, s:b}", "tries",
                        (json_int_t) r->tries, "next_at", (json_int_t) r->next_at, "message", r->message,
                        "snapshot", (int) r->snapshot, "change_tracking", (int) r->change_tracking,
                        "powered_off", (int) r->powered_off);

        return object ? job_file_write(directory, JOB_REMAINS_FILE, object) : -ENOMEM;
}

json_t *job_remains_to_json(const JobRemains *r, usec_t next_at) {
        return json_pack("{s:s, s:b, s:b, s:b, s:o}", "message", r->message, "snapshot", (int) r->snapshot,
                        "change_tracking", (int) r->change_tracking, "powered_off", (int) r->powered_off,
                        "next_try", json_time(next_at));
}
