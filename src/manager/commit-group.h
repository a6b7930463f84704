/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Group commit (store/group.h) in the event loop: what submissions and workers' calls write becomes durable
 * with one flush for all that have come when the loop has nothing else to read, and each is answered after
 * that.
 *
 *         r = commit_group_enter(g);
 *         … reads and writes of the store …
 *         commit_group_leave(g, done, userdata);       -- or without done, if nothing follows from them
 *
 * Memory changes in done(), after the commit. */

#include <systemd/sd-event.h>

#include "store/group.h"

/* Behind whatever can be read now, which is for the same group. */
#define COMMIT_GROUP_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 1)

typedef struct CommitGroup CommitGroup;

/* From the loop, in the order of the members, once: 0 if what was written is durable; negative errno: it is
 * not recorded. */
typedef void (*commit_done)(int r, void *userdata);

/* A group ends after @age_max at the latest, even if the loop always has something to read. @committed is
 * called once for each group that was written, before its members' functions. */
int commit_group_new(sd_event *event, Store *store, usec_t age_max, void (*committed)(void *userdata),
                void *userdata, CommitGroup **ret);
/* The members that are left are told -ECANCELED. */
CommitGroup *commit_group_free(CommitGroup *g);
DEFINE_CLEANUP_FUNC(CommitGroup *, commit_group_free);

/* 0 or negative errno. May tell the members of a group before this one. */
int commit_group_enter(CommitGroup *g);
/* @done is told how the group ended; NULL: whoever entered does not mind. Never calls it itself. */
void commit_group_leave(CommitGroup *g, commit_done done, void *userdata);

/* Commits now, and tells all. For whoever needs memory to be as new as the store. */
void commit_group_settle(CommitGroup *g);

/* Members that are not told yet. */
size_t commit_group_pending(const CommitGroup *g);
