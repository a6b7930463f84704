/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <unistd.h>

#include "basic/string-util.h"
#include "spec/job-state.h"
#include "store/sql.h"

/* clang-format off */
#define SLURM_COLUMNS \
        "j.id, j.state, j.attempt, j.priority, j.demand, j.timeout_seconds, l.names, s.number, s.state, " \
        "s.reason, s.attempt, s.failures, j.finished_at FROM jobs j LEFT JOIN slurm_jobs s " \
        "ON s.seq = j.seq LEFT JOIN limit_sets l ON l.seq = j.limit_set"
/* clang-format on */

/* The lock that the writer holds, in the index of the log (https://www.sqlite.org/walformat.html, 2.3). */
#define WAL_WRITE_LOCK 0

/* One arm per state, so that each walks its part of the index (state, seq); the arms are merged in order. */
#define ARM(i, and) "SELECT seq FROM jobs WHERE state = ?" #i and
#define AND_ARM(i, and) " UNION ALL " ARM(i, and)
#define ARMS(and)       \
        ARM(1, and)     \
        AND_ARM(2, and) \
        AND_ARM(3, and) \
        AND_ARM(4, and) AND_ARM(5, and) AND_ARM(6, and) AND_ARM(7, and) AND_ARM(8, and) AND_ARM(9, and)
#define STATES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9"
static_assert(_JOB_STATE_MAX == 9, "one parameter per state");

