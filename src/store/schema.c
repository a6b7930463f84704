/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a database is brought to its schema, and the schema of the manager's. */

#include "store/schema.h"
#include "store/sql.h"

/* An order of jobs-page.c. */
#define V1_INDEX(name, key) \
        "CREATE INDEX jobs_v1_" name " ON jobs (state, " key ", id) WHERE finished_at > 0;"
/* clang-format off */
#define V1_INDEXES \
        V1_INDEX("created", "created_at") \
        V1_INDEX("updated", "updated_at") \
        V1_INDEX("started", "nullif(started_at, 0)") \
        V1_INDEX("completed", "nullif(finished_at, 0)") \
        V1_INDEX("type", SQL_V1_TYPE_OF_SPEC) \
        V1_INDEX("provider", "v1_provider") \
        V1_INDEX("name", SQL_V1_NAME_OF_SPEC) \
        V1_INDEX("progress", SQL_V1_PROGRESS) \
        V1_INDEX("priority", "priority") \
        "CREATE INDEX jobs_v1_id ON jobs (state, id) WHERE finished_at > 0;"
/* clang-format on */

/* Of triggers: the job takes its place in the queue, or loses it. */
#define ENTER_BLOCK                                                          \
        "  INSERT INTO queue_blocks VALUES (new.priority, new.seq >> 10, 1)" \
        " ON CONFLICT (priority, block) DO UPDATE SET n = n + 1;"
#define LEAVE_BLOCK                                                                                    \
        "  UPDATE queue_blocks SET n = n - 1 WHERE priority = old.priority AND block = old.seq >> 10;" \
        "  DELETE FROM queue_blocks WHERE priority = old.priority AND block = old.seq >> 10 AND n = 0;"

