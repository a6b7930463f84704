/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job is to do: the struct that a spec is decoded to (job-spec.h). */

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

/* Who chooses the machine that carries the job out. */
typedef enum JobExecutor {
        JOB_EXECUTOR_AUTO, /* this machine, or the worker that asks first */
        JOB_EXECUTOR_SLURM,
} JobExecutor;

typedef struct JobSpec {
        char *job_id; /* NULL: one is made */
        int operation; /* JobOperation */
        JobEndpoint source;
        JobEndpoint destination; /* its type is _ENDPOINT_INVALID if there is none */
        struct {
                int kind; /* JobKind */
                bool compress; /* of formats that can (disk-format.h) */
                int compression; /* JobCompression; with compress alone it is zlib */
                bool allow_larger; /* an NBD destination may be larger than the source */
                int verify; /* JobVerify */
                int in_use; /* JobInUse */
                int chain; /* JobChain */
                unsigned fix; /* as job-fix.h has it; of an operation that fixes a guest, that one */
                json_t *fix_words; /* the same, as given, or NULL */
                char *root; /* of the guest that is fixed, or NULL */
                bool dry_run; /* nothing is written; the result says what would be changed */
                bool force; /* file systems are repaired even if data may be lost */
                int method; /* JobInitramfs */
                int relabel; /* JobRelabel */
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
        struct {
                bool given; /* the job waits for a low carbon intensity; this and the following ones of it */
                unsigned max_intensity; /* gCO2eq/kWh; 0: the best time */
                char *deadline; /* as given, or NULL */
                usec_t deadline_at; /* it starts then at the latest; 0: after max_delay */
                unsigned max_delay; /* seconds */
                unsigned duration_minutes; /* how long the job takes */
                int on_missing; /* CarbonMissing */
                char *zone; /* that the client expects, or NULL */
        } carbon;
        int executor; /* JobExecutor */
        struct {
                char **all, **none, **preferred; /* labels of machines (placement.h), or NULL */
        } placement;
        char **limits; /* names that it holds besides its own (job-limits.h), or NULL */
        json_t *audit_info; /* as given, or NULL */
        json_t *capability_requirements; /* as given, or NULL */
        json_t *given; /* what job_spec_parse() has read; NULL: it was not read from text */
        json_t *document; /* the whole canonical object: unknown fields kept, defaults filled in, secrets
                             "***" */
        json_t *secrets; /* {"source.tls_psk": "…"}: cut out of the document; travels as systemd
                          * credentials */
} JobSpec;

/* An operation that needs one always has one; the others only if the output is to stand apart from the
 * source. */
static inline bool job_spec_has_destination(const JobSpec *s) {
        return s->destination.type >= 0;
}

/* True if the source itself is changed. */
static inline bool job_spec_is_in_place(const JobSpec *s) {
        return !job_spec_has_destination(s) && !job_operation_has(s->operation, OPERATION_READS_ONLY);
}

/* True if the guest on the disks is looked at, in an appliance. */
static inline bool job_spec_has_guest(const JobSpec *s) {
        return s->parameters.fix != 0 || s->operation == OPERATION_INSPECT;
}