static const char *const statement_texts[_SQL_MAX] = {
        [SQL_BEGIN] = "BEGIN IMMEDIATE",
        [SQL_COMMIT] = "COMMIT",
        [SQL_ROLLBACK] = "ROLLBACK",
        [SQL_SAVEPOINT] = "SAVEPOINT member",
        [SQL_SAVEPOINT_RELEASE] = "RELEASE member",
        [SQL_SAVEPOINT_ROLLBACK] = "ROLLBACK TO member",
        [SQL_JOB_INSERT] = "INSERT INTO jobs (" JOB_COLUMNS ", workflow_id, " SQL_V1_COLUMNS
                           ", " SQL_V1_WORDS ") VALUES (NULL, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
                           "?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, "
                           "?27, 0, ?28, ?29, ?30, ?31, ?32, ?33, ?35, " SQL_NEW_WORKFLOW_ID
                           ", " SQL_V1_VALUES("?4") ", " SQL_V1_WORDS_VALUES("?4", "?5", "?6") ")",
        [SQL_JOB_STATE_INSERT] = "INSERT INTO job_states (job_seq, state, timestamp, reason) "
                                 "VALUES (?1, ?2, ?3, ?4)",
        [SQL_JOB_STATE_INSERT_BY_ID] = "INSERT INTO job_states (job_seq, state, timestamp, reason) "
                                       "SELECT seq, ?2, ?3, ?4 FROM jobs WHERE id = ?1",
        [SQL_JOB_TRANSITION] = "UPDATE jobs SET state = ?3, reason = ?4, updated_at = ?5, "
                               "worker_id = CASE WHEN ?6 IS NULL THEN worker_id ELSE nullif(?6, '') END, "
                               /* ?12: a job that has failed is tried again, as if it had not begun. */
                               "result = CASE WHEN ?12 THEN NULL ELSE coalesce(?7, result) END, due_at = "
                               "?8, warm = coalesce(?14, warm), "
                               /* ?15: a pass of a warm job is complete. */
                               "attempt = CASE WHEN ?15 THEN 0 ELSE attempt + ?9 - ?16 END, "
                               /* An attempt of a worker's has one; it stays with a job that has ended. */
                               "deadline_at = CASE WHEN ?9 AND ?6 <> '' "
                               "THEN ?5 + (iif(timeout_seconds > 0, timeout_seconds, ?13) + ?11) * 1000000 "
                               "WHEN ?3 = 'RUNNING' AND timeout_seconds = 0 THEN 0 "
                               "WHEN ?3 IN ('RETRYING', 'QUEUED') THEN 0 ELSE deadline_at END, "
                               "started_at = CASE WHEN ?9 AND started_at = 0 THEN ?5 WHEN ?12 THEN 0 ELSE "
                               "started_at END, "
                               "finished_at = CASE WHEN ?10 THEN ?5 WHEN ?12 THEN 0 ELSE finished_at END, "
                               "phase = CASE WHEN ?9 OR ?12 OR ?15 THEN NULL ELSE phase END, "
                               "percent = CASE WHEN ?9 OR ?12 OR ?15 THEN -1 ELSE percent END, "
                               "bytes_done = CASE WHEN ?9 OR ?12 OR ?15 THEN 0 ELSE bytes_done END, "
                               "bytes_total = CASE WHEN ?9 OR ?12 OR ?15 THEN 0 ELSE bytes_total END, "
                               "rate = CASE WHEN ?9 OR ?10 OR ?15 THEN 0 ELSE rate END "
                               "WHERE id = ?1 AND state = ?2",
        [SQL_JOB_PROGRESS] = "UPDATE jobs SET phase = ?2, percent = ?3, bytes_done = ?4, bytes_total = ?5, "
                             "rate = ?6, "
                             "updated_at = ?7 WHERE id = ?1 AND finished_at = 0",
        [SQL_JOB_WARM] = "UPDATE jobs SET warm = ?2, "
                         "due_at = CASE WHEN state = 'QUEUED' AND due_at > 0 THEN ?3 ELSE due_at END "
                         "WHERE id = ?1 AND finished_at = 0 AND warm IS NOT NULL",
        /* (state: the triggers that count the queue look at changes of it) */
        [SQL_JOB_HOLD] = "UPDATE jobs SET carbon = ?2, due_at = ?3, reason = ?4, updated_at = ?5, "
                         "state = state "
                         "WHERE id = ?1 AND state = 'QUEUED' AND carbon IS NOT NULL",
        [SQL_JOB_RESULT] = "UPDATE jobs SET result = ?2 WHERE id = ?1 AND finished_at > 0",
        [SQL_JOB_GET] = "SELECT " JOB_COLUMNS " FROM jobs WHERE id = ?1",
        [SQL_JOB_STATES] = "SELECT s.state, s.timestamp, s.reason FROM job_states s JOIN jobs j ON j.seq = "
                           "s.job_seq "
                           "WHERE j.id = ?1 ORDER BY s.seq",
        /* (CROSS: by the primary key, in its order) */
        [SQL_JOB_CHANGES] =
                        "SELECT s.seq, j.id, s.state, s.reason, iif(s.state = 'CREATED', "
                        "json_extract(j.submitter, '$.name'), NULL) FROM job_states s CROSS JOIN jobs j ON "
                        "j.seq = s.job_seq "
                        "WHERE s.seq > ?1 AND (?2 OR j.finished_at = 0) ORDER BY s.seq LIMIT ?3",
        [SQL_JOB_LAST_CHANGE] = "SELECT coalesce(max(seq), 0) FROM job_states",
        [SQL_JOBS_NEWEST] = "SELECT " JOB_COLUMNS " FROM jobs WHERE seq IN (" ARMS(
                        " AND seq < ?12") " ORDER BY seq DESC LIMIT ?10 OFFSET ?11) ORDER BY seq DESC",
        [SQL_JOBS_OLDEST] = "SELECT " JOB_COLUMNS " FROM jobs WHERE seq IN "
                            "(" ARMS("") " ORDER BY seq LIMIT ?10 OFFSET ?11) ORDER BY seq",
        [SQL_JOBS_BY_QUEUE] = "SELECT " JOB_COLUMNS " FROM jobs WHERE state IN (" STATES ") "
                              "ORDER BY priority DESC, seq LIMIT ?10 OFFSET ?11",
        [SQL_JOBS_BY_ID] = "SELECT " JOB_COLUMNS " FROM jobs WHERE id IN (SELECT value FROM json_each(?10)) "
                           "AND state IN (" STATES
                           ") AND seq < ?14 ORDER BY CASE ?13 WHEN 2 THEN -priority ELSE 0 END, "
                           "CASE ?13 WHEN 0 THEN -seq ELSE seq END LIMIT ?11 OFFSET ?12",
        [SQL_JOBS_BY_ID_TOTAL] = "SELECT count(*) FROM jobs WHERE id IN (SELECT value FROM json_each(?10)) "
                                 "AND state IN (" STATES ")",
        [SQL_JOBS_BY_WORKFLOW] =
                        "SELECT " JOB_COLUMNS " FROM jobs WHERE workflow_id = ?10 AND "
                        "state IN (" STATES ") AND seq < ?13 ORDER BY seq DESC LIMIT ?11 OFFSET ?12",
        [SQL_JOBS_BY_WORKFLOW_TOTAL] = "SELECT count(*) FROM jobs WHERE workflow_id = ?10 AND "
                                       "state IN (" STATES ")",
        [SQL_JOBS_PAGE_GET] = "SELECT " JOB_COLUMNS ", " SQL_V1_TYPE ", v1_provider, " SQL_V1_NAME
                              " FROM jobs WHERE id = ?1",
        [SQL_JOBS_PAGE_NEWEST] = "SELECT " JOB_COLUMNS ", " SQL_V1_TYPE ", v1_provider, " SQL_V1_NAME
                                 " FROM jobs WHERE seq IN (" ARMS(
                                                 "") " ORDER BY seq DESC LIMIT ?10) ORDER BY seq DESC",
        [SQL_JOBS_ON_HOLD] = "SELECT " JOB_COLUMNS " FROM jobs INDEXED BY jobs_on_hold "
                             "WHERE carbon IS NOT NULL AND state = 'QUEUED' AND due_at > 0 ORDER BY seq "
                             "LIMIT ?1",
        [SQL_JOBS_COUNT_ENDED] = "SELECT count(*) FROM jobs WHERE state = ?1 AND finished_at > 0 AND "
                                 "finished_at >= ?2",
        [SQL_JOBS_COUNT] = "SELECT state, n FROM job_counts",
        /* All that have its priority or a higher one, but for those behind it: in later blocks of 1,024, and
         * in its own. (Left to itself, SQLite prefers the index by state, and sorts.) */
        [SQL_JOB_QUEUE_POSITION] =
                        "SELECT j.state, iif(j.state = 'QUEUED' AND j.due_at = 0, "
                        "(SELECT sum(n) FROM queue_counts c WHERE c.priority >= j.priority) - "
                        "(SELECT coalesce(sum(n), 0) FROM queue_blocks b WHERE b.priority = j.priority AND "
                        "b.block > (j.seq >> 10)) - "
                        "(SELECT count(*) FROM jobs q INDEXED BY jobs_queue WHERE q.state = 'QUEUED' AND "
                        "q.priority = j.priority AND q.seq > j.seq AND q.seq <= (j.seq | 1023) AND "
                        "q.due_at = 0), 0) FROM jobs j WHERE j.id = ?1",
        [SQL_SLURM_GET] = "SELECT " SLURM_COLUMNS " WHERE j.id = ?1",
        [SQL_SLURM_PUT] = "INSERT OR REPLACE INTO slurm_jobs "
                          "(seq, number, attempt, state, reason, failures) "
                          "SELECT seq, ?2, ?3, ?4, ?5, ?6 FROM jobs WHERE id = ?1",
        [SQL_SLURM_KNOWN] = "SELECT " SLURM_COLUMNS " WHERE s.number > 0 ORDER BY s.number",
        [SQL_SLURM_NEXT] = "SELECT " SLURM_COLUMNS " WHERE j.state = 'QUEUED' AND j.due_at = 0 AND "
                           "(j.demand & 32768) > 0 AND ifnull(s.number, 0) = 0 "
                           "AND (ifnull(s.state, '') = 'REFUSED') = ?2 "
                           "ORDER BY j.priority DESC, j.seq LIMIT ?1",
        [SQL_SLURM_STATE] = "SELECT number, state, reason FROM slurm_jobs WHERE seq = ?1",
        [SQL_VERSION] = "PRAGMA data_version",
        [SQL_WEBHOOK_INSERT] = "INSERT INTO webhooks (url, events, event_mask, enabled, timeout, "
                               "retry_count, headers, "
                               "has_secret, credential, from_config, created_at) "
                               "VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        [SQL_WEBHOOK_UPDATE] = "UPDATE webhooks SET url = ?2, events = ?3, event_mask = ?4, enabled = ?5, "
                               "timeout = ?6, "
                               "retry_count = ?7, headers = ?8, has_secret = ?9, credential = ?10, "
                               "from_config = ?11, "
                               "created_at = ?12 WHERE seq = ?1",
        [SQL_WEBHOOK_DELETE] = "DELETE FROM webhooks WHERE seq = ?1",
        [SQL_WEBHOOKS_LIST] = "SELECT " WEBHOOK_COLUMNS
                              ", (SELECT count(*) FROM deliveries d WHERE d.webhook_seq = w.seq AND "
                              "d.state = 'pending') FROM webhooks w ORDER BY w.seq",
        [SQL_WEBHOOKS_FOR_EVENT] = "SELECT seq FROM webhooks WHERE enabled AND event_mask & ?1 ORDER BY seq",
        [SQL_WEBHOOK_COUNT] = "UPDATE webhooks SET delivered = delivered + ?2, failed = failed + ?3 "
                              "WHERE seq = (SELECT webhook_seq FROM deliveries WHERE seq = ?1)",
        [SQL_DELIVERY_INSERT] =
                        "INSERT INTO deliveries (webhook_seq, id, event, subject, body, created_at, due_at) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        [SQL_DELIVERY_DROP_PROGRESS] = "DELETE FROM deliveries WHERE webhook_seq = ?1 AND subject = ?2 AND "
                                       "state = 'pending' "
                                       "AND event = 'job.progress' AND attempts = 0",
        [SQL_DELIVERY_HEADS] =
                        "SELECT w.seq, (SELECT due_at FROM deliveries d WHERE d.webhook_seq = w.seq AND "
                        "d.state = 'pending' ORDER BY d.seq LIMIT 1) FROM webhooks w WHERE w.enabled "
                        "ORDER BY w.seq",
        [SQL_DELIVERIES_PENDING] = "SELECT " DELIVERY_COLUMNS " FROM deliveries WHERE webhook_seq = ?1 "
                                   "AND state = 'pending' ORDER BY seq LIMIT ?2",
        [SQL_DELIVERIES_LIST] = "SELECT " DELIVERY_COLUMNS " FROM deliveries WHERE webhook_seq = ?1 "
                                "ORDER BY seq DESC LIMIT ?2",
        [SQL_DELIVERY_GET] = "SELECT " DELIVERY_COLUMNS " FROM deliveries WHERE seq = ?1",
        [SQL_DELIVERY_ATTEMPTS] = "SELECT d.attempts, w.retry_count FROM deliveries d JOIN webhooks w ON "
                                  "w.seq = d.webhook_seq "
                                  "WHERE d.seq = ?1 AND d.state = 'pending'",
        [SQL_DELIVERY_RECORD] = "UPDATE deliveries SET state = ?2, attempts = attempts + 1, due_at = ?3, "
                                "tried_at = ?4, "
                                "status = ?5, duration = ?6, error = ?7, response = ?8 WHERE seq = ?1",
        [SQL_DELIVERY_COUNT] = "INSERT INTO delivery_counts VALUES (?1, 1) "
                               "ON CONFLICT (state) DO UPDATE SET n = n + 1",
        [SQL_DELIVERIES_COUNT] = "SELECT state, n FROM delivery_counts UNION ALL "
                                 "SELECT 'pending', count(*) FROM deliveries WHERE state = 'pending'",
        [SQL_DELIVERIES_PRUNE] = "DELETE FROM deliveries WHERE (state <> 'pending' AND tried_at < ?1) OR "
                                 "(state = 'pending' AND created_at < ?1 AND "
                                 "webhook_seq IN (SELECT seq FROM webhooks WHERE NOT enabled))",
        [SQL_SCHEDULE_INSERT] = "INSERT INTO schedules (id, name, description, expression, enabled, "
                                "overlap, catch_up, spec, dialect, "
                                "request, created_at, updated_at, next_at, role, credentials, "
                                "submitter) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
                                "?14, ?15, ?16)",
        [SQL_SCHEDULE_UPDATE] = "UPDATE schedules SET name = ?2, description = ?3, expression = ?4, enabled "
                                "= ?5, overlap = ?6, "
                                "catch_up = ?7, spec = ?8, dialect = ?9, request = ?10, updated_at = ?12, "
                                "next_at = ?13, role = ?14, submitter = ?16, "
                                "credentials = ?15, has_timer = iif(expression = ?4 AND enabled = ?5, "
                                "has_timer, 0) WHERE id = ?1",
        [SQL_SCHEDULE_DELETE] = "DELETE FROM schedules WHERE id = ?1",
        [SQL_SCHEDULE_GET] = "SELECT " SCHEDULE_COLUMNS " FROM schedules WHERE id = ?1",
        [SQL_SCHEDULES_LIST] = "SELECT " SCHEDULE_COLUMNS " FROM schedules WHERE seq > ?3 "
                               "ORDER BY seq LIMIT ?1 OFFSET ?2",
        [SQL_SCHEDULES_FAILED] = "SELECT " SCHEDULE_COLUMNS " FROM schedules INDEXED BY schedules_failed "
                                 "WHERE " SQL_SCHEDULE_FAILED " ORDER BY seq",
        [SQL_SCHEDULES_IDS] = "SELECT id FROM schedules ORDER BY seq",
        [SQL_SCHEDULES_WITHOUT_TIMER] = "SELECT id FROM schedules INDEXED BY schedules_without_timer "
                                        "WHERE has_timer = 0 AND enabled = 1",
        [SQL_SCHEDULE_TIMER_MADE] = "UPDATE schedules SET has_timer = 1 WHERE id = ?1 AND has_timer = 0",
        [SQL_SCHEDULES_COUNT] =
                        "SELECT count(*), coalesce(sum(enabled), 0), coalesce(sum(run_count), 0), "
                        "coalesce(sum(success_count), 0), coalesce(sum(failure_count), 0) FROM schedules",
        [SQL_SCHEDULE_NEXT_AT] = "UPDATE schedules SET next_at = ?2 WHERE id = ?1",
        [SQL_SCHEDULE_RUN_INSERT] = "INSERT INTO schedule_runs (schedule_seq, started_at, job_id, status) "
                                    "SELECT seq, ?2, ?3, ?4 FROM schedules WHERE id = ?1",
        [SQL_SCHEDULE_RAN] =
                        "UPDATE schedules SET last_run_at = ?2, last_job_id = coalesce(?3, last_job_id), "
                        "last_status = ?4, next_at = ?5, run_count = run_count + ?6 WHERE id = ?1",
        [SQL_SCHEDULE_RUN_STATUS] =
                        "UPDATE schedule_runs SET status = ?2, job_id = coalesce(?3, job_id) WHERE seq = ?1",
        [SQL_SCHEDULE_LAST_STATUS] =
                        "UPDATE schedules SET last_job_id = coalesce(?2, last_job_id), last_status = ?3, "
                        "failure_count = failure_count + ?4, run_count = run_count + ?5 WHERE id = ?1",
        [SQL_SCHEDULE_OF_JOB] =
                        "SELECT s.id FROM schedule_runs r JOIN schedules s ON s.seq = r.schedule_seq "
                        "WHERE r.job_id = ?1",
        [SQL_SCHEDULE_BUSY] = "SELECT count(*) FROM schedules s JOIN schedule_runs r ON r.schedule_seq = "
                              "s.seq WHERE s.id = ?1 "
                              "AND r.status IN ('starting', 'running')",
        [SQL_SCHEDULE_WAITING] = "SELECT count(*) FROM schedules s JOIN schedule_runs r ON r.schedule_seq = "
                                 "s.seq WHERE s.id = ?1 "
                                 "AND r.status = 'waiting'",
        [SQL_SCHEDULE_RUNS_PENDING] = "SELECT r.seq, s.id, r.started_at, r.job_id, r.status FROM "
                                      "schedule_runs r JOIN schedules s "
                                      "ON s.seq = r.schedule_seq WHERE r.status IN ('starting', 'waiting') "
                                      "AND (?1 IS NULL OR s.id = ?1) "
                                      "ORDER BY r.seq",
        [SQL_SCHEDULE_RUNS_LIST] = "SELECT r.seq, s.id, r.started_at, r.job_id, r.status FROM schedules s "
                                   "JOIN schedule_runs r "
                                   "ON r.schedule_seq = s.seq WHERE s.id = ?1 ORDER BY r.seq DESC LIMIT ?2",
        [SQL_JOB_TOTALS] = "SELECT le_60, le_300, le_600, le_1800, le_7200, n, duration_usec, bytes FROM "
                           "job_totals",
        [SQL_WARM_TOTALS] =
                        "SELECT coalesce(sum(json_extract(warm, '$.passes')), 0), "
                        "count(iif(state = 'COMPLETED', 1, NULL)), "
                        "coalesce(sum(iif(state = 'COMPLETED', json_extract(warm, '$.downtime_seconds'), "
                        "0)), 0.0) FROM jobs INDEXED BY jobs_warm WHERE warm IS NOT NULL",
        [SQL_VSPHERE_ADD] =
                        "INSERT INTO vsphere_totals VALUES (iif(EXISTS (SELECT 1 FROM vsphere_totals WHERE "
                        "server = ?1) OR (SELECT count(DISTINCT server) FROM vsphere_totals) < ?4, ?1, "
                        "'other'), ?2, ?3) ON CONFLICT (server, what) DO UPDATE SET n = n + excluded.n",
        [SQL_VSPHERE_TOTALS] = "SELECT server, what, n FROM vsphere_totals ORDER BY what, server",
        [SQL_VSPHERE_RUNNING] = "SELECT count(*) FROM jobs WHERE state = 'RUNNING' AND "
                                "json_extract(spec, '$.source.type') = 'vsphere'",
        [SQL_WORKER_PUT] =
                        "INSERT INTO workers (id, capabilities, capability_mask, memory_gb, disk_gb, "
                        "system_info, "
                        "execution_mode, registered_at, heartbeat_at, labels) VALUES (?1, ?2, ?3, ?4, ?5, "
                        "?6, ?7, ?8, ?8, ?9) "
                        "ON CONFLICT (id) DO UPDATE SET capabilities = ?2, capability_mask = ?3, "
                        "memory_gb = ?4, "
                        "disk_gb = ?5, system_info = ?6, execution_mode = ?7, registered_at = ?8, "
                        "heartbeat_at = max(heartbeat_at, ?8), labels = ?9",
        [SQL_WORKER_HEARTBEAT] = "SELECT heartbeat_at FROM workers WHERE id = ?1",
        [SQL_WORKER_HEARD] = "UPDATE workers SET heartbeat_at = ?2 WHERE id = ?1 AND heartbeat_at < ?2",
        [SQL_WORKER_DELETE] = "DELETE FROM workers WHERE id = ?1",
        [SQL_WORKER_GET] = "SELECT " WORKER_COLUMNS " FROM workers w WHERE w.id = ?1",
        [SQL_WORKERS_LIST] = "SELECT " WORKER_COLUMNS
                             " FROM workers w WHERE w.seq > ?3 ORDER BY w.seq LIMIT ?1 OFFSET ?2",
        [SQL_WORKERS_SILENT] = "SELECT " WORKER_COLUMNS " FROM workers w WHERE w.heartbeat_at <= ?1 "
                               "ORDER BY w.heartbeat_at, w.seq",
        [SQL_WORKERS_COUNT] = "SELECT (SELECT count(*) FROM workers), (SELECT count(*) FROM workers WHERE "
                              "heartbeat_at > ?1)",
        /* The different demands that wait are hopped through along the index, each step one look-up; the
         * first job of each that the worker can meet is another. The shifts are those of
         * job_demand_pack(). */
        [SQL_WORKERS_CAN] = "SELECT EXISTS (SELECT 1 FROM workers WHERE (?1 & ~capability_mask) = 0 "
                            "AND memory_gb >= ?2 AND disk_gb >= ?3 AND (?4 IS NULL OR labels = ?4))",
        [SQL_WORKER_LABELS] = "SELECT DISTINCT labels FROM workers",
        [SQL_JOB_FOR_WORKER] =
                        "WITH RECURSIVE demands (d) AS ("
                        "SELECT (SELECT min(demand) FROM jobs INDEXED BY jobs_waiting WHERE state = "
                        "'QUEUED' AND any_worker = 1 AND limit_set = 0) "
                        "UNION ALL SELECT (SELECT min(demand) FROM jobs INDEXED BY jobs_waiting "
                        "WHERE state = 'QUEUED' "
                        "AND any_worker = 1 AND limit_set = 0 AND demand > d) FROM demands WHERE d IS "
                        "NOT NULL) "
                        "SELECT j.seq, j.priority FROM demands JOIN jobs j ON j.seq = (SELECT q.seq "
                        "FROM jobs q "
                        "INDEXED BY jobs_waiting "
                        "WHERE q.state = 'QUEUED' AND q.any_worker = 1 AND q.limit_set = 0 AND "
                        "q.demand = d ORDER BY q.priority DESC, q.seq LIMIT 1) "
                        "WHERE d IS NOT NULL AND (d & 65535 & ~?1) = 0 AND (d >> 16 & 1048575) <= ?2 "
                        "AND (d >> 36) <= ?3 "
                        "ORDER BY j.priority DESC, j.seq LIMIT 1",
        [SQL_WORKER_JOBS] = "SELECT " JOB_COLUMNS " FROM jobs INDEXED BY jobs_held "
                            "WHERE worker_id = ?1 AND finished_at = 0 ORDER BY seq",
        [SQL_WORKER_CANCELLED] =
                        "SELECT " JOB_COLUMNS " FROM jobs INDEXED BY jobs_held WHERE worker_id = ?1 "
                        "AND finished_at > ?2 AND (state = 'CANCELLED' OR (state = 'FAILED' AND deadline_at "
                        "> 0 "
                        "AND finished_at >= deadline_at)) ORDER BY seq",
        /* From the silent workers to their jobs, along both indices. */
        [SQL_JOBS_ABANDONED] = "SELECT " JOB_COLUMNS " FROM jobs WHERE seq IN (SELECT j.seq FROM workers w "
                               "INDEXED BY workers_by_heartbeat CROSS JOIN jobs j INDEXED BY jobs_held ON "
                               "j.worker_id = w.id AND j.finished_at = 0 "
                               "WHERE w.heartbeat_at <= ?1) ORDER BY seq",
        [SQL_WORKERS_LONGEST_SILENT] =
                        "SELECT heartbeat_at FROM workers w INDEXED BY workers_by_heartbeat WHERE EXISTS "
                        "(SELECT 1 FROM jobs INDEXED BY jobs_held WHERE worker_id = w.id AND finished_at = "
                        "0) "
                        "ORDER BY heartbeat_at LIMIT 1",
        [SQL_JOBS_OVERDUE] = "SELECT " JOB_COLUMNS " FROM jobs INDEXED BY jobs_deadline "
                             "WHERE deadline_at > 0 AND finished_at = 0 AND deadline_at <= ?1 ORDER BY seq",
        [SQL_JOB_NEXT_DEADLINE] = "SELECT min(deadline_at) FROM jobs INDEXED BY jobs_deadline "
                                  "WHERE deadline_at > 0 AND finished_at = 0",
        [SQL_QUEUE_STATUS] = "SELECT priority, n FROM queue_counts WHERE n > 0 ORDER BY priority DESC",
        [SQL_LIMIT_SET_FIND] = "SELECT seq FROM limit_sets WHERE names = ?1",
        [SQL_LIMIT_SET_INSERT] = "INSERT INTO limit_sets (names) VALUES (?1)",
        [SQL_LIMIT_SET_GET] = "SELECT names FROM limit_sets WHERE seq = ?1",
        [SQL_LIMIT_SETS_ANY] = "SELECT EXISTS (SELECT 1 FROM limit_sets)",
        [SQL_LIMIT_HELD] = "SELECT limit_set, priority, seq FROM jobs INDEXED BY jobs_limits_held "
                           "WHERE limit_set > 0 AND state IN ('ASSIGNED', 'RUNNING')",
        [SQL_LIMIT_CLASSES] = "SELECT DISTINCT limit_set, any_worker, demand FROM jobs "
                              "INDEXED BY jobs_limits_waiting "
                              "WHERE state = 'QUEUED' AND due_at = 0 AND limit_set > 0",
        [SQL_LIMIT_HEAD] = "SELECT priority, seq FROM jobs INDEXED BY jobs_limits_waiting "
                           "WHERE state = 'QUEUED' AND due_at = 0 AND limit_set > 0 AND limit_set = ?1 "
                           "AND any_worker = ?2 AND demand = ?3 ORDER BY priority DESC, seq LIMIT 1",
        [SQL_LIMIT_JOB] = "SELECT seq, limit_set, priority, any_worker, demand, due_at FROM jobs "
                          "WHERE id = ?1",
        [SQL_LIMIT_JOB_SET] = "UPDATE jobs SET limit_set = ?2 WHERE id = ?1 AND limit_set = 0",
        [SQL_LIMIT_JOB_ID] = "SELECT id FROM jobs WHERE seq = ?1",
        [SQL_API_KEY_INSERT] =
                        "INSERT INTO api_keys (id, name, hash, scopes, rate_limit, created_at, expires_at) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        [SQL_API_KEY_DELETE] = "DELETE FROM api_keys WHERE name = ?1",
        [SQL_API_KEYS_LIST] = "SELECT id, name, hash, scopes, rate_limit, created_at, expires_at FROM "
                              "api_keys ORDER BY seq",
        [SQL_SOURCE_INSERT] = "INSERT INTO sources (" SOURCE_COLUMNS
                              ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        [SQL_SOURCE_DELETE] = "DELETE FROM sources WHERE name = ?1",
        [SQL_SOURCE_GET] = "SELECT " SOURCE_COLUMNS " FROM sources WHERE name = ?1",
        [SQL_UPLOAD_INSERT] = "INSERT INTO uploads (" UPLOAD_COLUMNS
                              ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        [SQL_UPLOAD_DELETE] = "DELETE FROM uploads WHERE id = ?1",
        [SQL_UPLOAD_GET] = "SELECT " UPLOAD_COLUMNS " FROM uploads WHERE id = ?1",
        [SQL_UPLOAD_UPDATE] = "UPDATE uploads SET sha256 = ?2, state = ?3, path = ?4, error = ?5, "
                              "updated_at = ?6 WHERE id = ?1",
        [SQL_UPLOAD_TOUCH] = "UPDATE uploads SET updated_at = ?2 WHERE id = ?1",
        [SQL_UPLOAD_EXPIRED] = "SELECT id FROM uploads WHERE updated_at < ?1 ORDER BY updated_at LIMIT 1",
        [SQL_UPLOADS_COUNT] = "SELECT count(*), count(*) FILTER (WHERE owner = ?1), coalesce(sum(size), 0) "
                              "FROM uploads WHERE state <> 'completed'",
        [SQL_UPLOADS_RECENT] = "SELECT " UPLOAD_COLUMNS " FROM uploads WHERE state <> 'completed' OR "
                               "updated_at >= ?1 ORDER BY updated_at DESC LIMIT 100",
        [SQL_UPLOAD_CHUNK_PUT] = "INSERT OR IGNORE INTO upload_chunks (upload_id, chunk) VALUES (?1, ?2)",
        [SQL_UPLOAD_CHUNK_DROP] = "DELETE FROM upload_chunks WHERE upload_id = ?1 AND chunk = ?2",
        [SQL_UPLOAD_CHUNKS] = "SELECT chunk FROM upload_chunks WHERE upload_id = ?1 ORDER BY chunk",
        [SQL_SOURCES_LIST] = "SELECT " SOURCE_COLUMNS " FROM sources ORDER BY name",
        [SQL_SESSION_INSERT] = "INSERT INTO sessions (" SESSION_COLUMNS
                               ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        [SQL_SESSION_SHORTEN] = "UPDATE sessions SET expires_at = min(expires_at, ?2) WHERE id = ?1",
        [SQL_SESSION_DELETE] = "DELETE FROM sessions WHERE id = ?1",
        [SQL_SESSION_FIND] = "SELECT " SESSION_COLUMNS " FROM sessions WHERE hash = ?1",
        [SQL_SESSION_GET] = "SELECT " SESSION_COLUMNS " FROM sessions WHERE id = ?1",
        [SQL_SESSION_IS_KNOWN] =
                        "SELECT EXISTS (SELECT 1 FROM sessions WHERE username = ?1 AND address = ?2 "
                        "AND expires_at > ?3)",
        [SQL_SESSIONS_LIST] = "SELECT " SESSION_COLUMNS
                              " FROM sessions WHERE ?1 IS NULL OR username = ?1 ORDER BY seq",
        [SQL_SESSIONS_PRUNE] = "DELETE FROM sessions WHERE expires_at <= ?1",
        [SQL_SESSIONS_DROP_OLDEST] = "DELETE FROM sessions WHERE username = ?1 AND seq NOT IN (SELECT seq "
                                     "FROM sessions WHERE username = ?1 ORDER BY seq DESC LIMIT ?2)",
        [SQL_FACT_GET] = "SELECT value FROM facts WHERE name = ?1",
        [SQL_FACT_SET] = "INSERT INTO facts (name, value) VALUES (?1, ?2) "
                         "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [SQL_HOST_PUT] =
                        "INSERT INTO hosts (id, uri, shown_uri, name, state, error, created_at, updated_at, "
                        "auto_connect) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        [SQL_HOST_STATE] = "UPDATE hosts SET state = ?2, error = ?3, updated_at = ?4 WHERE id = ?1",
        [SQL_HOST_DEFINITION] =
                        "UPDATE hosts SET name = ?2, auto_connect = ?3, updated_at = ?4 WHERE id = ?1",
        [SQL_HOSTS_AWAY] = "UPDATE hosts SET state = 'DISCONNECTED' WHERE state = 'CONNECTED'",
        [SQL_HOST_DELETE] = "DELETE FROM hosts WHERE id = ?1",
        [SQL_HOST_GET] = "SELECT " HOST_COLUMNS " FROM hosts WHERE id = ?1",
        [SQL_HOSTS] = "SELECT " HOST_COLUMNS " FROM hosts ORDER BY id",
        /* An update keeps seq, which the API shows, and created_at. */
        [SQL_VM_PUT] = "INSERT INTO vms (host_id, uuid, name, description, state, vcpu_count, memory_bytes, "
                       "vnc, spice, persistent, created_at, updated_at, cpu_model, os_type, disk_bytes, "
                       "cpu_topology, drift, concerns) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, "
                       "?12, ?13, ?14, ?15, ?16, ?17) "
                       "ON CONFLICT (host_id, uuid) DO UPDATE SET name = excluded.name, "
                       "description = excluded.description, state = excluded.state, "
                       "vcpu_count = excluded.vcpu_count, memory_bytes = excluded.memory_bytes, "
                       "vnc = excluded.vnc, spice = excluded.spice, persistent = excluded.persistent, "
                       "updated_at = excluded.updated_at, cpu_model = excluded.cpu_model, "
                       "os_type = excluded.os_type, disk_bytes = excluded.disk_bytes, "
                       "cpu_topology = excluded.cpu_topology, drift = excluded.drift, "
                       "concerns = excluded.concerns "
                       "RETURNING seq, created_at",
        [SQL_VM_DELETE] = "DELETE FROM vms WHERE host_id = ?1 AND uuid = ?2",
        [SQL_VMS_BY_HOST] = "SELECT " VM_COLUMNS " FROM vms WHERE host_id = ?1 ORDER BY name, seq",
        [SQL_VMS_AFTER] = "SELECT " VM_COLUMNS " FROM vms WHERE host_id = ?1 AND (name, seq) > (?2, ?3) "
                          "ORDER BY name, seq LIMIT ?4",
        [SQL_VMS_COUNT] =
                        "SELECT state, count(*), sum(vcpu_count) FROM vms WHERE ?1 IS NULL OR host_id = ?1 "
                        "GROUP BY state",
        [SQL_SETTING_GET] = "SELECT value FROM settings WHERE name = ?1",
        [SQL_SETTING_SET] = "INSERT INTO settings (name, value) VALUES (?1, ?2) "
                            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
};

