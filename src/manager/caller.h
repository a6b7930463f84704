/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The role of whoever calls a method that polkit has allowed already. This is the one place that decides
 * it. */

#include <systemd/sd-bus.h>

#include "basic/time-util.h"
#include "shared/role.h"
#include "spec/submitter.h"

/* Who calls, as the kernel and the user database know it. */
typedef struct Caller {
        Role role; /* of the user: role_of_user() */
        bool is_api; /* the user of hyper-apid, which speaks for its own clients */
        uid_t uid;
} Caller;

/* Root and members of hyper-admin are admin. hyper-apid has the role that it passes, operator if it passes
 * none. All others are operators: polkit has allowed the call. @wanted, the option "role" or NULL, may lower
 * the role, never raise it. 0, or negative errno with @error set. */
int caller_judge(const Caller *caller, const char *wanted, Role *ret, sd_bus_error *error);

/* Whether this is the user of hyper-apid. */
bool caller_is_api(uid_t uid);

/* The client of the bus that has called last. What it may do is asked again after a second: hyper-apid calls
 * some thousand times in one. */
typedef struct CallerCache {
        char *sender; /* its unique name, which no other client of this bus will have; or NULL */
        usec_t until; /* monotonic */
        Caller caller;
} CallerCache;

#define CALLER_CACHE_TIME USEC_PER_SEC

void caller_cache_done(CallerCache *c);

/* Who has submitted last, and how that is recorded: to ask for the name of a user takes as long as to write a
 * row. */
typedef struct SubmitterCache {
        Submitter given; /* what was known at first */
        char *text; /* submitter_to_text() with the name of the user; NULL: nothing is kept */
        usec_t until; /* monotonic */
} SubmitterCache;

void submitter_cache_done(SubmitterCache *c);

/* Who sent @m, a message of the bus that @cache is for: *ret is valid until the next call. 0, or negative
 * errno with @error set. */
int caller_find(CallerCache *cache, sd_bus_message *m, const Caller **ret, sd_bus_error *error);

/* caller_judge() of the sender. */
int caller_role(CallerCache *cache, sd_bus_message *m, const char *wanted, Role *ret, sd_bus_error *error);
