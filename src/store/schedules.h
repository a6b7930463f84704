/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Schedules and their runs. The same rules and errors as in store.h: each write is one transaction, durable
 * when the function returns 0. */

#include "store/store.h"

/* What happens when a run is due while the one before goes on. */
typedef enum ScheduleOverlap {
        OVERLAP_SKIP,
        OVERLAP_QUEUE, /* it begins when that one has ended */
        OVERLAP_ALLOW,
        _OVERLAP_MAX,
        _OVERLAP_INVALID = -EINVAL,
} ScheduleOverlap;

const char *schedule_overlap_to_string(ScheduleOverlap o) _pure_;
ScheduleOverlap schedule_overlap_from_string(const char *s) _pure_;

typedef struct ScheduleRow {
        int64_t seq; /* order of creation */
        char *id, *name, *description;
        char *expression; /* cron (spec/cron.h) */
        bool enabled;
        ScheduleOverlap overlap;
        bool catch_up; /* one run after times that were missed */
        char *spec; /* canonical JSON of the job, without its id, secrets "***" */
        char *dialect; /* through which API it came */
        char *credentials; /* the set of secrets that its jobs get (manager/credentials.h); NULL: none */
        Role role; /* of who gave it its job: that job's paths are checked by it */
        char *submitter; /* who gave it its job (spec/submitter.h), as JSON; NULL: not known */
        char *request; /* what that API's client sent, secrets "***"; or NULL */
        usec_t created_at, updated_at;
        usec_t next_at; /* the run that is due next; 0: none */
        usec_t last_run_at; /* 0: never */
        char *last_job_id; /* or NULL */
        char *last_status; /* RunStatus of the last run; NULL: there was none */
        uint64_t run_count, success_count, failure_count; /* runs that made a job; how those ended */
} ScheduleRow;

ScheduleRow *schedule_row_free(ScheduleRow *row);
DEFINE_CLEANUP_FUNC(ScheduleRow *, schedule_row_free);

typedef struct ScheduleRows {
        ScheduleRow **rows;
        size_t n;
        uint64_t total;
} ScheduleRows;
void schedule_rows_done(ScheduleRows *rows);

/* -EEXIST if there is one of that id. */
int store_schedule_insert(Store *s, const ScheduleRow *row);
/* All but the runs and created_at; -ENOENT. */
int store_schedule_update(Store *s, const ScheduleRow *row);
/* With its runs; -ENOENT. Its jobs stay. */
int store_schedule_delete(Store *s, const char *id);
int store_schedule_get(Store *s, const char *id, ScheduleRow **ret);
/* In the order of creation; @limit 0: no limit. */
int store_schedules_list(Store *s, uint64_t offset, uint64_t limit, ScheduleRows *ret);
/* Those whose last run has failed, or was refused. */
int store_schedules_failed(Store *s, ScheduleRows *ret);
typedef enum ScheduleSort {
        SCHEDULE_SORT_CREATED_AT,
        SCHEDULE_SORT_NAME,
        SCHEDULE_SORT_NEXT_RUN,
        SCHEDULE_SORT_LAST_RUN,
        _SCHEDULE_SORT_MAX,
        _SCHEDULE_SORT_INVALID = -EINVAL,
} ScheduleSort;

/* "created_at", "name", "next_run", "last_run" */
ScheduleSort schedule_sort_from_string(const char *s) _pure_;

typedef struct SchedulePageFilter {
        bool no_enabled, no_disabled;
        usec_t after, before; /* created_at, exclusive; 0: any time */
        const char *search; /* in the ID, the name, or that of the machine; ASCII letters of either case */
        ScheduleSort sort;
        bool descending; /* ties are in the same order, by ID; those without a value are last in any case */
        uint64_t offset, limit;
} SchedulePageFilter;

/* A page, with the total of what matches. */
int store_schedules_page(Store *s, const SchedulePageFilter *filter, ScheduleRows *ret);
/* Those behind the one with @seq, without the total. */
int store_schedules_list_after(Store *s, int64_t seq, uint64_t offset, uint64_t limit, ScheduleRows *ret);

/* Whether systemd has the timer that a schedule wants: no after each change of it, until this says yes. */
int store_schedule_timer_made(Store *s, const char *id);
/* Their ids, a strv that the caller frees: of @all of them, or of those enabled whose timer was never
 * made. */
int store_schedules_ids(Store *s, bool all, char ***ret);

typedef struct ScheduleStats {
        uint64_t total, enabled, runs, successful, failed;
} ScheduleStats;
int store_schedules_stats(Store *s, ScheduleStats *ret);

/* The schedule that made a job; -ENOENT for other jobs. */
int store_schedule_of_job(Store *s, const char *job_id, char **ret);