int sql_errno(Store *s) {
        switch (sqlite3_errcode(s->db) & 0xff) {
        case SQLITE_OK:
        case SQLITE_ROW:
        case SQLITE_DONE:
                return 0;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_CONSTRAINT:
                return sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_UNIQUE ? -EEXIST : -EINVAL;
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return -EACCES;
        case SQLITE_READONLY:
                return -EROFS;
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
        case SQLITE_SCHEMA:
                return -EBADMSG;
        default:
                return -EIO;
        }
}

sqlite3_stmt *sql_statement(Store *s, StatementId id) {
        if (!s->group.entered)
                sql_group_close(s);
        return sql_statement_any(s, id);
}

/* Whether somebody holds the lock of those who write. A shared lock on it is what SQLite itself takes in a
 * reader to ask this. */
static bool is_being_written(Store *s) {
        sqlite3_file *file = NULL;
        int rc;

        if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file ||
                        !file->pMethods || file->pMethods->iVersion < 2)
                return false;
        rc = file->pMethods->xShmLock(file, WAL_WRITE_LOCK, 1, SQLITE_SHM_LOCK | SQLITE_SHM_SHARED);
        if (rc == SQLITE_OK)
                (void) file->pMethods->xShmLock(
                                file, WAL_WRITE_LOCK, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED);
        return (rc & 0xff) == SQLITE_BUSY;
}