static const char *const steps[] = {
        /* 1: jobs */
        "CREATE TABLE jobs ("
        "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  id TEXT NOT NULL UNIQUE,"
        "  operation TEXT NOT NULL,"
        "  spec TEXT NOT NULL,"
        "  dialect TEXT NOT NULL,"
        "  request TEXT,"
        "  state TEXT NOT NULL,"
        "  reason TEXT NOT NULL DEFAULT '',"
        "  priority INTEGER NOT NULL,"
        "  attempt INTEGER NOT NULL DEFAULT 0,"
        "  retry_count INTEGER NOT NULL,"
        "  idempotent INTEGER NOT NULL,"
        "  any_worker INTEGER NOT NULL DEFAULT 0,"
        "  worker_id TEXT,"
        "  created_at INTEGER NOT NULL,"
        "  updated_at INTEGER NOT NULL,"
        "  started_at INTEGER NOT NULL DEFAULT 0,"
        "  finished_at INTEGER NOT NULL DEFAULT 0,"
        "  due_at INTEGER NOT NULL DEFAULT 0,"
        "  phase TEXT,"
        "  percent REAL NOT NULL DEFAULT -1,"
        "  bytes_done INTEGER NOT NULL DEFAULT 0,"
        "  bytes_total INTEGER NOT NULL DEFAULT 0,"
        "  rate INTEGER NOT NULL DEFAULT 0,"
        "  result TEXT"
        ") STRICT;"
        "CREATE INDEX jobs_by_state ON jobs (state, seq);"
        "CREATE INDEX jobs_queue ON jobs (priority DESC, seq) WHERE state = 'QUEUED';"
        "CREATE INDEX jobs_due ON jobs (due_at) WHERE state = 'RETRYING';"
        "CREATE TABLE job_states ("
        "  seq INTEGER PRIMARY KEY,"
        "  job_seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,"
        "  state TEXT NOT NULL,"
        "  timestamp INTEGER NOT NULL,"
        "  reason TEXT NOT NULL"
        ") STRICT;"
        "CREATE INDEX job_states_by_job ON job_states (job_seq);"
        /* Counters, so that a total costs nothing however many jobs there are. */
        "CREATE TABLE job_counts (state TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        "CREATE TRIGGER jobs_count_insert AFTER INSERT ON jobs BEGIN"
        "  INSERT INTO job_counts VALUES (new.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;"
        " END;"
        "CREATE TRIGGER jobs_count_delete AFTER DELETE ON jobs BEGIN"
        "  UPDATE job_counts SET n = n - 1 WHERE state = old.state;"
        " END;"
        "CREATE TRIGGER jobs_count_update AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN"
        "  UPDATE job_counts SET n = n - 1 WHERE state = old.state;"
        "  INSERT INTO job_counts VALUES (new.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;"
        " END;"
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;",

        /* 2: webhooks and their deliveries. What was delivered and given up is counted, since rows do not
           stay. */
        "CREATE TABLE webhooks ("
        "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  url TEXT NOT NULL,"
        "  events TEXT NOT NULL,"
        "  event_mask INTEGER NOT NULL,"
        "  enabled INTEGER NOT NULL,"
        "  timeout INTEGER NOT NULL,"
        "  retry_count INTEGER NOT NULL,"
        "  headers TEXT NOT NULL,"
        "  has_secret INTEGER NOT NULL,"
        "  credential TEXT,"
        "  from_config INTEGER NOT NULL,"
        "  created_at INTEGER NOT NULL,"
        "  delivered INTEGER NOT NULL DEFAULT 0,"
        "  failed INTEGER NOT NULL DEFAULT 0"
        ") STRICT;"
        "CREATE TABLE deliveries ("
        "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  webhook_seq INTEGER NOT NULL REFERENCES webhooks (seq) ON DELETE CASCADE,"
        "  id TEXT NOT NULL UNIQUE,"
        "  event TEXT NOT NULL,"
        "  subject TEXT NOT NULL,"
        "  body TEXT NOT NULL,"
        "  state TEXT NOT NULL DEFAULT 'pending',"
        "  attempts INTEGER NOT NULL DEFAULT 0,"
        "  created_at INTEGER NOT NULL,"
        "  due_at INTEGER NOT NULL,"
        "  tried_at INTEGER NOT NULL DEFAULT 0,"
        "  status INTEGER NOT NULL DEFAULT 0,"
        "  duration INTEGER NOT NULL DEFAULT 0,"
        "  error TEXT NOT NULL DEFAULT '',"
        "  response TEXT NOT NULL DEFAULT ''"
        ") STRICT;"
        "CREATE INDEX deliveries_by_webhook ON deliveries (webhook_seq, seq);"
        "CREATE INDEX deliveries_pending ON deliveries (webhook_seq, seq) WHERE state = 'pending';"
        "CREATE INDEX deliveries_progress ON deliveries (webhook_seq, subject)"
        " WHERE state = 'pending' AND event = 'job.progress' AND attempts = 0;"
        "CREATE INDEX deliveries_ended ON deliveries (tried_at) WHERE state <> 'pending';"
        "CREATE TABLE delivery_counts (state TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;",

        /* 3: schedules. A run that was promised and has no job yet is 'starting' or 'waiting'. How a
         * schedule's jobs end is noted by the database itself, in the transaction that ends the job. */
        "CREATE TABLE schedules ("
        "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  id TEXT NOT NULL UNIQUE,"
        "  name TEXT NOT NULL,"
        "  description TEXT NOT NULL,"
        "  expression TEXT NOT NULL,"
        "  enabled INTEGER NOT NULL,"
        "  overlap TEXT NOT NULL,"
        "  catch_up INTEGER NOT NULL,"
        "  spec TEXT NOT NULL,"
        "  dialect TEXT NOT NULL,"
        "  request TEXT,"
        "  created_at INTEGER NOT NULL,"
        "  updated_at INTEGER NOT NULL,"
        "  next_at INTEGER NOT NULL DEFAULT 0,"
        "  last_run_at INTEGER NOT NULL DEFAULT 0,"
        "  last_job_id TEXT,"
        "  last_status TEXT,"
        "  run_count INTEGER NOT NULL DEFAULT 0,"
        "  success_count INTEGER NOT NULL DEFAULT 0,"
        "  failure_count INTEGER NOT NULL DEFAULT 0,"
        "  has_timer INTEGER NOT NULL DEFAULT 0"
        ") STRICT;"
        "CREATE INDEX schedules_without_timer ON schedules (seq) WHERE has_timer = 0 AND enabled = 1;"
        "CREATE TABLE schedule_runs ("
        "  seq INTEGER PRIMARY KEY,"
        "  schedule_seq INTEGER NOT NULL REFERENCES schedules (seq) ON DELETE CASCADE,"
        "  started_at INTEGER NOT NULL,"
        "  job_id TEXT,"
        "  status TEXT NOT NULL"
        ") STRICT;"
        "CREATE INDEX schedule_runs_by_schedule ON schedule_runs (schedule_seq, seq);"
        "CREATE INDEX schedule_runs_by_status ON schedule_runs (schedule_seq, status);"
        "CREATE INDEX schedule_runs_by_job ON schedule_runs (job_id);"
        "CREATE INDEX schedule_runs_pending ON schedule_runs (seq) WHERE status IN ('starting', 'waiting');"
        /* The last 1,000 runs of a schedule are kept. */
        "CREATE TRIGGER schedule_runs_pruned AFTER INSERT ON schedule_runs BEGIN"
        "  DELETE FROM schedule_runs WHERE status NOT IN ('starting', 'waiting', 'running') AND seq ="
        "    (SELECT seq FROM schedule_runs WHERE schedule_seq = new.schedule_seq"
        "     ORDER BY seq DESC LIMIT 1 OFFSET 1000);"
        " END;"
        "CREATE TRIGGER jobs_end_run AFTER UPDATE OF state ON jobs"
        " WHEN new.state IN ('COMPLETED', 'FAILED', 'CANCELLED') AND old.state <> new.state BEGIN"
        "  UPDATE schedules SET success_count = success_count + (new.state = 'COMPLETED'),"
        "    failure_count = failure_count + (new.state = 'FAILED'),"
        "    last_status = iif(last_job_id = new.id, new.state, last_status)"
        "    WHERE seq IN (SELECT schedule_seq FROM schedule_runs WHERE job_id = new.id);"
        "  UPDATE schedule_runs SET status = new.state WHERE job_id = new.id;"
        " END;",

        /* 4: sums for metrics, by the database itself. What was only read for a checksum was not copied. */
        "CREATE TABLE job_totals ("
        "  one INTEGER PRIMARY KEY CHECK (one = 1),"
        "  le_60 INTEGER NOT NULL, le_300 INTEGER NOT NULL, le_600 INTEGER NOT NULL, le_1800 INTEGER NOT "
        "NULL,"
        "  le_7200 INTEGER NOT NULL, n INTEGER NOT NULL, duration_usec INTEGER NOT NULL, bytes INTEGER NOT "
        "NULL"
        ") STRICT;"
        "INSERT INTO job_totals SELECT 1, coalesce(sum(d <= 60000000), 0), coalesce(sum(d <= 300000000), "
        "0), coalesce(sum(d <= 600000000), 0),"
        "  coalesce(sum(d <= 1800000000), 0), coalesce(sum(d <= 7200000000), 0), count(d), coalesce(sum(d), "
        "0), coalesce(sum(bytes), 0)"
        "  FROM (SELECT finished_at - started_at AS d, iif(phase = 'inspection', 0, bytes_done) AS bytes "
        "FROM jobs WHERE finished_at > 0 AND started_at > 0);"
        "CREATE TRIGGER jobs_total AFTER UPDATE OF state ON jobs"
        " WHEN new.finished_at > 0 AND old.finished_at = 0 AND new.started_at > 0 BEGIN"
        "  UPDATE job_totals SET n = n + 1, bytes = bytes + iif(new.phase = 'inspection', 0, "
        "new.bytes_done),"
        "    duration_usec = duration_usec + (new.finished_at - new.started_at),"
        "    le_60 = le_60 + (new.finished_at - new.started_at <= 60000000),"
        "    le_300 = le_300 + (new.finished_at - new.started_at <= 300000000),"
        "    le_600 = le_600 + (new.finished_at - new.started_at <= 600000000),"
        "    le_1800 = le_1800 + (new.finished_at - new.started_at <= 1800000000),"
        "    le_7200 = le_7200 + (new.finished_at - new.started_at <= 7200000000);"
        " END;",

        /* 5: workers. Where any worker may take a job, those that wait are found by what they demand. */
        "CREATE TABLE workers ("
        "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  id TEXT NOT NULL UNIQUE,"
        "  capabilities TEXT NOT NULL,"
        "  capability_mask INTEGER NOT NULL,"
        "  memory_gb INTEGER NOT NULL,"
        "  disk_gb INTEGER NOT NULL,"
        "  system_info TEXT NOT NULL,"
        "  execution_mode TEXT,"
        "  registered_at INTEGER NOT NULL,"
        "  heartbeat_at INTEGER NOT NULL"
        ") STRICT;"
        "CREATE INDEX workers_by_heartbeat ON workers (heartbeat_at);"
        "ALTER TABLE jobs ADD COLUMN demand INTEGER NOT NULL DEFAULT 0;"
        "CREATE INDEX jobs_waiting ON jobs (demand, priority DESC, seq) WHERE state = 'QUEUED' AND "
        "any_worker = 1;"
        "CREATE INDEX jobs_held ON jobs (worker_id, finished_at) WHERE worker_id IS NOT NULL;",

        /* 6: a worker that is heard from but gets nowhere does not keep its jobs for ever. */
        "ALTER TABLE jobs ADD COLUMN timeout_seconds INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE jobs ADD COLUMN deadline_at INTEGER NOT NULL DEFAULT 0;"
        "UPDATE jobs SET timeout_seconds = coalesce(iif(json_valid(spec), json_extract(spec, "
        "'$.execution_policy.timeout_seconds'), NULL), 7200)"
        "  WHERE finished_at = 0;"
        "UPDATE jobs SET deadline_at = updated_at + (timeout_seconds + 300) * 1000000"
        "  WHERE worker_id IS NOT NULL AND state IN ('ASSIGNED', 'RUNNING');"
        "CREATE INDEX jobs_deadline ON jobs (deadline_at) WHERE deadline_at > 0 AND finished_at = 0;",

        /* 7: keys for the API. A row never changes. */
        "CREATE TABLE api_keys ("
        "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  id TEXT NOT NULL UNIQUE,"
        "  name TEXT NOT NULL UNIQUE,"
        "  hash BLOB NOT NULL CHECK (length(hash) = 32),"
        "  scopes TEXT NOT NULL,"
        "  rate_limit INTEGER NOT NULL,"
        "  created_at INTEGER NOT NULL,"
        "  expires_at INTEGER NOT NULL"
        ") STRICT;",

        /* 8: how many wait of each priority, counted, so that a place in the queue costs as little in a long
           one. */
        "CREATE TABLE queue_counts (priority INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;"
        "INSERT INTO queue_counts SELECT priority, count(*) FROM jobs WHERE state = 'QUEUED' GROUP BY "
        "priority;"
        "CREATE TRIGGER queue_count_insert AFTER INSERT ON jobs WHEN new.state = 'QUEUED' BEGIN"
        "  INSERT INTO queue_counts VALUES (new.priority, 1) ON CONFLICT (priority) DO UPDATE SET n = n + 1;"
        " END;"
        "CREATE TRIGGER queue_count_enter AFTER UPDATE OF state ON jobs"
        " WHEN new.state = 'QUEUED' AND old.state <> 'QUEUED' BEGIN"
        "  INSERT INTO queue_counts VALUES (new.priority, 1) ON CONFLICT (priority) DO UPDATE SET n = n + 1;"
        " END;"
        "CREATE TRIGGER queue_count_leave AFTER UPDATE OF state ON jobs"
        " WHEN old.state = 'QUEUED' AND new.state <> 'QUEUED' BEGIN"
        "  UPDATE queue_counts SET n = n - 1 WHERE priority = old.priority;"
        " END;"
        "CREATE TRIGGER queue_count_delete AFTER DELETE ON jobs WHEN old.state = 'QUEUED' BEGIN"
        "  UPDATE queue_counts SET n = n - 1 WHERE priority = old.priority;"
        " END;",

        /* 9: workers may say which operations they carry out; those that did not carry out all. */
        "UPDATE workers SET capability_mask = capability_mask | 8160;",

        /* 10: the role that a job's paths are checked by. Who submitted what is here already is not known,
         * and it could be anybody: it is an operator's. What needs more is refused by name, and submitted
         * again by an administrator. */
        "ALTER TABLE jobs ADD COLUMN role TEXT NOT NULL DEFAULT 'operator';"
        "ALTER TABLE schedules ADD COLUMN role TEXT NOT NULL DEFAULT 'operator';",

        /* 11: which set of secrets is a schedule's, so that a change of the row and of the secrets is one.
         * Until now the set had the schedule's name. */
        "ALTER TABLE schedules ADD COLUMN credentials TEXT;"
        "UPDATE schedules SET credentials = id;",

        /* 12: where the paths of a job led to when it was submitted, NULL where they are as in the spec.
         * They were an entry of the spec, which now holds what was submitted and nothing else. */
        "ALTER TABLE jobs ADD COLUMN source_path TEXT;"
        "ALTER TABLE jobs ADD COLUMN destination_path TEXT;"
        "UPDATE jobs SET source_path = json_extract(spec, '$.resolved_paths.source'),"
        "  destination_path = json_extract(spec, '$.resolved_paths.destination'),"
        "  spec = json_remove(spec, '$.resolved_paths')"
        "  WHERE json_valid(spec) AND json_type(spec, '$.resolved_paths') IS NOT NULL;"
        /* A run whose job is tried again has not failed. */
        "CREATE TRIGGER jobs_retry_run AFTER UPDATE OF state ON jobs"
        " WHEN old.state = 'FAILED' AND new.state = 'QUEUED' BEGIN"
        "  UPDATE schedules SET failure_count = failure_count - 1,"
        "    last_status = iif(last_job_id = new.id, 'running', last_status)"
        "    WHERE seq IN (SELECT schedule_seq FROM schedule_runs WHERE job_id = new.id AND status = "
        "'FAILED');"
        "  UPDATE schedule_runs SET status = 'running' WHERE job_id = new.id;"
        " END;",

        /* 13: named sources. The password is a credential, of which only the name is here. */
        "CREATE TABLE sources ("
        "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  name TEXT NOT NULL UNIQUE,"
        "  type TEXT NOT NULL,"
        "  url TEXT NOT NULL,"
        "  username TEXT NOT NULL,"
        "  datacenter TEXT,"
        "  ca TEXT,"
        "  thumbprint TEXT,"
        "  credentials TEXT NOT NULL,"
        "  created_at INTEGER NOT NULL"
        ") STRICT;",

        /* 14: the counts of schedules are added up without their definitions. */
        "CREATE INDEX schedules_counts ON schedules (enabled, run_count, success_count, failure_count);",

        /* 15: the workflow that a client has named, and when jobs ended. */
        "ALTER TABLE jobs ADD COLUMN workflow_id TEXT;"
        "UPDATE jobs SET workflow_id = " SQL_WORKFLOW_ID ";"
        "CREATE INDEX jobs_by_workflow ON jobs (workflow_id, seq) WHERE workflow_id IS NOT NULL;"
        "CREATE INDEX jobs_ended ON jobs (state, finished_at) WHERE finished_at > 0;",

        /* 16: warm jobs. One that waits for its next pass is QUEUED, but has no place in the queue. */
        "ALTER TABLE jobs ADD COLUMN warm TEXT;"
        "CREATE INDEX jobs_warm ON jobs (seq) WHERE warm IS NOT NULL;"
        "DROP TRIGGER queue_count_enter;"
        "DROP TRIGGER queue_count_leave;"
        "DROP TRIGGER queue_count_delete;"
        "CREATE TRIGGER queue_count_enter AFTER UPDATE OF state ON jobs"
        " WHEN new.state = 'QUEUED' AND new.due_at = 0 AND (old.state <> 'QUEUED' OR old.due_at > 0) BEGIN"
        "  INSERT INTO queue_counts VALUES (new.priority, 1) ON CONFLICT (priority) DO UPDATE SET n = n + 1;"
        " END;"
        "CREATE TRIGGER queue_count_leave AFTER UPDATE OF state ON jobs"
        " WHEN old.state = 'QUEUED' AND old.due_at = 0 AND (new.state <> 'QUEUED' OR new.due_at > 0) BEGIN"
        "  UPDATE queue_counts SET n = n - 1 WHERE priority = old.priority;"
        " END;"
        "CREATE TRIGGER queue_count_delete AFTER DELETE ON jobs WHEN old.state = 'QUEUED' AND old.due_at = 0 "
        "BEGIN"
        "  UPDATE queue_counts SET n = n - 1 WHERE priority = old.priority;"
        " END;",

        /* 17: sessions of the v1 API. */
        "CREATE TABLE sessions ("
        "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  id TEXT NOT NULL UNIQUE,"
        "  hash BLOB NOT NULL UNIQUE,"
        "  username TEXT NOT NULL,"
        "  uid INTEGER NOT NULL,"
        "  role TEXT NOT NULL,"
        "  address TEXT NOT NULL,"
        "  login_at INTEGER NOT NULL,"
        "  created_at INTEGER NOT NULL,"
        "  expires_at INTEGER NOT NULL"
        ") STRICT;"
        "CREATE INDEX sessions_by_user ON sessions (username, seq);",

        /* 18: sums of what was transferred from vSphere servers, for metrics. */
        "CREATE TABLE vsphere_totals (server TEXT NOT NULL, what TEXT NOT NULL, n INTEGER NOT NULL, "
        "PRIMARY KEY (server, what)) STRICT, WITHOUT ROWID;",

        /* 19: the orders of the v1 API, for jobs that have ended: these do not change any more. */
        "ALTER TABLE jobs ADD COLUMN v1_provider TEXT;"
        "ALTER TABLE jobs ADD COLUMN v1_source TEXT;"
        "ALTER TABLE jobs ADD COLUMN v1_output TEXT;"
        "UPDATE jobs SET (" SQL_V1_COLUMNS ") = (SELECT " SQL_V1_VALUES("spec") ");" V1_INDEXES,

        /* 20: uploads, and the chunks of each that are there. */
        "CREATE TABLE uploads ("
        "  id TEXT NOT NULL PRIMARY KEY,"
        "  owner TEXT NOT NULL,"
        "  filename TEXT NOT NULL,"
        "  size INTEGER NOT NULL,"
        "  chunk_size INTEGER NOT NULL,"
        "  sha256 TEXT,"
        "  state TEXT NOT NULL,"
        "  path TEXT,"
        "  error TEXT,"
        "  created_at INTEGER NOT NULL,"
        "  updated_at INTEGER NOT NULL"
        ") STRICT;"
        "CREATE INDEX uploads_updated ON uploads (updated_at);"
        "CREATE TABLE upload_chunks ("
        "  upload_id TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,"
        "  chunk INTEGER NOT NULL,"
        "  PRIMARY KEY (upload_id, chunk)"
        ") STRICT, WITHOUT ROWID;",

        /* 21: the type and the name that clients of the v1 API give to jobs. */
        "ALTER TABLE jobs ADD COLUMN v1_kind TEXT;"
        "ALTER TABLE jobs ADD COLUMN v1_label TEXT;"
        "DROP INDEX jobs_v1_type;"
        "DROP INDEX jobs_v1_name;" V1_INDEX("type", SQL_V1_TYPE) V1_INDEX("name", SQL_V1_NAME),

        /* 22: jobs that wait for a low carbon intensity. Such a job is QUEUED, but has no place in the
         * queue. */
        "ALTER TABLE jobs ADD COLUMN carbon TEXT;"
        "DROP TRIGGER queue_count_insert;"
        "CREATE TRIGGER queue_count_insert AFTER INSERT ON jobs "
        "WHEN new.state = 'QUEUED' AND new.due_at = 0 BEGIN"
        "  INSERT INTO queue_counts VALUES (new.priority, 1) ON CONFLICT (priority) DO UPDATE SET n = n + 1;"
        " END;",

        /* 23: who has submitted a job, or a schedule. It is not known of those that are here already. */
        "ALTER TABLE jobs ADD COLUMN submitter TEXT;"
        "ALTER TABLE schedules ADD COLUMN submitter TEXT;",

        /* 24: how many wait of each 1,024 jobs, so that the place of one that has waited for long is found
         * without counting those behind it. */
        "CREATE TABLE queue_blocks (priority INTEGER, block INTEGER, n INTEGER NOT NULL, "
        "PRIMARY KEY (priority, block)) STRICT, WITHOUT ROWID;"
        "INSERT INTO queue_blocks SELECT priority, seq >> 10, count(*) FROM jobs "
        "WHERE state = 'QUEUED' AND due_at = 0 GROUP BY 1, 2;"
        "CREATE TRIGGER queue_block_insert AFTER INSERT ON jobs "
        "WHEN new.state = 'QUEUED' AND new.due_at = 0 BEGIN" ENTER_BLOCK " END;"
        "CREATE TRIGGER queue_block_enter AFTER UPDATE OF state ON jobs"
        " WHEN new.state = 'QUEUED' AND new.due_at = 0 AND (old.state <> 'QUEUED' OR old.due_at > 0) "
        "BEGIN" ENTER_BLOCK " END;"
        "CREATE TRIGGER queue_block_leave AFTER UPDATE OF state ON jobs"
        " WHEN old.state = 'QUEUED' AND old.due_at = 0 AND (new.state <> 'QUEUED' OR new.due_at > 0) "
        "BEGIN" LEAVE_BLOCK " END;"
        "CREATE TRIGGER queue_block_delete AFTER DELETE ON jobs WHEN old.state = 'QUEUED' AND old.due_at = 0 "
        "BEGIN" LEAVE_BLOCK " END;"
        "CREATE INDEX schedules_failed ON schedules (seq) WHERE " SQL_SCHEDULE_FAILED ";",

        /* 25: jobs that wait for a low carbon intensity are found among many others that wait. */
        "CREATE INDEX jobs_on_hold ON jobs (seq) WHERE carbon IS NOT NULL AND state = 'QUEUED';",

        /* 26: limits by name. The names that a job holds while it runs are a set, which many jobs share.
         * Those that hold nothing are looked for as before. */
        "CREATE TABLE limit_sets (seq INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE) STRICT;"
        "ALTER TABLE jobs ADD COLUMN limit_set INTEGER NOT NULL DEFAULT 0;"
        "DROP INDEX jobs_waiting;"
        "CREATE INDEX jobs_waiting ON jobs (demand, priority DESC, seq) WHERE state = 'QUEUED' AND "
        "any_worker = 1 AND limit_set = 0;"
        "CREATE INDEX jobs_limits_waiting ON jobs (limit_set, any_worker, demand, priority DESC, seq) "
        "WHERE state = 'QUEUED' AND due_at = 0 AND limit_set > 0;"
        "CREATE INDEX jobs_limits_held ON jobs (limit_set, priority, seq) "
        "WHERE limit_set > 0 AND state IN ('ASSIGNED', 'RUNNING');",

        /* 27: jobs that Slurm places. The number of the job that Slurm has for it, 0: none. 32768 is
         * DEMAND_SLURM. */
        "CREATE TABLE slurm_jobs (seq INTEGER PRIMARY KEY, number INTEGER NOT NULL, "
        "attempt INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, failures INTEGER NOT NULL) "
        "STRICT;"
        "CREATE INDEX slurm_jobs_known ON slurm_jobs (number) WHERE number > 0;"
        "CREATE INDEX jobs_for_slurm ON jobs (priority DESC, seq) WHERE state = 'QUEUED' AND due_at = 0 AND "
        "(demand & 32768) > 0;",

        /* 28: labels of workers, separated by newlines. */
        "ALTER TABLE workers ADD COLUMN labels TEXT NOT NULL DEFAULT '';"
        "CREATE INDEX workers_by_labels ON workers (labels);",
};

