/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/placement.h"

#include "basic/string-util.h"
#include "spec/job-demand.h"
#include "spec/placement.h"
#include "store/facts.h"
#include "store/sql.h"

/* --- the machines that there are ------------------------------------------------------------------- */

void placement_machines_changed(Store *s) {
        LimitBook *b = s->limits;

        if (!b)
                return;
        strv_free(b->machines);
        b->machines = NULL;
        b->knows_machines = b->knows_reserve = false;
        for (LimitSet *set = b->sets; set; set = set->hh.next)
                set->fit = FIT_UNKNOWN;
}

static int add_this_machine(Store *s, LimitBook *b) {
        _cleanup_free_ char *labels = NULL;
        int r = store_get_fact(s, LABELS_FACT, &labels);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        /* "+LABELS", or "" if it takes none. */
        return labels[0] != '+' || strv_contains(b->machines, labels + 1)
                        ? 0
                        : strv_extend(&b->machines, labels + 1);
}

static int know_machines(Store *s, LimitBook *b) {
        int r = 0;

        if (b->knows_machines)
                return 0;
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKER_LABELS);
        while ((r = sql_next(s, st)) > 0) {
                _cleanup_free_ char *labels = NULL;

                r = sql_column_strdup(st, 0, &labels);
                if (r >= 0)
                        r = strv_consume(&b->machines, TAKE_PTR(labels));
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = add_this_machine(s, b);
        b->knows_machines = r >= 0;
        return r;
}

static bool may_have(const LimitSet *set, const char *labels) {
        STRV_FOREACH(word, set->placement)
                if (!placement_is_preference(*word) && !placement_is_met(*word, labels))
                        return false;
        return true;
}

/* A preference counts if a machine that may have the job meets it. */
static bool some_meet(const LimitBook *b, const LimitSet *set, const char *word) {
        STRV_FOREACH(labels, b->machines)
                if (may_have(set, *labels) && placement_is_met(word, *labels))
                        return true;
        return false;
}

int placement_fit(Store *s, LimitBook *b, const LimitSet *set, const char *labels) {
        if (!set->placement)
                return PLACEMENT_FITS;
        if (!may_have(set, labels))
                return PLACEMENT_REFUSED;
        int r = know_machines(s, b);
        STRV_FOREACH(word, set->placement)
                if (r >= 0 && placement_is_preference(*word) && !placement_is_met(*word, labels) &&
                                some_meet(b, set, *word))
                        return PLACEMENT_LEFT;
        return r < 0 ? r : PLACEMENT_FITS;
}

static int know_fit(Store *s, LimitBook *b, LimitSet *set) {
        int r = set->fit == FIT_UNKNOWN ? know_machines(s, b) : 0;

        if (r < 0 || set->fit != FIT_UNKNOWN)
                return r;
        set->fit = FIT_NONE;
        STRV_FOREACH(labels, b->machines)
                if (may_have(set, *labels)) {
                        set->fit = FIT_SOME;
                        break;
                }
        return 0;
}

int placement_waits_for(Store *s, LimitBook *b, LimitSet *set, char ***names) {
        _cleanup_strv_free_ char **needed = NULL;
        int r = set->placement ? know_fit(s, b, set) : 0;

        if (r < 0 || !set->placement || set->fit == FIT_SOME)
                return r;
        STRV_FOREACH(word, set->placement)
                if (r >= 0 && !placement_is_preference(*word))
                        r = strv_extend(&needed, *word);
        if (r < 0 || !needed)
                return r;
        _cleanup_free_ char *words = strv_join(needed, " "),
                            *text = words ? strprintf("worker:%s", words) : NULL;
        return text ? strv_extend(names, text) : -ENOMEM;
}

/* --- what they can do ------------------------------------------------------------------------------ */

/* @labels: only the workers that have just these; NULL: any. Unknown counts as true. */
static bool worker_can(Store *s, uint64_t packed, const char *labels) {
        JobDemand demand = job_demand_unpack(packed);

        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKERS_CAN);
        if (!st)
                return true;
        sql_bind_uint(st, 1, demand.capabilities);
        sql_bind_uint(st, 2, demand.memory_gb);
        sql_bind_uint(st, 3, demand.disk_gb);
        if (labels)
                sql_bind_text(st, 4, labels);
        return sql_row(s, st) < 0 || sqlite3_column_int(st, 0);
}

bool placement_may_be_done(Store *s, LimitBook *b, const LimitClass *c) {
        if (!c->any_worker)
                return true;
        if (!c->set->placement)
                return worker_can(s, c->demand, NULL);
        if (know_machines(s, b) < 0)
                return true;
        STRV_FOREACH(labels, b->machines)
                if (may_have(c->set, *labels) && worker_can(s, c->demand, *labels))
                        return true;
        return false;
}