/* How often a statement has looked again, and how often nobody held that lock then. */
typedef struct Looks {
        unsigned n, n_unlocked;
} Looks;

/* A reader that may not write the log's index may find it incomplete while the owner writes it:
 *
 * - its head is half written, and the owner is done before SQLite asks whether anybody writes. That looks as
 *   if the owner had died (walIndexReadHdr() in SQLite's wal.c): SQLITE_READONLY_RECOVERY.
 * - the owner begins the log anew, and has written its head, but not yet the marks of the readers
 *   (walRestartHdr(), walTryBeginRead()): SQLITE_READONLY_CANTINIT.
 *
 * The owner may have lost its processor in the middle of it. While it holds its lock, the reader waits as for
 * any other lock. Without that lock, the index is complete at the next look, unless another writer has just
 * come; where it is not, the owner did die, and its next start mends it. */
static bool look_again(Store *s, Looks *l) {
        int rc = sqlite3_extended_errcode(s->db);

        if (rc != SQLITE_READONLY_RECOVERY && rc != SQLITE_READONLY_CANTINIT)
                return false;
        if (!is_being_written(s) && l->n_unlocked++ >= SQL_LOOKS_MAX)
                return false;
        if (l->n >= SQL_LOOKS_WRITING)
                return false;
        if (s->pause)
                s->pause(l->n);
        else if (l->n > 0)
                (void) usleep(SQL_LOOK_PAUSE);
        l->n++;
        return true;
}

