/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between the store's nouns and SQLite: opening, statements prepared once, transactions. Inside this
 * directory only. */

#include <sqlite3.h>

#include "basic/macro.h"
#include "basic/time-util.h"

/* Every statement of the store, in one place, so that each is prepared once and kept. */
typedef enum StatementId {
        SQL_BEGIN,
        SQL_COMMIT,
        SQL_ROLLBACK,
        SQL_SAVEPOINT,
        SQL_SAVEPOINT_RELEASE,
        SQL_SAVEPOINT_ROLLBACK,
        SQL_JOB_INSERT,
        SQL_JOB_STATE_INSERT,
        SQL_JOB_STATE_INSERT_BY_ID,
        SQL_JOB_TRANSITION,
        SQL_JOB_PROGRESS,
        SQL_JOB_GET,
        SQL_JOB_WARM,
        SQL_JOB_HOLD,
        SQL_JOB_RESULT,
        SQL_JOB_STATES,
        SQL_JOB_CHANGES,
        SQL_JOB_LAST_CHANGE,
        SQL_JOBS_NEWEST,
        SQL_JOBS_OLDEST,
        SQL_JOBS_BY_QUEUE,
        SQL_JOBS_BY_ID,
        SQL_JOBS_BY_ID_TOTAL,
        SQL_JOBS_BY_WORKFLOW,
        SQL_JOBS_BY_WORKFLOW_TOTAL,
        SQL_JOBS_PAGE_GET,
        SQL_JOBS_PAGE_NEWEST,
        SQL_JOBS_ON_HOLD,
        SQL_JOBS_COUNT_ENDED,
        SQL_JOBS_COUNT,
        SQL_JOB_QUEUE_POSITION,
        SQL_SLURM_GET,
        SQL_SLURM_PUT,
        SQL_SLURM_KNOWN,
        SQL_SLURM_NEXT,
        SQL_SLURM_STATE,
        SQL_VERSION,
        SQL_WEBHOOK_INSERT,
        SQL_WEBHOOK_UPDATE,
        SQL_WEBHOOK_DELETE,
        SQL_WEBHOOKS_LIST,
        SQL_WEBHOOKS_FOR_EVENT,
        SQL_WEBHOOK_COUNT,
        SQL_DELIVERY_INSERT,
        SQL_DELIVERY_DROP_PROGRESS,
        SQL_DELIVERY_HEADS,
        SQL_DELIVERIES_PENDING,
        SQL_DELIVERIES_LIST,
        SQL_DELIVERY_GET,
        SQL_DELIVERY_ATTEMPTS,
        SQL_DELIVERY_RECORD,
        SQL_DELIVERY_COUNT,
        SQL_DELIVERIES_COUNT,
        SQL_DELIVERIES_PRUNE,
        SQL_SCHEDULE_INSERT,
        SQL_SCHEDULE_UPDATE,
        SQL_SCHEDULE_DELETE,
        SQL_SCHEDULE_GET,
        SQL_SCHEDULES_LIST,
        SQL_SCHEDULES_FAILED,
        SQL_SCHEDULES_COUNT,
        SQL_SCHEDULES_IDS,
        SQL_SCHEDULES_WITHOUT_TIMER,
        SQL_SCHEDULE_TIMER_MADE,
        SQL_SCHEDULE_NEXT_AT,
        SQL_SCHEDULE_RUN_INSERT,
        SQL_SCHEDULE_RAN,
        SQL_SCHEDULE_RUN_STATUS,
        SQL_SCHEDULE_LAST_STATUS,
        SQL_SCHEDULE_OF_JOB,
        SQL_SCHEDULE_BUSY,
        SQL_SCHEDULE_WAITING,
        SQL_SCHEDULE_RUNS_PENDING,
        SQL_SCHEDULE_RUNS_LIST,
        SQL_JOB_TOTALS,
        SQL_WARM_TOTALS,
        SQL_VSPHERE_ADD,
        SQL_VSPHERE_TOTALS,
        SQL_VSPHERE_RUNNING,
        SQL_WORKER_PUT,
        SQL_WORKER_HEARTBEAT,
        SQL_WORKER_HEARD,
        SQL_WORKER_DELETE,
        SQL_WORKER_GET,
        SQL_WORKERS_LIST,
        SQL_WORKERS_SILENT,
        SQL_WORKERS_COUNT,
        SQL_WORKERS_CAN,
        SQL_WORKER_LABELS,
        SQL_JOB_FOR_WORKER,
        SQL_WORKER_JOBS,
        SQL_WORKER_CANCELLED,
        SQL_JOBS_ABANDONED,
        SQL_WORKERS_LONGEST_SILENT,
        SQL_JOBS_OVERDUE,
        SQL_JOB_NEXT_DEADLINE,
        SQL_QUEUE_STATUS,
        SQL_LIMIT_SET_FIND,
        SQL_LIMIT_SET_INSERT,
        SQL_LIMIT_SET_GET,
        SQL_LIMIT_SETS_ANY,
        SQL_LIMIT_HELD,
        SQL_LIMIT_CLASSES,
        SQL_LIMIT_HEAD,
        SQL_LIMIT_JOB,
        SQL_LIMIT_JOB_SET,
        SQL_LIMIT_JOB_ID,
        SQL_API_KEY_INSERT,
        SQL_API_KEY_DELETE,
        SQL_API_KEYS_LIST,
        SQL_SOURCE_INSERT,
        SQL_SOURCE_DELETE,
        SQL_SOURCE_GET,
        SQL_SOURCES_LIST,
        SQL_SESSION_INSERT,
        SQL_SESSION_SHORTEN,
        SQL_SESSION_DELETE,
        SQL_SESSION_FIND,
        SQL_SESSION_GET,
        SQL_SESSION_IS_KNOWN,
        SQL_SESSIONS_LIST,
        SQL_SESSIONS_PRUNE,
        SQL_SESSIONS_DROP_OLDEST,
        SQL_UPLOAD_INSERT,
        SQL_UPLOAD_DELETE,
        SQL_UPLOAD_GET,
        SQL_UPLOAD_UPDATE,
        SQL_UPLOAD_TOUCH,
        SQL_UPLOAD_EXPIRED,
        SQL_UPLOADS_COUNT,
        SQL_UPLOADS_RECENT,
        SQL_UPLOAD_CHUNK_PUT,
        SQL_UPLOAD_CHUNK_DROP,
        SQL_UPLOAD_CHUNKS,
        SQL_FACT_GET,
        SQL_FACT_SET,
        SQL_HOST_PUT,
        SQL_HOST_STATE,
        SQL_HOST_DEFINITION,
        SQL_HOSTS_AWAY,
        SQL_HOST_DELETE,
        SQL_HOST_GET,
        SQL_HOSTS,
        SQL_VM_PUT,
        SQL_VM_DELETE,
        SQL_VMS_BY_HOST,
        SQL_VMS_AFTER,
        SQL_VMS_COUNT,
        SQL_SETTING_GET,
        SQL_SETTING_SET,
        _SQL_MAX,
} StatementId;

