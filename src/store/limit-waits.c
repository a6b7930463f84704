/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/limit-waits.h"

#include "basic/string-util.h"
#include "store/limit-book.h"
#include "store/placement.h"

int limits_waits_for(Store *s, int64_t limit_set, bool for_workers, char ***ret) {
        _cleanup_strv_free_ char **names = NULL;
        LimitSet *set = NULL;
        LimitBook *b = NULL;
        int r = limit_set > 0 ? limits_holders(s, &b) : 0;

        if (r >= 0 && b)
                r = limits_set(s, b, limit_set, &set);
        for (size_t i = 0; r >= 0 && set && i < set->n_names; i++)
                if (limit_name_is_full(set->names[i], 0))
                        r = strv_extend(&names, set->names[i]->name);
        if (r >= 0 && set && for_workers)
                r = placement_waits_for(s, b, set, &names);
        if (r >= 0)
                *ret = TAKE_PTR(names);
        return r;
}

int limits_waits_text(
                Store *s, JobState state, usec_t due_at, int64_t limit_set, bool for_workers, char **ret) {
        _cleanup_strv_free_ char **names = NULL;
        char *text = NULL;
        int r = limits_waits_for(s, state == JOB_QUEUED && due_at == 0 ? limit_set : 0, for_workers, &names);

        if (r >= 0 && names && !(text = strv_join(names, "\n")))
                r = -ENOMEM;
        if (r >= 0) {
                free(*ret);
                *ret = text;
        }
        return r;
}
