/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looking at the paths of jobs, which may hang for ever (a dead NFS server), on a few threads of their own.
 * The loop gets each result in the order in which they were asked for, but does not wait for one that takes
 * long; after some seconds it gives up. A thread that hangs ends its work whenever its call returns; until
 * then it is one thread less. */

#include <systemd/sd-event.h>

#include "basic/time-util.h"
#include "manager/job-files.h"
#include "manager/path-rules.h"
#include "spec/job-spec.h"

#define LOOKUP_THREADS_MAX 16u
#define LOOKUP_TIMEOUT (10 * USEC_PER_SEC)
/* No more wait at the same time. */
#define LOOKUPS_MAX 1024u

typedef struct LookupPool LookupPool;
typedef struct Lookup Lookup;

/* job_files_resolve() or job_files_check(). */
typedef int (*lookup_function)(
                const JobSpec *spec, const PathRules *rules, JobFiles *ret, JsonErrors *errors);

/* In the loop, once. @r and @errors as the function has them; or -ETIMEDOUT, with @errors, which name the
 * path. @spec and @files may be changed and taken from, what is left of them is freed; after -ETIMEDOUT they
 * are NULL. */
typedef void (*lookup_done)(JobSpec *spec, JobFiles *files, int r, const JsonErrors *errors, void *userdata);

int lookup_pool_new(sd_event *event, LookupPool **ret);
LookupPool *lookup_pool_free(LookupPool *p);
DEFINE_CLEANUP_FUNC(LookupPool *, lookup_pool_free);

/* Takes @spec and @rules, also on failure. @look: NULL if there is nothing to look at, then only the order
 * is kept. 0 with *ret, which is valid until it is done or cancelled; -EBUSY with @errors if
 * all threads hang or too many wait; or another negative errno. */
int lookup_start(LookupPool *p, JobSpec *spec, PathRules *rules, lookup_function look, lookup_done done,
                void *userdata, Lookup **ret, JsonErrors *errors);
/* Its done() is not called any more. Returns NULL. */
Lookup *lookup_cancel(Lookup *l);

/* How many are not done. @p may be NULL. */
size_t lookup_pool_pending(const LookupPool *p);

/* Whether there is something at @path, a link included: 1, 0, or -ETIMEDOUT if that is not known within a
 * second, which this waits for. */
int lookup_exists(LookupPool *p, const char *path);

/* For tests: what is called in place of the functions that are given, and how long it may take. */
void lookup_pool_override(LookupPool *p, lookup_function look, usec_t timeout);
