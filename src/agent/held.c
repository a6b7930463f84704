/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/held.h"
#include "json/json-parse.h"

#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "dialect/worker-job.h"
#include "spec/job-spec.h"

#define SUFFIX ".json"
#define FILE_MAX (JOB_SPEC_MAX + (size_t) 64 * 1024)

static const JsonField fields[] = {
        { "server", JSON_FIELD_STRING, offsetof(HeldFile, server), JSON_REQUIRED },
        { "worker_id", JSON_FIELD_STRING, offsetof(HeldFile, worker_id), JSON_REQUIRED },
        { "job_id", JSON_FIELD_STRING, offsetof(HeldFile, job_id), JSON_REQUIRED },
        { "attempt", JSON_FIELD_UNSIGNED, offsetof(HeldFile, attempt), JSON_REQUIRED },
        { "local_id", JSON_FIELD_STRING, offsetof(HeldFile, local_id), JSON_REQUIRED },
        { "spec", JSON_FIELD_ANY, offsetof(HeldFile, spec), JSON_REQUIRED },
        { "cursor", JSON_FIELD_STRING, offsetof(HeldFile, cursor), JSON_NULLABLE },
        { "since", JSON_FIELD_UINT64, offsetof(HeldFile, since), JSON_NULLABLE },
        { "sequence", JSON_FIELD_UINT64, offsetof(HeldFile, sequence), JSON_NULLABLE },
        { "dropped", JSON_FIELD_BOOLEAN, offsetof(HeldFile, dropped), JSON_NULLABLE },
        {},
};

void held_file_done(HeldFile *f) {
        json_table_done(fields, f);
        *f = (HeldFile){};
}

/* --- from the server's job to ours ----------------------------------------------------------------- */

char *held_local_id(const char *server, const JobAnswer *job) {
        _cleanup_free_ char *whole =
                        strprintf("%s\n%s\n%s\n%u", server, job->job_id, job->created_at, job->attempt);
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (!whole || EVP_Digest(whole, strlen(whole), digest, &n, EVP_sha256(), NULL) != 1 || n < 8)
                return NULL;
        /* Cut off, so that it is a valid id however many "-" are in it, which take four characters of a
         * unit's name. */
        return strprintf("%.48s:%u:%02x%02x%02x%02x%02x%02x%02x%02x", job->job_id, job->attempt, digest[0],
                        digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]);
}

/* True if the server has kept something of it to itself: a secret, or the user in a URL. */
static bool has_hidden(json_t *value) {
        const char *key, *text = json_string_value(value);
        json_t *v;
        size_t i;

        if (text)
                return streq(text, "***") || strstr(text, "//***@");
        json_array_foreach(value, i, v)
                if (has_hidden(v))
                        return true;
        json_object_foreach(value, key, v)
                if (has_hidden(v))
                        return true;
        return false;
}

static bool has_secrets(const JobSpec *spec) {
        return json_object_size(spec->secrets) > 0 ||
                        has_hidden(json_object_get(spec->document, "source")) ||
                        has_hidden(json_object_get(spec->document, "destination")) ||
                        has_hidden(json_object_get(spec->document, "parameters"));
}

/* The spec for our own manager: under our id, and tried once. Whether it is tried again is the server's
 * business, which counts attempts and may give the next one to another machine. */
static int make_spec(JobSpec *spec, const char *local_id, json_t **ret) {
        int r = job_spec_set_id(spec, local_id);

        if (r >= 0)
                r = json_path_set(spec->document, "execution_policy.retry_count", json_integer(0));
        if (r < 0)
                return r;
        /* This machine has been chosen. */
        (void) json_object_del(spec->document, "executor");
        (void) json_object_del(spec->document, "placement");
        *ret = json_incref(spec->document);
        return 0;
}

int held_file_from_answer(const char *server, const char *worker_id, const JobAnswer *job, HeldFile *ret,
                char **ret_error) {
        _cleanup_(dialect_job_done) DialectJob decoded = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(held_file_done) HeldFile f = {};
        int r = worker_job_decode_held(job->spec, &decoded, &errors);

        if (r == -EBADMSG) {
                *ret_error = json_errors_text(&errors);
                return *ret_error ? r : -ENOMEM;
        }
        if (r >= 0 && has_secrets(decoded.spec)) {
                *ret_error = strdup("the job has secrets, which do not leave the server");
                return *ret_error ? -EBADMSG : -ENOMEM;
        }
        if (r < 0)
                return r;
        f.server = strdup(server);
        f.worker_id = strdup(worker_id);
        f.job_id = strdup(job->job_id);
        f.local_id = held_local_id(server, job);
        f.attempt = job->attempt;
        if (!f.server || !f.worker_id || !f.job_id || !f.local_id)
                return -ENOMEM;
        r = make_spec(decoded.spec, f.local_id, &f.spec);
        if (r < 0)
                return r;
        *ret = f;
        f = (HeldFile){};
        return 0;
}

/* --- files ----------------------------------------------------------------------------------------- */

int held_file_decode(const char *text, size_t size, HeldFile *ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(held_file_done) HeldFile f = {};
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *why = NULL;
        int r = json_parse_object(text, size, &object, &why);

        if (r >= 0)
                r = json_table_decode(fields, object, "", &f, &errors);
        if (r < 0)
                return r;
        if (errors.n_errors > 0 || !job_id_is_valid(f.job_id) || !job_id_is_valid(f.local_id) ||
                        !json_is_object(f.spec))
                return -EBADMSG;
        *ret = f;
        f = (HeldFile){};
        return 0;
}

static char *file_name(const HeldFile *f) {
        _cleanup_free_ char *escaped = job_escape_id(f->local_id);

        return escaped ? strprintf("%s" SUFFIX, escaped) : NULL;
}

static int open_directory(const char *directory) {
        int fd = open(directory, O_DIRECTORY | O_CLOEXEC | O_RDONLY);

        return fd < 0 ? -errno : fd;
}

int held_file_write(const char *directory, const HeldFile *f) {
        _cleanup_json_ json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:s, s:O, s:s?, s:I, s:I, s:b}",
                        "server", f->server, "worker_id", f->worker_id, "job_id", f->job_id, "attempt",
                        (json_int_t) f->attempt, "local_id", f->local_id, "spec", f->spec, "cursor",
                        f->cursor, "since", (json_int_t) f->since, "sequence", (json_int_t) f->sequence,
                        "dropped", (int) f->dropped);
        _cleanup_free_ char *text = object ? json_dumps(object, JSON_COMPACT) : NULL, *name = file_name(f);
        _cleanup_close_ int dir = open_directory(directory);

        if (dir < 0)
                return dir;
        return text && name ? write_file_atomic_at(dir, name, text, strlen(text), 0600) : -ENOMEM;
}

int held_file_remove(const char *directory, const HeldFile *f) {
        _cleanup_free_ char *name = file_name(f);
        _cleanup_close_ int dir = open_directory(directory);

        if (dir < 0)
                return dir;
        if (!name)
                return -ENOMEM;
        if (unlinkat(dir, name, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return fsync(dir) < 0 ? -errno : 0;
}

int held_file_read(const char *directory, const char *name, HeldFile *ret) {
        _cleanup_close_ int dir = open_directory(directory);
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        if (dir < 0)
                return dir;
        if (!endswith(name, SUFFIX))
                return -EBADMSG;
        r = read_file_at(dir, name, FILE_MAX, &text, &size);
        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;
        return held_file_decode(text, size, ret);
}