/* The group of group.h. */
typedef struct StoreGroup {
        bool pending; /* there is one whose outcome store_group_commit() has not given yet */
        bool open; /* its transaction is open */
        bool entered; /* what is read and written belongs to it */
        int result; /* pending, but not open: how its commit ended */
} StoreGroup;

/* How often a reader looks again at an index that is incomplete if nobody writes it, how often in all, and
 * after how many microseconds. In all, it waits as long as for a lock. */
#define SQL_LOOKS_MAX 10u
#define SQL_LOOKS_WRITING 5000u
#define SQL_LOOK_PAUSE 1000u

typedef struct Store Store;
typedef struct Schema Schema;

/* The last answer of store_workers_can(), valid until a row changes: it is asked for each job of a group
 * commit. */
typedef struct StoreWorkersCan {
        bool known, can;
        uint64_t demand; /* packed */
        int changes;
} StoreWorkersCan;

struct Store {
        sqlite3 *db;
        const Schema *schema;
        sqlite3_stmt *statements[_SQL_MAX];
        StoreGroup group;
        StoreWorkersCan workers_can;
        struct LimitBook *limits; /* limit-book.h; NULL: not read yet */
        void (*forget_limits)(Store *s); /* if there is one */
        const struct LimitRules *limit_rules; /* NULL: nothing is limited */
        void (*pause)(unsigned looks); /* tests: instead of a pause */
};

/* The columns of a JobRow in the order in which job_row_read() takes them. */
#define JOB_COLUMNS                                                                                    \
        "seq, id, operation, spec, dialect, request, state, reason, priority, attempt, retry_count, "  \
        "idempotent, any_worker, worker_id, created_at, updated_at, started_at, finished_at, due_at, " \
        "phase, percent, bytes_done, bytes_total, rate, result, demand, timeout_seconds, "             \
        "deadline_at, role, source_path, destination_path, warm, carbon, submitter, limit_set"

/* The workflow_id of what a client has sent, which may be anything: in a row of jobs, in SQL_JOB_INSERT. */
#define SQL_WORKFLOW_ID_OF(sent)                                                                          \
        "iif(json_valid(" sent "), iif(json_type(" sent ", '$.workflow_id') = 'text', json_extract(" sent \
        ", '$.workflow_id'), NULL), NULL)"
