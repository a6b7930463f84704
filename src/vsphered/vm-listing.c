/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphered/vm-listing.h"

#include <stdatomic.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "vsphered/vm-json.h"
#include "json/json-table.h"

#define KEPT_UNUSED USEC_PER_MINUTE
#define KEPT_AT_MOST (5 * USEC_PER_MINUTE)

typedef struct Row {
        size_t size; /* that is counted */
        const char *id, *json;
        char path[]; /* followed by both */
} Row;

struct VmListing {
        char *filter;
        usec_t read_at;
        Row **rows; /* sorted by vm_listings_put() */
        size_t n, allocated, size;
        bool is_too_large;
        uint64_t total;
        usec_t put_at, used_at; /* monotonic */
        VmListing *next;
};

/* Of all threads. */
static atomic_size_t all_bytes;

int vm_listing_new(const char *filter, usec_t read_at, VmListing **ret) {
        _cleanup_(vm_listing_freep) VmListing *l = new0(VmListing, 1);

        if (!l)
                return -ENOMEM;
        l->read_at = read_at;
        l->filter = strdup(filter);
        if (!l->filter)
                return -ENOMEM;
        *ret = TAKE_PTR(l);
        return 0;
}

static void drop_rows(VmListing *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->rows[i]);
        atomic_fetch_sub(&all_bytes, l->size);
        free(l->rows);
        l->rows = NULL;
        l->n = l->allocated = l->size = 0;
}

VmListing *vm_listing_free(VmListing *l) {
        if (!l)
                return NULL;
        drop_rows(l);
        free(l->filter);
        return mfree(l);
}

static bool reserve(VmListing *l, size_t size) {
        if (size > VM_LISTING_MAX - l->size)
                return false;
        if (atomic_fetch_add(&all_bytes, size) + size > VM_LISTINGS_MAX) {
                atomic_fetch_sub(&all_bytes, size);
                return false;
        }
        l->size += size;
        return true;
}

static Row *make_row(const VmSummary *v, const char *json) {
        size_t path = strlen(strempty(v->path)) + 1, id = strlen(strempty(v->id)) + 1,
               text = strlen(json) + 1;
        Row *row = malloc(sizeof(Row) + path + id + text);

        if (!row)
                return NULL;
        row->size = sizeof(Row) + path + id + text + sizeof(Row *);
        memcpy(row->path, strempty(v->path), path);
        row->id = memcpy(row->path + path, strempty(v->id), id);
        row->json = memcpy(row->path + path + id, json, text);
        return row;
}

int vm_listing_add(VmListing *l, const VmSummary *v) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *json = NULL;
        _cleanup_free_ Row *row = NULL;

        if (l->is_too_large)
                return 0;
        object = vm_summary_json(v);
        json = object ? json_dumps(object, JSON_COMPACT) : NULL;
        row = json ? make_row(v, json) : NULL;
        if (!row || !GREEDY_REALLOC(l->rows, l->allocated, l->n + 1))
                return -ENOMEM;
        if (!reserve(l, row->size)) {
                drop_rows(l);
                l->is_too_large = true;
                return 0;
        }
        l->rows[l->n++] = TAKE_PTR(row);
        return 0;
}

/* --- a page ---------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
        const Row *const *x = a, *const *y = b;

        return vm_place_compare((*x)->path, (*x)->id, (*y)->path, (*y)->id);
}

/* The first row behind the cursor */
static size_t find_row(const VmListing *l, const VmCursor *after) {
        size_t from = 0, to = l->n;

        while (from < to) {
                size_t middle = (from + to) / 2;
                const Row *row = l->rows[middle];

                if (vm_place_compare(row->path, row->id, after->path, after->id) <= 0)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from;
}

int vm_listing_page(const VmListing *l, const VmCursor *after, size_t limit, char **ret_text,
                char **ret_cursor) {
        size_t from = find_row(l, after), n = MIN(limit, l->n - from), size = 0;
        const Row *last = from + n < l->n && n > 0 ? l->rows[from + n - 1] : NULL;
        _cleanup_free_ char *text = NULL, *cursor = NULL;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        fputc('[', f);
        for (size_t i = from; i < from + n; i++)
                fprintf(f, "%s%s", i > from ? "," : "", l->rows[i]->json);
        fputc(']', f);
        if (fclose(f) != 0)
                return -ENOMEM;
        cursor = last ? vm_cursor_format(l->read_at, last->id, last->path) : strdup("");
        if (!cursor)
                return -ENOMEM;
        *ret_text = TAKE_PTR(text);
        *ret_cursor = TAKE_PTR(cursor);
        return 0;
}

uint64_t vm_listing_total(const VmListing *l) {
        return l->total;
}

/* --- those of a login ------------------------------------------------------------------------------ */

void vm_listings_done(VmListings *all) {
        while (all->first) {
                VmListing *l = all->first;

                all->first = l->next;
                vm_listing_free(l);
        }
}

void vm_listings_put(VmListings *all, VmListing *l, uint64_t total, usec_t now) {
        unsigned n = 0;

        if (l->n == 0) {
                vm_listing_free(l);
                return;
        }
        qsort(l->rows, l->n, sizeof(Row *), compare);
        l->total = total;
        l->put_at = l->used_at = now;
        l->next = all->first;
        all->first = l;
        for (VmListing **p = &all->first; *p; p = &(*p)->next)
                if (++n == VM_LISTINGS_OF_LOGIN) {
                        VmListings rest = { .first = (*p)->next };

                        (*p)->next = NULL;
                        vm_listings_done(&rest);
                        return;
                }
}

VmListing *vm_listings_find(VmListings *all, const VmCursor *cursor, const char *filter, usec_t now) {
        vm_listings_expire(all, now);
        for (VmListing *l = all->first; l; l = l->next)
                if (l->read_at == cursor->read_at && streq(l->filter, filter)) {
                        l->used_at = now;
                        return l;
                }
        return NULL;
}

void vm_listings_expire(VmListings *all, usec_t now) {
        for (VmListing **p = &all->first; *p;) {
                VmListing *l = *p;

                if (now - l->used_at < KEPT_UNUSED && now - l->put_at < KEPT_AT_MOST) {
                        p = &l->next;
                        continue;
                }
                *p = l->next;
                vm_listing_free(l);
        }
}
