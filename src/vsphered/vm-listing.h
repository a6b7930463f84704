/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was read behind the first page of a list, kept for the pages that follow: otherwise, each of them has
 * to read the whole inventory. A listing belongs to one login, is found by the time at which it was read,
 * which cursors contain, and is never used for the first page of a list. It is kept for a minute after its
 * last page, and for five minutes at most. If it needs too much memory, or all of them together, it is not
 * kept. */

#include "vsphere/vm-summary.h"
#include "vsphered/vm-cursor.h"

/* Bytes, of a listing and of those of all logins, and how many a login may have. */
#define VM_LISTING_MAX ((size_t) 16 << 20)
#define VM_LISTINGS_MAX ((size_t) 32 << 20)
#define VM_LISTINGS_OF_LOGIN 4u

typedef struct VmListing VmListing;

/* @filter: the text of the filter; @read_at: realtime. 0 or -ENOMEM. */
int vm_listing_new(const char *filter, usec_t read_at, VmListing **ret);
VmListing *vm_listing_free(VmListing *l);
DEFINE_CLEANUP_FUNC(VmListing *, vm_listing_free);

/* Adds a copy of a VM. 0 or -ENOMEM. */
int vm_listing_add(VmListing *l, const VmSummary *v);

/* Up to @limit VMs behind @after as the text of a JSON list, and the cursor of the next page ("" if there is
 * none). The caller frees both. */
int vm_listing_page(
                const VmListing *l, const VmCursor *after, size_t limit, char **ret_text, char **ret_cursor);
/* What vm_listings_put() was given. */
uint64_t vm_listing_total(const VmListing *l) _pure_;

/* --- those of a login ------------------------------------------------------------------------------ */

typedef struct VmListings {
        VmListing *first;
} VmListings;

void vm_listings_done(VmListings *all);

/* Takes a listing that is complete, and frees it if it is of no use. @total: the VMs of the whole list;
 * @now: monotonic. */
void vm_listings_put(VmListings *all, VmListing *l, uint64_t total, usec_t now);

/* The listing that @cursor belongs to, borrowed until the next call; NULL if it is not kept. */
VmListing *vm_listings_find(VmListings *all, const VmCursor *cursor, const char *filter, usec_t now);

/* Frees those whose time is over. */
void vm_listings_expire(VmListings *all, usec_t now);
