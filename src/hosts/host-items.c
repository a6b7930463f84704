/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-items.h"

#include "basic/string-util.h"
#include "basic/utf8.h"

#define TEXT_MAX 4096

void host_item_done(HostItem *item) {
        for (size_t i = 0; i < ELEMENTSOF(item->texts); i++)
                item->texts[i] = mfree(item->texts[i]);
}

void host_items_done(HostItems *l) {
        for (size_t i = 0; i < l->n; i++)
                host_item_done(l->items + i);
        free(l->items);
        *l = (HostItems){};
}

static char *clean(const char *text) {
        char *copy = utf8_make_valid(text, strlen(text), TEXT_MAX);

        return copy ? utf8_replace_control(copy, ' ') : NULL;
}

int host_items_add(HostItems *l, const char *const *texts, size_t n_texts, const uint64_t *numbers,
                size_t n_numbers) {
        HostItem item = {};

        assert(n_texts <= ELEMENTSOF(item.texts) && n_numbers <= ELEMENTSOF(item.numbers));
        if (l->n >= ITEMS_MAX)
                return -EFBIG;
        if (!GREEDY_REALLOC(l->items, l->allocated, l->n + 1))
                return -ENOMEM;
        for (size_t i = 0; i < n_texts; i++) {
                item.texts[i] = texts[i] ? clean(texts[i]) : NULL;
                if (!item.texts[i]) {
                        host_item_done(&item);
                        return -ENOMEM;
                }
        }
        memcpy(item.numbers, numbers, n_numbers * sizeof(uint64_t));
        l->items[l->n++] = item;
        return 0;
}
