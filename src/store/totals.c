/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "store/sql.h"
#include "store/totals.h"

/* As they are in the schema. */
const double duration_buckets[DURATION_BUCKETS] = { 60, 300, 600, 1800, 7200, INFINITY };

/* Few jobs are warm: they are added up. */
static int read_warm(Store *s, JobTotals *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WARM_TOTALS);
        int r = st ? sql_row(s, st) : sql_errno(s);

        if (r < 0)
                return r;
        ret->warm_passes = (uint64_t) sqlite3_column_int64(st, 0);
        ret->warm_cutovers = (uint64_t) sqlite3_column_int64(st, 1);
        ret->warm_downtime = sqlite3_column_double(st, 2);
        return 0;
}

int store_job_totals(Store *s, JobTotals *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_TOTALS);
        int r = sql_row(s, st);

        if (r < 0)
                return r;
        for (int i = 0; i < DURATION_BUCKETS; i++)
                ret->durations[i] = (uint64_t) sqlite3_column_int64(st, i);
        ret->duration_sum = (double) sqlite3_column_int64(st, DURATION_BUCKETS) / (double) USEC_PER_SEC;
        ret->bytes = (uint64_t) sqlite3_column_int64(st, DURATION_BUCKETS + 1);
        return read_warm(s, ret);
}