const Schema schema_jobs = {
        .application_id = 0x68797072, /* "hypr" */
        .set_application_id = "PRAGMA application_id=0x68797072",
        .steps = steps,
        .n_steps = ELEMENTSOF(steps),
};

static int query_integer(Store *s, const char *sql, int64_t *ret) {
        sqlite3_stmt *statement = NULL;
        int r;

        r = sql_prepare(s, sql, &statement);
        if (r >= 0)
                r = sql_next(s, statement);
        if (r > 0)
                *ret = sqlite3_column_int64(statement, 0);
        (void) sqlite3_finalize(statement);
        return r < 0 ? r : 0;
}

/* The version, or 0 for a new and empty file. -EBADMSG for somebody else's database and for one of a newer
 * hyper. */
static int schema_version(Store *s, int64_t *ret) {
        int64_t id = 0, tables = 0, version = 0;
        int r;

        r = query_integer(s, "PRAGMA application_id", &id);
        if (r < 0)
                return r;
        r = query_integer(s, "SELECT count(*) FROM sqlite_schema", &tables);
        if (r < 0)
                return r;
        if (tables > 0) {
                if (id != s->schema->application_id)
                        return -EBADMSG;
                r = query_integer(s, "SELECT version FROM schema_version", &version);
                if (r < 0)
                        return r;
                if (version < 1 || version > (int64_t) s->schema->n_steps)
                        return -EBADMSG;
        }
        *ret = version;
        return 0;
}

