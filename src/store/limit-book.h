/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Limits, for the other files of the store. What is known of them in memory follows each change of a row, and
 * is forgotten, and read again, when a change is taken back. */

#include "spec/job-state.h"
#include "store/limit-types.h"
#include "store/store.h"

/* The fact with the rules in force. */
#define LIMITS_FACT "limits"

/* The book, without what is read only when it is asked for. */
int limits_book(Store *s, LimitBook **ret);
/* With the holders; *ret is NULL if no job has ever had a limit. */
int limits_holders(Store *s, LimitBook **ret);
/* With the first job of each class, too. */
int limits_all(Store *s, LimitBook **ret);
/* -EBADMSG: a row refers to a set that is not there. */
int limits_set(Store *s, LimitBook *b, int64_t id, LimitSet **ret);

/* As many hold the name, or have it @reserved, as may. */
static inline bool limit_name_is_full(const LimitName *name, unsigned reserved) {
        return name->max != LIMIT_UNLIMITED && name->n + reserved >= name->max;
}
bool limit_set_contains(const LimitSet *set, const LimitName *name) _pure_;

/* What of a job matters here. */
typedef struct LimitedJob {
        int64_t limit_set; /* 0: it holds nothing, and the rest is not set */
        LimitPlace place;
        bool any_worker;
        uint64_t demand;
        usec_t due_at;
} LimitedJob;

void limits_forget(Store *s);
/* The set of these names, which is made if there is none. */
int limits_intern(Store *s, const char *names, int64_t *ret);
/* 0, also if there is no such job. */
int limits_job_find(Store *s, const char *id, LimitedJob *ret);
bool limits_are_free(Store *s, const LimitedJob *j);
/* Whether a job at this place could be given away, with what is kept free for others. */
bool limit_set_is_free(Store *s, LimitBook *b, const LimitSet *set, const LimitPlace *place);
/* A job was inserted, or its state was changed. */
void limits_job_entered(Store *s, const LimitedJob *j, JobState state);
/* @due_at: when it goes on then, if it is QUEUED. */
void limits_job_changed(Store *s, const LimitedJob *j, JobState from, JobState to, usec_t due_at);
/* Who asks for a job. */
typedef struct LimitAsker {
        bool (*meets)(const void *userdata, uint64_t demand);
        const void *userdata;
        const char *labels;
} LimitAsker;

/* The first job of those that any worker may take, that hold something, and whose limits are free: 1 with its
 * place, or 0. @others: also of those that should be left to other machines. */
int limits_first(Store *s, const LimitAsker *asker, bool others, LimitPlace *ret);
/* Places of up to @max of the first of each class, likewise, in any order. */
int limits_ready(Store *s, LimitPlace *places, size_t max, size_t *ret_n);
int limits_job_id(Store *s, int64_t seq, char **ret);