int sql_prepare(Store *s, const char *text, sqlite3_stmt **ret) {
        Looks looks = {};

        while (sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) != SQLITE_OK)
                if (!look_again(s, &looks))
                        return sql_errno(s);
        return 0;
}

sqlite3_stmt *sql_statement_any(Store *s, StatementId id) {
        if (!s->statements[id])
                (void) sql_prepare(s, statement_texts[id], &s->statements[id]);
        return s->statements[id];
}

int sql_run(Store *s, sqlite3_stmt *statement) {
        if (!statement)
                return sql_errno(s);
        int rc = sqlite3_step(statement);
        int r = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : sql_errno(s);
        (void) sqlite3_reset(statement);
        return r;
}

int sql_read_earliest(Store *s, StatementId id, usec_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, id);
        int r = sql_row(s, st);

        if (r < 0)
                return r;
        if (sqlite3_column_type(st, 0) == SQLITE_NULL)
                return -ENOENT;
        *ret = (usec_t) sqlite3_column_int64(st, 0);
        return 0;
}

int sql_run_on_one(Store *s, sqlite3_stmt *statement) {
        int r = sql_run(s, statement);

        return r < 0 ? r : sqlite3_changes(s->db) == 1 ? 0 : -ENOENT;
}

static int step(Store *s, sqlite3_stmt *statement) {
        Looks looks = {};
        int rc;

        while ((rc = sqlite3_step(statement)) != SQLITE_ROW && rc != SQLITE_DONE && look_again(s, &looks))
                (void) sqlite3_reset(statement);
        return rc;
}

