/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The place behind a page of the list: when the inventory was read for it, and the last VM of the page. As
 * text it is "MICROSECONDS:ID PATH". */

#include "basic/time-util.h"

typedef struct VmCursor {
        usec_t read_at; /* realtime; 0: the list begins */
        char *id, *path; /* of the last VM; NULL: the list begins */
} VmCursor;

void vm_cursor_done(VmCursor *c);
#define _cleanup_vm_cursor_ _cleanup_(vm_cursor_done)

/* "" is the beginning. 0, -EINVAL or -ENOMEM. */
int vm_cursor_parse(const char *text, VmCursor *ret);
/* NULL when out of memory. */
char *vm_cursor_format(usec_t read_at, const char *id, const char *path);

/* The order of VMs: by path, then by ID. As strcmp(3). */
int vm_place_compare(const char *path_a, const char *id_a, const char *path_b, const char *id_b);
