/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The canonical job spec: what every dialect is translated to at the edge. JSON in, struct out, nothing
 * else. */

#include "shared/json-table.h"

#define JOB_ID_MAX 128
/* The longest text of one spec. */
#define JOB_SPEC_MAX ((size_t) 1024 * 1024)
/* The unfinished output of "<dir>/<name>" is the folder "<dir>/" PREFIX "<name>" SUFFIX. */
#define JOB_PART_PREFIX "."
#define JOB_PART_SUFFIX ".hyper-part"

#define JOB_TIMEOUT_DEFAULT 7200u
#define JOB_TIMEOUT_MIN 60u
#define JOB_TIMEOUT_MAX 86400u
#define JOB_RETRY_DEFAULT 3u
#define JOB_RETRY_MAX 5u
#define JOB_PRIORITY_DEFAULT 50u
#define JOB_PRIORITY_MAX 100u

typedef enum JobOperation {
        OPERATION_CONVERT,
        OPERATION_INSPECT,
        OPERATION_OFFLINE_FIX,
        OPERATION_BOOT_REPAIR,
        OPERATION_SELINUX_PREP,
        OPERATION_LVM_REPAIR,
        OPERATION_FS_REPAIR,
        OPERATION_INITRAMFS_REGENERATE,
        _OPERATION_MAX,
        _OPERATION_INVALID = -EINVAL,
} JobOperation;

const char *job_operation_to_string(JobOperation o) _pure_;
JobOperation job_operation_from_string(const char *s) _pure_;
/* True for those that this machine carries out (convert). The others are for workers that can. */
bool job_operation_is_built_in(JobOperation o) _pure_;

/* Disk image formats, by qemu's names, with the names clients use for them ("vhd" is "vpc" to qemu). */
typedef enum DiskFormat {
        FORMAT_PROBE, /* not given: found out by looking */
        FORMAT_RAW,
        FORMAT_QCOW2,
        FORMAT_VMDK,
        FORMAT_VDI,
        FORMAT_VHD,
        FORMAT_VHDX,
        FORMAT_PARALLELS,
        FORMAT_OVA, /* a tar with an OVF and its disks; a source only */
        _FORMAT_MAX,
        _FORMAT_INVALID = -EINVAL,
} DiskFormat;

const char *disk_format_to_string(DiskFormat f) _pure_; /* our name: "vhd" */
const char *disk_format_to_qemu(DiskFormat f) _pure_; /* qemu's name: "vpc" */
DiskFormat disk_format_from_string(const char *s) _pure_; /* takes both, and "vpc" */

typedef enum EndpointType {
        ENDPOINT_FILE, /* an image file on this machine */
        ENDPOINT_NBD, /* an NBD URI: nbd://, nbds://, nbd+unix://, nbds+unix:// */
        _ENDPOINT_MAX,
        _ENDPOINT_INVALID = -EINVAL,
} EndpointType;

const char *endpoint_type_to_string(EndpointType t) _pure_;
EndpointType endpoint_type_from_string(const char *s) _pure_;

/* Reading the finished output back and comparing it with the source. */
typedef enum JobVerify {
        VERIFY_OFF,
        VERIFY_ON, /* all data, and a sample of what the source calls zero */
        VERIFY_FULL, /* every byte of both */
} JobVerify;

/* What is done with a source that another program may be writing. */
typedef enum JobInUse {
        IN_USE_REFUSE,
        IN_USE_ALLOW,
        _IN_USE_MAX,
        _IN_USE_INVALID = -EINVAL,
} JobInUse;

const char *job_in_use_to_string(JobInUse u) _pure_;
JobInUse job_in_use_from_string(const char *s) _pure_;

/* What is done with an image on top of others, which holds only what was changed. */
typedef enum JobChain {
        CHAIN_REFUSE,
        CHAIN_FLATTEN, /* all of them are read as one disk */
        _CHAIN_MAX,
        _CHAIN_INVALID = -EINVAL,
} JobChain;

const char *job_chain_to_string(JobChain c) _pure_;
JobChain job_chain_from_string(const char *s) _pure_;

typedef struct JobEndpoint {
        int type; /* EndpointType */
        char *path; /* FILE: absolute, no "..", no NUL, UTF-8 */
        char *uri; /* NBD */
        char *tls_certificates; /* NBD with TLS: a directory as nbd_set_tls_certificates(3) wants it */
        int format; /* DiskFormat. NBD destinations are raw. */
        char *checksum; /* source FILE: "sha256:<64 hex digits>" of the file, or NULL */
} JobEndpoint;

typedef struct JobSpec {
        char *job_id; /* NULL: one is made */
        int operation; /* JobOperation */
        JobEndpoint source;
        JobEndpoint destination; /* its type is _ENDPOINT_INVALID if there is none */
        struct {
                bool compress; /* qcow2 */
                bool allow_larger; /* an NBD destination may be larger than the source */
                int verify; /* JobVerify */
                int in_use; /* JobInUse */
                int chain; /* JobChain */
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
        json_t *secrets; /* {"source.tls_psk": "…"}: cut out of the document; travels as systemd credentials */
} JobSpec;

JobSpec *job_spec_free(JobSpec *s);
DEFINE_CLEANUP_FUNC(JobSpec *, job_spec_free);

/* A conversion always has one; the other operations only if the output is to stand apart from the source. */
static inline bool job_spec_has_destination(const JobSpec *s) {
        return s->destination.type >= 0;
}

/* True for a path that may be a source or (with room for its part folder) a destination: absolute, UTF-8, no
 * control characters, no empty, "." or ".." component, nothing of a part folder, not too long. Otherwise
 * *ret_reason says what is wrong ("must be …", static). */
bool job_path_is_valid(const char *path, bool is_destination, const char **ret_reason);

/* "<dir>/.<name>.hyper-part" for a destination. NULL when out of memory. */
char *job_part_path(const char *destination);

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

/* [A-Za-z0-9][A-Za-z0-9._:-]{0,127}, and no more "-" in it than fit into a unit's name, where each takes
 * four characters (36 in the longest id). */
bool job_id_is_valid(const char *id) _pure_;
/* A random UUID (RFC 9562, version 4) in the usual form. 0 or negative errno; the caller frees *ret. */
int job_id_make(char **ret);

/* "hyper-job-<escaped id>.service", escaped as systemd-escape(1) does. NULL when out of memory. */
char *job_unit_name(const char *id);
/* The id in such a name; -EINVAL for other names. The caller frees *ret. */
int job_id_from_unit_name(const char *unit, char **ret);
/* The directory name for a job's files, below <state>/jobs/: the same escaping. */
char *job_escape_id(const char *id);

/* Replaces *id with a new value in the spec's document too. */
int job_spec_set_id(JobSpec *s, const char *id);
