/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphered/vm-list.h"

#include <stdio.h>

#include "basic/string-util.h"
#include "vsphered/vm-json.h"
#include "json/json-parse.h"

/* Of the strings of a page: ten thousand VMs with long names need a fifth. */
#define BYTES_MAX ((size_t) 24 << 20)

struct VmList {
        const VmFilter *filter;
        const VmCursor *after;
        VmListing *rest; /* or NULL */
        size_t limit, n, allocated;
        uint64_t total;
        size_t bytes; /* of @vms */
        bool more; /* there is a VM behind the page */
        VmSummary *vms; /* a heap with the last one in front; sorted by vm_list_text() */
};

/* --- the filter ------------------------------------------------------------------------------------ */

static const JsonField fields[] = {
        { "datacenter", JSON_FIELD_STRING, offsetof(VmFilter, datacenter), JSON_NULLABLE, .max = 256 },
        { "name", JSON_FIELD_STRING, offsetof(VmFilter, name), JSON_NULLABLE, .max = 256 },
        { "power_state", JSON_FIELD_ENUM, offsetof(VmFilter, power), JSON_NULLABLE,
                        .from_string = (int (*)(const char *)) vm_power_from_string,
                        .expected = "poweredOn, poweredOff, suspended" },
        {},
};

void vm_filter_done(VmFilter *f) {
        json_table_done(fields, f);
        *f = (VmFilter){ .power = -1 };
}

int vm_filter_decode(const char *text, VmFilter *ret, JsonErrors *errors) {
        _cleanup_(vm_filter_done) VmFilter f = { .power = -1 };
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *why = NULL;
        int r = 0;

        if (!isempty(text)) {
                r = json_parse_object(text, strlen(text), &object, &why);
                if (r == -EBADMSG)
                        r = json_errors_add(errors, "", "%s", why);
                else if (r >= 0)
                        r = json_table_decode(fields, object, "", &f, errors);
        }
        STRV_FOREACH(key, errors->unknown)
                if (r >= 0)
                        r = json_errors_add(errors, *key, "there is no such filter");
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        *ret = f;
        f = (VmFilter){ .power = -1 };
        return 0;
}

static bool selects(const VmFilter *f, const VmSummary *v) {
        if (!isempty(f->datacenter) && !streq(f->datacenter, strempty(v->datacenter)))
                return false;
        if (!isempty(f->name) && !strcasestr(strempty(v->name), f->name))
                return false;
        return f->power < 0 || (int) v->power == f->power;
}

/* --- the page -------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
        const VmSummary *x = a, *y = b;

        return vm_place_compare(x->path, x->id, y->path, y->id);
}

VmList *vm_list_free(VmList *l) {
        if (!l)
                return NULL;
        for (size_t i = 0; i < l->n; i++)
                vm_summary_done(&l->vms[i]);
        free(l->vms);
        return mfree(l);
}

int vm_list_new(const VmFilter *filter, unsigned limit, const VmCursor *after, VmListing *rest,
                VmList **ret) {
        VmList *l = new0(VmList, 1);

        if (!l)
                return -ENOMEM;
        l->filter = filter;
        l->limit = limit;
        l->after = after;
        l->rest = rest;
        *ret = l;
        return 0;
}

static void swap(VmSummary *a, VmSummary *b) {
        VmSummary c = *a;

        *a = *b;
        *b = c;
}

static void sift_up(VmSummary *heap, size_t i) {
        for (; i > 0 && compare(&heap[i], &heap[(i - 1) / 2]) > 0; i = (i - 1) / 2)
                swap(&heap[i], &heap[(i - 1) / 2]);
}

static void sift_down(VmSummary *heap, size_t n) {
        for (size_t i = 0;;) {
                size_t child = 2 * i + 1;

                if (child + 1 < n && compare(&heap[child + 1], &heap[child]) > 0)
                        child++;
                if (child >= n || compare(&heap[child], &heap[i]) <= 0)
                        return;
                swap(&heap[child], &heap[i]);
                i = child;
        }
}

static size_t bytes_of(const VmSummary *v) {
        const char *const strings[] = { v->id, v->name, v->path, v->datacenter, v->uuid, v->instance_uuid,
                v->guest_id, v->guest_name, v->host_name, v->ip_address, v->tools_status };
        size_t n = sizeof(VmSummary);

        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                n += strlen(strempty(strings[i]));
        return n;
}

int vm_list_add(VmSummary *v, void *list) {
        VmList *l = list;

        if (!selects(l->filter, v))
                return 0;
        l->total++;
        if (l->after->path && vm_place_compare(v->path, v->id, l->after->path, l->after->id) <= 0)
                return 0;
        if (l->n < l->limit) {
                if (!GREEDY_REALLOC(l->vms, l->allocated, l->n + 1))
                        return -ENOMEM;
                l->bytes += bytes_of(v);
                if (l->bytes > BYTES_MAX)
                        return -EFBIG;
                l->vms[l->n] = *v;
                *v = (VmSummary){};
                sift_up(l->vms, l->n++);
                return 0;
        }
        l->more = true;
        if (l->n > 0 && compare(v, &l->vms[0]) < 0) {
                l->bytes = l->bytes + bytes_of(v) - bytes_of(&l->vms[0]);
                if (l->bytes > BYTES_MAX)
                        return -EFBIG;
                swap(v, &l->vms[0]);
                sift_down(l->vms, l->n);
        }
        return l->rest ? vm_listing_add(l->rest, v) : 0;
}

/* One VM after the other, since values in memory are much larger than their text. */
int vm_list_text(VmList *l, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        if (l->n > 0)
                qsort(l->vms, l->n, sizeof(VmSummary), compare);
        fputc('[', f);
        for (size_t i = 0; i < l->n; i++) {
                _cleanup_json_ json_t *vm = vm_summary_json(&l->vms[i]);

                if (i > 0)
                        fputc(',', f);
                if (!vm || json_dumpf(vm, f, JSON_COMPACT) < 0) {
                        fclose(f);
                        return -ENOMEM;
                }
        }
        fputc(']', f);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

int vm_list_cursor(VmList *l, usec_t read_at, char **ret) {
        const VmSummary *last = l->n > 0 ? &l->vms[0] : NULL;

        for (size_t i = 1; i < l->n; i++)
                if (compare(&l->vms[i], last) > 0)
                        last = &l->vms[i];
        *ret = l->more && last ? vm_cursor_format(read_at, last->id, last->path) : strdup("");
        return *ret ? 0 : -ENOMEM;
}

uint64_t vm_list_total(const VmList *l) {
        return l->total;
}
