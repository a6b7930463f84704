/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/limits.h"

#include "basic/string-util.h"
#include "spec/job-demand.h"
#include "store/facts.h"
#include "store/limit-book.h"
#include "store/limit-waits.h"
#include "store/placement.h"
#include "store/slurm-jobs.h"
#include "store/sql.h"

void store_limits_set_rules(Store *s, const LimitRules *rules) {
        s->limit_rules = rules;
        limits_forget(s);
}

int store_limits_publish(Store *s) {
        _cleanup_free_ char *text = limit_rules_to_text(s->limit_rules ?: &(LimitRules){});
        int r = text ? store_update_fact(s, LIMITS_FACT, text) : -ENOMEM;

        return MIN(r, 0);
}

int store_job_limit(Store *s, const char *id, const char *names, int64_t *ret_limit_set) {
        int64_t limit_set = 0;
        int r = sql_begin(s);

        if (r < 0)
                return r;
        r = limits_intern(s, names, &limit_set);
        if (r >= 0) {
                _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_LIMIT_JOB_SET);

                if (st) {
                        sql_bind_text(st, 1, id);
                        (void) sqlite3_bind_int64(st, 2, limit_set);
                }
                r = st ? sql_run(s, st) : sql_errno(s);
        }
        r = sql_end(s, r);
        limits_forget(s);
        if (r >= 0)
                *ret_limit_set = limit_set;
        return r;
}

int store_limits_are_free(Store *s, int64_t limit_set, unsigned priority, int64_t seq, bool *ret) {
        const LimitPlace place = { priority, seq };
        LimitSet *set;
        LimitBook *b;
        int r;

        if (limit_set == 0) {
                *ret = true;
                return 0;
        }
        r = limits_all(s, &b);
        if (r >= 0)
                r = b ? limits_set(s, b, limit_set, &set) : -EBADMSG;
        if (r < 0)
                return r;
        *ret = limit_set_is_free(s, b, set, &place);
        return 0;
}

int store_limits_overlap(Store *s, int64_t a, int64_t b, bool *ret) {
        LimitSet *x, *y;
        LimitBook *book;
        int r;

        *ret = false;
        if (a == 0 || b == 0)
                return 0;
        r = limits_book(s, &book);
        if (r >= 0)
                r = limits_set(s, book, a, &x);
        if (r >= 0)
                r = limits_set(s, book, b, &y);
        for (size_t i = 0; r >= 0 && i < x->n_names; i++)
                *ret = *ret || (x->names[i]->max != LIMIT_UNLIMITED && limit_set_contains(y, x->names[i]));
        return r;
}

int store_job_waits_for(Store *s, const JobRow *row, char ***ret) {
        bool waits = row->state == JOB_QUEUED && row->due_at == 0;
        _cleanup_strv_free_ char **names = NULL;
        char *slurm = NULL;
        int r = limits_waits_for(s, waits ? row->limit_set : 0, job_row_is_for_workers(row), &names);

        if (r >= 0)
                r = slurm_waits_text(s, row->seq,
                                waits && (job_demand_unpack(row->demand).capabilities & DEMAND_SLURM),
                                &slurm);
        if (r >= 0 && slurm)
                r = strv_consume(&names, slurm);
        if (r >= 0)
                *ret = TAKE_PTR(names);
        return r;
}

int store_limits_ready(Store *s, char *ret_ids[static LIMITS_READY_MAX], size_t *ret_n) {
        LimitPlace places[LIMITS_READY_MAX];
        size_t n = 0;
        int r = limits_ready(s, places, ELEMENTSOF(places), &n);

        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = limits_job_id(s, places[i].seq, &ret_ids[*ret_n]);
                if (r >= 0)
                        (*ret_n)++;
        }
        return r;
}

int store_placement_set_local(Store *s, bool takes_jobs, const char *labels) {
        _cleanup_free_ char *text = takes_jobs ? strprintf("+%s", labels) : strdup("");
        int r = text ? store_update_fact(s, LABELS_FACT, text) : -ENOMEM;

        if (r != 0)
                placement_machines_changed(s);
        return MIN(r, 0);
}

int store_placement_fit(Store *s, int64_t limit_set, const char *labels, PlacementFit *ret) {
        LimitSet *set;
        LimitBook *b;
        int r = 0;

        *ret = PLACEMENT_FITS;
        if (limit_set == 0)
                return 0;
        r = limits_book(s, &b);
        if (r >= 0)
                r = limits_set(s, b, limit_set, &set);
        if (r >= 0)
                r = placement_fit(s, b, set, labels);
        if (r < 0)
                return r;
        *ret = (PlacementFit) r;
        return 0;
}

void limit_uses_free(LimitUse *uses, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(uses[i].name);
        free(uses);
}

static int by_name(const void *a, const void *b) {
        const LimitUse *x = a, *y = b;

        return strcmp(x->name, y->name);
}

int store_limits_in_use(Store *s, LimitUse **ret, size_t *ret_n) {
        LimitUse *uses = NULL;
        size_t n = 0, allocated = 0;
        LimitBook *b;
        int r = limits_holders(s, &b);

        for (const LimitName *name = r >= 0 && b ? b->names : NULL; name && r >= 0; name = name->hh.next) {
                if (name->n == 0)
                        continue;
                if (GREEDY_REALLOC(uses, allocated, n + 1)) {
                        uses[n] = (LimitUse){ strdup(name->name), (unsigned) name->n, name->max };
                        r = uses[n].name ? 0 : -ENOMEM;
                        n++;
                } else
                        r = -ENOMEM;
        }
        if (r < 0) {
                limit_uses_free(uses, n);
                return r;
        }
        if (n > 1)
                qsort(uses, n, sizeof(LimitUse), by_name);
        *ret = uses;
        *ret_n = n;
        return 0;
}
