/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known in memory of limits (limit-book.h) and of who may have the jobs with them (placement.h). */

#include <uthash.h>

#include "spec/limit-rules.h"

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

/* What of the machines that there are may have a job. */
typedef enum LimitFit { FIT_UNKNOWN, FIT_NONE, FIT_SOME } LimitFit;

typedef struct LimitSet {
        int64_t id;
        LimitName **names;
        size_t n_names;
        char **placement; /* words (spec/placement.h), or NULL: any machine may have its jobs */
        LimitFit fit;
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
        char **machines; /* the labels of workers, and of this machine if it takes jobs for workers, each
                          * combination once */
        bool knows_machines;
        LimitRules rules; /* that the owner has recorded, for who only reads */
        int64_t version; /* of the database, when the holders were read by who does not write them */
} LimitBook;
