/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One page of the VMs of a server. The server has no order that lasts, so a page is selected while all of the
 * inventory is read. What lies behind it may be kept for the pages that follow. */

#include <jansson.h>

#include "vsphere/inventory.h"
#include "vsphered/vm-listing.h"
#include "json/json-table.h"

#define VM_LIST_LIMIT_MAX 10000u

typedef struct VmFilter {
        char *datacenter, *name; /* @name: a part of the name, in any case */
        int power; /* VmPower; negative: any */
} VmFilter;

void vm_filter_done(VmFilter *f);
/* "" is the same as "{}". 0, -EBADMSG with @errors, or -ENOMEM. */
int vm_filter_decode(const char *text, VmFilter *ret, JsonErrors *errors);

typedef struct VmList VmList;

/* The page behind @after, in the order of paths. What lies behind the page is added to @rest, unless that is
 * NULL. Both, and the filter, must live as long. */
int vm_list_new(const VmFilter *filter, unsigned limit, const VmCursor *after, VmListing *rest,
                VmList **ret);
VmList *vm_list_free(VmList *l);
DEFINE_CLEANUP_FUNC(VmList *, vm_list_free);

/* An inventory_func: takes what belongs to the page out of @v. */
int vm_list_add(VmSummary *v, void *list);

/* The page as the text of a JSON list (caller frees), the cursor of the next page ("" if there is none; what
 * is listed was read at @read_at), and the number of VMs that the filter selects. */
int vm_list_text(VmList *l, char **ret);
int vm_list_cursor(VmList *l, usec_t read_at, char **ret);
uint64_t vm_list_total(const VmList *l) _pure_;
