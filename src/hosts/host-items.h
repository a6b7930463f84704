/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lists of what a host has: pools, volumes, networks, the disks and ports of its VMs. Made in a host's
 * thread, sent over the bus by the loop. An item is some texts and some numbers; see host_lists[] for their
 * order on the bus. */

#include "basic/macro.h"

#define ITEM_TEXTS 9
#define ITEM_NUMBERS 4
#define ITEMS_MAX 65536u /* more than that a host is not believed to have */

typedef struct HostItem {
        char *texts[ITEM_TEXTS];
        uint64_t numbers[ITEM_NUMBERS];
} HostItem;

typedef struct HostItems {
        HostItem *items;
        size_t n, allocated;
} HostItems;

void host_item_done(HostItem *item);
void host_items_done(HostItems *l);

/* Appends an item of copies of @texts, in which each byte that is not UTF-8 and each control character is
 * replaced. A NULL among them means that the caller was out of memory. 0, -ENOMEM, -EFBIG. */
int host_items_add(HostItems *l, const char *const *texts, size_t n_texts, const uint64_t *numbers,
                size_t n_numbers);
#define ITEM_ARRAY(type, ...) (const type[]){ __VA_ARGS__ }, ELEMENTSOF(((const type[]){ __VA_ARGS__ }))
#define TEXTS(...) ITEM_ARRAY(char *const, __VA_ARGS__)
#define NUMBERS(...) ITEM_ARRAY(uint64_t, __VA_ARGS__)