static int run_text(Store *s, const char *sql) {
        return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_errno(s);
}

static int apply_step(Store *s, int64_t version) {
        int r = run_text(s, s->schema->steps[version]);

        return r < 0 ? r : run_text(s, "UPDATE schema_version SET version = version + 1");
}

/* All steps in one transaction: a reader finds an empty file or today's tables, nothing between. */
static int create(Store *s) {
        int r = sql_begin(s);

        if (r < 0)
                return r;
        r = run_text(s, s->schema->set_application_id);
        if (r >= 0)
                r = run_text(s,
                                "CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;"
                                "INSERT INTO schema_version VALUES (0)");
        for (int64_t version = 0; r >= 0 && version < (int64_t) s->schema->n_steps; version++)
                r = apply_step(s, version);
        return sql_end(s, r);
}

int schema_migrate(Store *s) {
        int64_t version;
        int r;

        r = schema_version(s, &version);
        if (r < 0)
                return r;
        if (version == 0)
                return create(s);
        for (; version < (int64_t) s->schema->n_steps; version++) {
                r = sql_begin(s);
                if (r >= 0)
                        r = sql_end(s, apply_step(s, version));
                if (r < 0)
                        return r;
        }
        return 0;
}

int schema_check(Store *s) {
        int64_t version;
        int r;

        r = schema_version(s, &version);
        /* It is there, but -wal or -shm is not, or needs recovery: a reader can do nothing about that. */
        if (r == -EROFS || (r == -EIO && (sqlite3_errcode(s->db) & 0xff) == SQLITE_CANTOPEN))
                return -EAGAIN;
        if (r < 0)
                return r;
        if (version == (int64_t) s->schema->n_steps)
                return 0;
        /* Made, but not filled yet: the owner is at it, was cut off, or somebody has emptied the file. Or
         * filled by an older hyper. None of these is the same as a file that is not there. */
        return -EAGAIN;
}