int sql_next(Store *s, sqlite3_stmt *statement) {
        if (!statement)
                return sql_errno(s);
        switch (step(s, statement)) {
        case SQLITE_ROW:
                return 1;
        case SQLITE_DONE:
                return 0;
        default:
                return sql_errno(s);
        }
}

int sql_row(Store *s, sqlite3_stmt *statement) {
        int r = sql_next(s, statement);

        return r < 0 ? r : r == 0 ? -ENOENT : 0;
}

int sql_read_rows(Store *s, sqlite3_stmt *statement, SqlReader read, size_t size, void **array, size_t *n) {
        size_t allocated = *n;
        int r;

        while ((r = sql_next(s, statement)) > 0) {
                void *row;

                if (!greedy_realloc(array, &allocated, *n + 1, size))
                        return -ENOMEM;
                row = (char *) *array + (*n)++ * size;
                memset(row, 0, size);
                r = read(statement, row);
                if (r < 0)
                        return r;
        }
        return r;
}

int sql_set_durable(Store *s, bool durable) {
        /* A group's flush is for all of it. */
        if (s->group.entered)
                return 0;
        sql_group_close(s);
        /* (It takes effect when it is prepared, so it cannot be kept.) */
        return sqlite3_exec(s->db, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", NULL,
                               NULL, NULL) == SQLITE_OK
                        ? 0
                        : sql_errno(s);
}

