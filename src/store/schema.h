/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tables, and how a database of an older schema gets to today's. */

#include "store/sql.h"

/* What a database of ours is: whose it is, and the steps from an empty file to today's tables. A step, once
 * released, is never changed: a change is one more step. */
struct Schema {
        int64_t application_id;
        const char *set_application_id; /* the PRAGMA, which takes no parameter */
        const char *const *steps;
        size_t n_steps;
};

extern const Schema schema_jobs; /* of the manager's database */

/* Brings an owner's database to the newest schema, one transaction per step; checks a reader's. */
int schema_migrate(Store *s);
int schema_check(Store *s);
