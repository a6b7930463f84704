/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The canonical job spec: what every dialect is translated to at the edge. JSON in, struct out, nothing
 * else. */

#include "basic/time-util.h"
#include "spec/endpoint-kind.h"
#include "spec/job-fix.h"
#include "spec/job-id.h"
#include "spec/job-parameters.h"
#include "spec/job-path.h"
#include "spec/operation.h"

/* The longest text of one spec. */
#define JOB_SPEC_MAX ((size_t) 1024 * 1024)

#define JOB_TIMEOUT_MIN 60u
#define JOB_BOOT_TIMEOUT_MAX 21600u /* six hours */
#define JOB_TIMEOUT_MAX 2592000u /* 30 days */
#define JOB_RETRY_DEFAULT 3u
#define JOB_RETRY_MAX 5u
#define JOB_PRIORITY_DEFAULT 50u
#define JOB_PRIORITY_MAX 100u

typedef struct JobSpec {
        char *job_id; /* NULL: one is made */
        int operation; /* JobOperation */
        JobEndpoint source;
        JobEndpoint destination; /* its type is _ENDPOINT_INVALID if there is none */
        struct {
                bool compress; /* of formats that can (disk-format.h) */
                int compression; /* JobCompression; with compress alone it is zlib */
                bool allow_larger; /* an NBD destination may be larger than the source */
                int verify; /* JobVerify */
                int in_use; /* JobInUse */
                int chain; /* JobChain */
                unsigned fix; /* as job-fix.h has it */
                json_t *fix_words; /* the same, as given, or NULL */
                char *root; /* of the guest that is fixed, or NULL */
                bool boot_check; /* a domain: start its hardware to see whether it boots */
                unsigned boot_timeout; /* seconds; 0: hyper-hostd's default */
                int conversion_method; /* VsphereMethod; this and the following ones of a vSphere source */
                int source_power; /* VspherePower */
                unsigned shutdown_timeout; /* seconds */
                bool power_off; /* a guest that does not shut down in time is powered off */
                bool warm; /* copied in passes while it runs; this and the following ones of a warm job */
                char *cutover; /* as given, or NULL */
                usec_t cutover_at; /* 0: on request */
                unsigned interval_seconds; /* between two passes */
                bool power_on_after_failure; /* a guest that was shut down for nothing is started again */
        } parameters;
        struct {
                unsigned timeout_seconds;
                unsigned retry_count;
                unsigned priority;
                bool idempotent;
        } policy;
        json_t *audit_info; /* as given, or NULL */
        json_t *capability_requirements; /* as given, or NULL */
        json_t *document; /* the whole canonical object: unknown fields kept, defaults filled in, secrets
                             "***" */
        json_t *secrets; /* {"source.tls_psk": "…"}: cut out of the document; travels as systemd
                          * credentials */
} JobSpec;

JobSpec *job_spec_free(JobSpec *s);
DEFINE_CLEANUP_FUNC(JobSpec *, job_spec_free);

/* An operation that needs one always has one; the others only if the output is to stand apart from the
 * source. */
static inline bool job_spec_has_destination(const JobSpec *s) {
        return s->destination.type >= 0;
}

/* Decodes and checks a canonical spec as far as that is possible without touching the machine: types,
 * ranges, ids, combinations (compress needs qcow2, …), paths made of plain components. @errors gets every
 * wrong field; *ret is set only when there is none. 0 with *ret, -EBADMSG with @errors, -ENOMEM. */
int job_spec_from_json(json_t *object, JobSpec **ret, JsonErrors *errors);

/* What the decoder asks of a field, by its canonical path ("execution_policy.priority"); NULL if there is no
 * such field. */
const JsonField *job_spec_field(const char *path) _pure_;

/* The same from text; text that is no JSON is one error. */
int job_spec_parse(const char *text, size_t size, JobSpec **ret, JsonErrors *errors);

/* True if both ask for the same work: the documents are equal, whatever the order of their keys. */
bool job_spec_equal(const JobSpec *a, const JobSpec *b);

/* The server that the job reads from, if that is one whose jobs are limited in number; NULL: none. Borrowed
 * from @s. */
const char *job_spec_server(const JobSpec *s) _pure_;

/* Replaces *id with a new value in the spec's document too. */
int job_spec_set_id(JobSpec *s, const char *id);
