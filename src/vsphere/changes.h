/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changed block tracking: which areas of a disk were written since an earlier snapshot. A change ID is
 * "UUID/NUMBER", or any text; tracking that was reset has another UUID. All functions block. */

#include "vsphere/vm-detail.h"

/* Called for each area, in the order of the server. 0, or negative errno, which ends the query. */
typedef int (*changes_func)(uint64_t start, uint64_t length, void *userdata);

/* Asks for all areas of the disk with @key that were written after @change_id and before @snapshot, inside
 * @capacity. 0; -ESTALE: the server does not know what was written, since tracking was reset; -EBADMSG: the
 * answers do not cover the disk. */
int changes_query(Session *s, const char *vm, const char *snapshot, uint32_t key, const char *change_id,
                uint64_t capacity, changes_func func, void *userdata);

/* Decodes one answer, which must begin at @start. *ret_next is where it ends, behind @start. 0, -EBADMSG, or
 * what @func returns. */
int changes_read(const xmlNode *answer, uint64_t start, uint64_t capacity, changes_func func, void *userdata,
                uint64_t *ret_next);

/* True if both change IDs are of the same tracking, and @after is not older than @before. */
bool change_ids_are_related(const char *before, const char *after) _pure_;

/* Turns tracking on or off. It begins with the next snapshot. */
int changes_enable(Session *s, const char *vm, bool enable);