int sql_begin(Store *s) {
        if (s->group.entered)
                return sql_group_begin(s);
        return sql_run(s, sql_statement(s, SQL_BEGIN));
}

int sql_end(Store *s, int r) {
        if (s->group.entered)
                return sql_group_end(s, r);
        if (r >= 0) {
                int q = sql_run(s, sql_statement(s, SQL_COMMIT));
                if (q >= 0)
                        return r;
                r = q;
        }
        sql_forget(s);
        /* After some errors (a full disk) SQLite has rolled back by itself. */
        if (!sqlite3_get_autocommit(s->db))
                (void) sql_run(s, sql_statement(s, SQL_ROLLBACK));
        return r;
}

void sql_bind_states(sqlite3_stmt *st, int first, uint32_t states) {
        for (int i = 0; i < _JOB_STATE_MAX; i++)
                if (states == 0 || states & 1u << i)
                        sql_bind_text(st, first + i, job_state_to_string(i));
}

int sql_column_strdup(sqlite3_stmt *statement, int column, char **ret) {
        const char *text = (const char *) sqlite3_column_text(statement, column);
        char *copy = NULL;

        if (text) {
                copy = strdup(text);
                if (!copy)
                        return -ENOMEM;
        }
        *ret = copy;
        return 0;
}

int sql_column_texts(sqlite3_stmt *statement, const SqlText *texts) {
        int r = 0;

        for (; texts->to && r >= 0; texts++)
                r = sql_column_strdup(statement, texts->column, texts->to);
        return r;
}
