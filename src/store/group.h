/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Group commit: what is written between store_group_enter() and store_group_leave() becomes part of one
 * transaction, the group's, which store_group_commit() makes durable with one flush for all of it. Several
 * such stretches, one after the other, make up a group.
 *
 * Within a stretch the group's rows are seen as if they were durable, so nothing that follows from them may
 * leave the process before the commit. Any use of the store outside a stretch commits the group first:
 * nobody else sees a row that is not durable. A write in a stretch that fails takes only itself back. */

#include "store/store.h"

/* Begins a stretch; opens the group if there is none. 0, or negative errno: there is no stretch then.
 * -EBUSY: the last group was committed, or is lost, and store_group_commit() has not said so yet. */
int store_group_enter(Store *s);
void store_group_leave(Store *s);

/* Commits the group, unless that has happened already, and forgets it. 0 if all of it is durable; negative
 * errno if none of it is recorded. -ENOENT if there is no group. */
int store_group_commit(Store *s);
