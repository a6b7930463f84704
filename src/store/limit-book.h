/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Limits, for the other files of the store. What is known of them in memory follows each change of a row, and
 * is forgotten, and read again, when a change is taken back. */

#include <uthash.h>

#include "spec/job-state.h"
#include "spec/limit-rules.h"
#include "store/store.h"

/* The fact with the rules in force. */
#define LIMITS_FACT "limits"

/* A place in the queue. */
typedef struct LimitPlace {
        unsigned priority;
        int64_t seq;
} LimitPlace;

static inline bool limit_place_is_before(const LimitPlace *a, const LimitPlace *b) {
        return a->priority != b->priority ? a->priority > b->priority : a->seq < b->seq;
}

typedef struct LimitName {
        char *name;
        unsigned max;
        LimitPlace *holders; /* of the jobs that hold it */
        LimitPlace last; /* of these: the one that comes behind the others */
        size_t n, allocated;
        size_t full_index; /* from 1: its place among those that are full; 0: it is not */
        UT_hash_handle hh;
} LimitName;

typedef struct LimitSet {
        int64_t id;
        LimitName **names;
        size_t n_names;
        size_t *classes; /* their places in the book */
        size_t n_classes, allocated;
        UT_hash_handle hh;
} LimitSet;

/* The jobs of a set that wait, and are alike for whoever may take them. */
typedef struct LimitClass {
        LimitSet *set;
        uint64_t demand;
        LimitPlace first;
        bool any_worker;
        bool is_known; /* the first one is, or that there is none */
        bool is_empty;
} LimitClass;

/* The job for which limits are kept free. */
typedef struct LimitReserve {
        const LimitSet *set; /* NULL: there is none */
        LimitPlace place;
} LimitReserve;

/* All that is known. */
typedef struct LimitBook {
        LimitName *names;
        LimitSet *sets; /* those that were asked for; of all jobs that wait or hold something */
        LimitClass *classes; /* side by side, since each dequeue looks at all of them */
        size_t n_classes, allocated;
        LimitName **full; /* of which as many are held as may be */
        size_t n_full, allocated_full;
        bool has_sets; /* there are any in the database */
        bool knows_holders, knows_classes;
        bool knows_firsts; /* of all classes */
        bool knows_reserve;
        LimitReserve reserve;
        LimitRules rules; /* that the owner has recorded, for who only reads */
        int64_t version; /* of the database, when the holders were read by who does not write them */
} LimitBook;

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
/* The first job of those that any worker may take, that hold something, and whose limits are free: 1 with its
 * place, or 0. */
int limits_first(Store *s, bool (*meets)(const void *userdata, uint64_t demand), const void *userdata,
                LimitPlace *ret);
/* Places of up to @max of the first of each class, likewise, in any order. */
int limits_ready(Store *s, LimitPlace *places, size_t max, size_t *ret_n);
/* What a QUEUED job of this set waits for; NULL: nothing. */
int limits_waits_for(Store *s, int64_t limit_set, char ***ret);
/* The same for any job, in lines. */
int limits_waits_text(Store *s, JobState state, usec_t due_at, int64_t limit_set, char **ret);
int limits_job_id(Store *s, int64_t seq, char **ret);