#define SQL_WORKFLOW_ID SQL_WORKFLOW_ID_OF("coalesce(request, spec)")
#define SQL_NEW_WORKFLOW_ID SQL_WORKFLOW_ID_OF("?34")

/* What the v1 API says about a job (jobs-page.h): columns that are made of the spec, and what is made of
 * them. These are indexed, so an index is used only for the same text. */
#define SQL_V1_COLUMNS "v1_provider, v1_source, v1_output"
#define SQL_V1_VALUES(spec)                                                                                 \
        "iif(json_valid(" spec "), CASE json_extract(" spec ", '$.source.type') WHEN 'vsphere' THEN "       \
        "'vsphere' WHEN 'libvirt' THEN 'libvirt' WHEN 'nbd' THEN 'nbd' ELSE 'local' END, 'local'), "        \
        "iif(json_valid(" spec "), coalesce(json_extract(" spec ", '$.source.vm_path'), json_extract(" spec \
        ", '$.source.path'), json_extract(" spec ", '$.source.uri'), ''), ''), "                            \
        "iif(json_valid(" spec "), coalesce(json_extract(" spec                                             \
        ", '$.destination.path'), json_extract(" spec ", '$.destination.directory'), json_extract(" spec    \
        ", '$.destination.uri'), ''), '')"
/* The kind that the spec has, and what a client of the v1 API calls the machine in its request. */
#define SQL_V1_WORDS "v1_kind, v1_label"
#define SQL_V1_WORDS_VALUES(spec, dialect, sent)                                         \
        "iif(json_valid(" spec "), json_extract(" spec ", '$.parameters.kind'), NULL), " \
        "iif(" dialect " = 'v1' AND json_valid(" sent "), iif(json_type(" sent           \
        ", '$.vm_name') = 'text', nullif(json_extract(" sent ", '$.vm_name'), ''), NULL), NULL)"
#define SQL_V1_TYPE_OF_SPEC \
        "iif(operation = 'convert' AND v1_provider IN ('vsphere', 'libvirt'), 'export', operation)"
#define SQL_V1_TYPE "coalesce(v1_kind, " SQL_V1_TYPE_OF_SPEC ")"
/* What is behind the last slash, and before the last dot of that. */
#define SQL_V1_BASE "substr(v1_source, length(rtrim(v1_source, replace(v1_source, '/', ''))) + 1)"
#define SQL_V1_STEM_LENGTH "length(rtrim(" SQL_V1_BASE ", replace(" SQL_V1_BASE ", '.', '')))"
#define SQL_V1_NAME "coalesce(v1_label, " SQL_V1_NAME_OF_SPEC ")"
#define SQL_V1_NAME_OF_SPEC                                                             \
        "iif(v1_provider = 'local' AND " SQL_V1_STEM_LENGTH " > 1, substr(" SQL_V1_BASE \
        ", 1, " SQL_V1_STEM_LENGTH " - 1), " SQL_V1_BASE ")"
#define SQL_V1_PROGRESS "max(percent, 0)"
/* The last run of a schedule has failed, or its job was refused. (The text of an index.) */
#define SQL_SCHEDULE_FAILED "last_status IN ('FAILED', 'refused')"

#define HOST_COLUMNS "id, uri, shown_uri, name, state, error, created_at, updated_at, auto_connect"
#define VM_COLUMNS                                                                                \
        "seq, uuid, name, description, state, vcpu_count, memory_bytes, vnc, spice, persistent, " \
        "created_at, updated_at, cpu_model, os_type, disk_bytes, cpu_topology, drift, concerns"

/* The same for a WebhookRow, and for a DeliveryRow. */
#define WEBHOOK_COLUMNS                                                                                    \
        "w.seq, url, events, event_mask, enabled, timeout, retry_count, headers, has_secret, credential, " \
        "from_config, created_at, delivered, failed"
#define DELIVERY_COLUMNS                                                                             \
        "seq, webhook_seq, id, event, body, state, attempts, created_at, due_at, tried_at, status, " \
        "duration, error, response"
/* The same for a WorkerRow. */
#define WORKER_COLUMNS                                                                              \
        "w.seq, w.id, w.capabilities, w.capability_mask, w.memory_gb, w.disk_gb, w.system_info, "   \
        "w.execution_mode, w.registered_at, w.heartbeat_at, (SELECT count(*) FROM jobs INDEXED BY " \
        "jobs_held WHERE worker_id = w.id AND finished_at = 0), w.labels"
/* The same for a ScheduleRow. */
#define SCHEDULE_COLUMNS                                                                               \
        "seq, id, name, description, expression, enabled, overlap, catch_up, spec, dialect, request, " \
        "created_at, updated_at, next_at, last_run_at, last_job_id, last_status, run_count, "          \
        "success_count, failure_count, role, credentials, submitter"

