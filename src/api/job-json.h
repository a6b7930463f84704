/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all dialects say about a job, from its row in the database: rows and events in, JSON out. Pure. All
 * functions that return JSON return a new reference, or NULL when out of memory, which json_pack("o") passes
 * on. */

#include "api/openapi/schema.h"
#include "dialect/dialect-job.h"
#include "store/jobs.h"
#include "store/store.h"

/* A string, or null for NULL. Bytes that are no UTF-8 become "?". */
json_t *json_text(const char *s);
/* Any length fits JSON's integers but not jansson's: capped at INT64_MAX. */
json_t *json_count(uint64_t n);

/* The job as this dialect's client wrote it, if it came through @dialect; else the canonical spec in its
 * words. The id is filled in below @id_key. */
json_t *job_row_definition(const JobRow *row, const char *dialect, const FieldMap *map, const char *id_key);

/* The row's result, or NULL if there is none (yet): {"outputs", "metrics", "error"}. */
json_t *job_row_result(const JobRow *row);
/* Where a warm job stands, for clients; NULL: it is none. */
json_t *job_row_warm(const JobRow *row);
/* The same as "warm" in @object. 0 or -ENOMEM. */
int job_row_add_warm(const JobRow *row, json_t *object);
/* Who has submitted it, as "submitter" in @object; nothing if that is not known. 0 or -ENOMEM. */
int job_row_add_submitter(const JobRow *row, json_t *object);
/* The same of a column of the database, which may be NULL. */
int submitter_add(const char *column, json_t *object);
extern const Schema job_submitter_schema;
/* The limits for which it waits, as "waits_for" in @object; nothing if it waits for none. 0 or -ENOMEM. */
int job_row_add_waits_for(const JobRow *row, json_t *object);
#define WAITS_FOR_FIELD \
        { "waits_for", SCHEMA_ARRAY, SCHEMA_OPTIONAL, "For what a queued job waits: limits, Slurm.", }
/* Why it FAILED, for people; NULL for all other states. @result may be NULL. Borrowed from either. */
const char *job_row_error_text(const JobRow *row, const json_t *result);

/* 0 to 100, whole percent, rounded down; 100 exactly when it is COMPLETED. */
unsigned job_row_percent(const JobRow *row);
