/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A server of the v1 API with a database, a journal and a key, for tests of what clients follow. Included by
 * one file of a test only. */

#include <sys/stat.h>

#include "api/v1/v1-routes.h"
#include "basic/string-util.h"
#include "store/api-keys.h"
#include "store/job-changes.h"
#include "unit/lib/api-test.h"
#include "unit/lib/journal-writer.h"
#include "unit/lib/test.h"

typedef struct World {
        char *dir, *database, *journal;
        Store *store;
        JournalWriter writer;
        bool writes; /* the writer runs */
        TestServer server;
        ApiKey key;
} World;

/* A job of @spec that began @at, and has come to @state by then: RUNNING, or an end. */
__attribute__((unused)) static void world_add_job(
                World *w, const char *id, const char *spec, usec_t at, JobState state) {
        JobRow row = { .id = (char *) id,
                .operation = (char *) "convert",
                .spec = (char *) spec,
                .dialect = (char *) "bus",
                .state = JOB_ASSIGNED,
                .created_at = at,
                .updated_at = at,
                .phase = _PHASE_INVALID,
                .percent = -1 };
        const JobStateRow states[] = { { JOB_CREATED, at, (char *) "" }, { JOB_ASSIGNED, at, (char *) "" } };
        const JobTransition run = { .from = JOB_ASSIGNED, .to = JOB_RUNNING, .timestamp = at, .reason = "" };
        const JobTransition stop = { .from = JOB_RUNNING, .to = state, .timestamp = at, .reason = "why" };

        ck_assert_int_eq(store_job_insert(w->store, &row, states, 2), 0);
        free(row.reason);
        ck_assert_int_eq(store_job_transition(w->store, id, &run, 1), 0);
        if (state != JOB_RUNNING)
                ck_assert_int_eq(store_job_transition(w->store, id, &stop, 1), 0);
}

/* All but the server. The journal is being written. */
static void world_make(World *w, Scope scope) {
        ApiKeyRow row = { .name = (char *) "test", .scopes = 1u << scope };

        *w = (World){ .dir = test_dir() };
        w->database = strprintf("%s/hyper.db", w->dir);
        w->journal = strprintf("%s/journal", w->dir);
        ck_assert_int_eq(mkdir(w->journal, 0700), 0);
        ck_assert_int_eq(store_open(w->database, STORE_OWNER, &w->store), 0);
        ck_assert_int_eq(api_key_make(&w->key), 0);
        row.id = w->key.id;
        api_key_hash(w->key.text, strlen(w->key.text), &row.hash);
        ck_assert_int_eq(store_api_key_insert(w->store, &row), 0);
        journal_writer_start(&w->writer, w->journal);
        w->writes = true;
}

/* All that was written is in the journal now. */
static void world_end_journal(World *w) {
        if (w->writes)
                journal_writer_stop(&w->writer);
        w->writes = false;
}

static void world_serve(World *w) {
        test_server_start(&w->server, AF_INET, &v1_dialect,
                        &(ApiConfig){ .database = w->database,
                                        .journal_directory = w->journal,
                                        .bus_address = "unix:path=/nonexistent/bus" });
}

static void world_stop(World *w) {
        ck_assert_int_eq(test_server_stop(&w->server), 0);
        world_end_journal(w);
        store_free(w->store);
        free(w->database);
        free(w->journal);
        test_dir_freep(&w->dir);
}
#define _cleanup_world_ _cleanup_(world_stop)