/* The same for a SourceRow. */
#define SOURCE_COLUMNS "name, type, url, username, datacenter, ca, thumbprint, credentials, created_at"

/* The same for a SessionRow. */
#define SESSION_COLUMNS "id, hash, username, uid, role, address, login_at, created_at, expires_at"
/* The same for an UploadRow. */
#define UPLOAD_COLUMNS \
        "id, owner, filename, size, chunk_size, sha256, state, path, error, created_at, updated_at"

/* What is known in memory of rows is wrong: a change of them was taken back. */
static inline void sql_forget(Store *s) {
        if (s->limits)
                s->forget_limits(s);
}

/* SQLite's last error as a negative errno. */
int sql_errno(Store *s);

/* A new statement, or NULL. It reads the schema, if no statement has done so. */
int sql_prepare(Store *s, const char *text, sqlite3_stmt **ret);

/* The statement, prepared at its first use, reset and with no values bound; NULL with sql_errno() on
 * failure. Outside the stretches of a group (group.h) this commits the group. */
sqlite3_stmt *sql_statement(Store *s, StatementId id);
/* The same, without looking at the group. */
sqlite3_stmt *sql_statement_any(Store *s, StatementId id);

/* Ends a use of a statement: it lets go of its locks and values. For _cleanup_. */
static inline void sql_donep(sqlite3_stmt **statement) {
        if (*statement) {
                (void) sqlite3_reset(*statement);
                (void) sqlite3_clear_bindings(*statement);
        }
}
#define _cleanup_sql_done_ _cleanup_(sql_donep)

/* Runs a statement that gives no rows. 0 or negative errno. */
int sql_run(Store *s, sqlite3_stmt *statement);

/* The same for one that is to change one row: -ENOENT if there was none. */
int sql_run_on_one(Store *s, sqlite3_stmt *statement);

/* On to the next row: 1 if there is one, 0 if there are no more, negative errno. */
int sql_next(Store *s, sqlite3_stmt *statement);

/* The only row: 0, -ENOENT if there is none, negative errno. */
int sql_row(Store *s, sqlite3_stmt *statement);
/* The time that a statement without parameters gives in its one row; -ENOENT if that is NULL. */
int sql_read_earliest(Store *s, StatementId id, usec_t *ret);

/* Reads the row that @statement stands on. What it has read when it fails is freed with what it was read
 * into. */
typedef int (*SqlReader)(sqlite3_stmt *statement, void *ret);

/* All rows, appended to an array: each is zeroed and counted before it is read, so whoever frees the array
 * frees all of it also after a failure. 0 or negative errno. */
#define SQL_READ_ROWS(s, statement, read, array, n)                                                \
        ({                                                                                         \
                void *_array = (array);                                                            \
                int _r = sql_read_rows((s), (statement), (read), sizeof(*(array)), &_array, &(n)); \
                (array) = _array;                                                                  \
                _r;                                                                                \
        })
int sql_read_rows(Store *s, sqlite3_stmt *statement, SqlReader read, size_t size, void **array, size_t *n);

/* Whether the transactions that follow are on the disk when they end, or (false) with one that comes later.
 * Not within one. 0 or negative errno. */
int sql_set_durable(Store *s, bool durable);

/* A transaction, or in a stretch of a group (group.h) a part of the group's. end() commits if @r is not
 * negative, else rolls back; it gives @r, or the commit's own error. */
int sql_begin(Store *s);
int sql_end(Store *s, int r);

/* From group.c: commits the group if it is open; the two above in a stretch. */
void sql_group_close(Store *s);
int sql_group_begin(Store *s);
int sql_group_end(Store *s, int r);

static inline void sql_bind_text(sqlite3_stmt *st, int i, const char *text) {
        (void) sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

static inline void sql_bind_uint(sqlite3_stmt *st, int i, uint64_t value) {
        (void) sqlite3_bind_int64(st, i, (int64_t) value);
}

/* One parameter per state, from @first on; the states that are not wanted stay NULL and match nothing.
 * @states: a mask of 1u << JobState; 0: all. */
void sql_bind_states(sqlite3_stmt *st, int first, uint32_t states);

/* NULL-safe copies of a column. A column that is NULL gives NULL. 0 or -ENOMEM. */
int sql_column_strdup(sqlite3_stmt *statement, int column, char **ret);

/* Several of them, up to a NULL. */
typedef struct SqlText {
        int column;
        char **to;
} SqlText;
int sql_column_texts(sqlite3_stmt *statement, const SqlText *texts);
