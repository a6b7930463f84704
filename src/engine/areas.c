/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/areas.h"
#include "basic/string-util.h"
#include "engine/extent-cursor.h"

#define EXTENTS_MAX ((size_t) 1024) /* of one answer */

void areas_done(Areas *a) {
        free(a->list);
        *a = (Areas){};
}

static uint64_t area_end(const Area *a) {
        return a->offset + a->length;
}

/* The first area that ends at @offset or behind it. */
static size_t find(const Areas *a, uint64_t offset) {
        size_t low = 0, high = a->n;

        if (a->n > 0 && area_end(&a->list[a->n - 1]) < offset)
                return a->n;
        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (area_end(&a->list[middle]) < offset)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* In blocks of the list, and inside the disk. Nothing overflows: sizes of disks are below 2^63. */
static Area rounded(const Areas *a, uint64_t offset, uint64_t length) {
        uint64_t start = offset - offset % a->block, end = MIN(a->size - offset, length) + offset;

        if (end % a->block != 0)
                end = MIN(end - end % a->block + a->block, a->size);
        return (Area){ .offset = start, .length = end - start };
}

/* Doubles the blocks until there is room. */
static void coarsen(Areas *a) {
        do {
                size_t n = 0;

                a->block *= 2;
                for (size_t i = 0; i < a->n; i++) {
                        Area x = rounded(a, a->list[i].offset, a->list[i].length);

                        if (n > 0 && area_end(&a->list[n - 1]) >= x.offset)
                                a->list[n - 1].length = MAX(area_end(&x), area_end(&a->list[n - 1])) -
                                                a->list[n - 1].offset;
                        else
                                a->list[n++] = x;
                }
                a->n = n;
        } while (a->n >= a->max && a->n > 1);
}

static int insert(Areas *a, size_t at, Area x) {
        if (!GREEDY_REALLOC(a->list, a->allocated, a->n + 1))
                return -ENOMEM;
        memmove(a->list + at + 1, a->list + at, (a->n - at) * sizeof(Area));
        a->list[at] = x;
        a->n++;
        return 0;
}

int areas_add(Areas *a, uint64_t offset, uint64_t length) {
        if (a->block == 0)
                a->block = EXTENT_BLOCK;
        if (a->max == 0)
                a->max = AREAS_MAX;
        if (length == 0 || offset >= a->size)
                return 0;
        Area x = rounded(a, offset, length);
        size_t first = find(a, x.offset), last = first;
        /* All that it touches becomes one. */
        while (last < a->n && a->list[last].offset <= area_end(&x))
                last++;
        if (first == last) {
                int r = insert(a, first, x);
                if (r >= 0 && a->n > a->max)
                        coarsen(a);
                return r;
        }
        uint64_t start = MIN(x.offset, a->list[first].offset);
        uint64_t end = MAX(area_end(&x), area_end(&a->list[last - 1]));
        a->list[first] = (Area){ .offset = start, .length = end - start };
        memmove(a->list + first + 1, a->list + last, (a->n - last) * sizeof(Area));
        a->n -= last - first - 1;
        return 0;
}

uint64_t areas_total(const Areas *a) {
        uint64_t total = 0;

        for (size_t i = 0; i < a->n; i++)
                total += a->list[i].length;
        return total;
}

/* --- the endpoint ---------------------------------------------------------------------------------- */

typedef struct AreasEndpoint {
        Endpoint endpoint;
        Endpoint *below;
        const Areas *areas;
} AreasEndpoint;

#define BELOW(e) (((AreasEndpoint *) (e))->below)

static void areas_op_free(Endpoint *e) {
        endpoint_free(BELOW(e));
        free(e);
}

static void areas_op_stop(Endpoint *e) {
        endpoint_stop(BELOW(e));
}

/* What is inside the areas is data, the rest is not there. */
static int areas_op_extents(
                Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done, void *userdata) {
        const Areas *a = ((AreasEndpoint *) e)->areas;
        uint64_t end = offset + length;
        Extent extents[EXTENTS_MAX];
        size_t n = 0;

        for (size_t i = find(a, offset + 1); offset < end && n < EXTENTS_MAX; n++) {
                bool inside = i < a->n && a->list[i].offset <= offset;
                uint64_t to = inside ? area_end(&a->list[i++]) : i < a->n ? a->list[i].offset : end;

                to = MIN(to, end);
                extents[n] = (Extent){ .length = to - offset, .zero = !inside };
                offset = to;
        }
        done(userdata, extents, n, 0);
        return 0;
}

/* The text of the error has to be this endpoint's. */
static int pass(Endpoint *e, int r) {
        const char *text = endpoint_error(BELOW(e));

        if (!e->error && !isempty(text))
                e->error = strdup(text);
        e->active = BELOW(e)->active;
        e->bytes_read = BELOW(e)->bytes_read;
        return r;
}

static int areas_op_read(
                Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done, void *userdata) {
        return pass(e, endpoint_read(BELOW(e), buf, length, offset, done, userdata));
}

static size_t areas_op_wait(Endpoint *e, struct pollfd *fds, size_t max) {
        return BELOW(e)->ops->wait ? BELOW(e)->ops->wait(BELOW(e), fds, max) : 0;
}

static int areas_op_dispatch(Endpoint *e, const struct pollfd *fds, size_t n) {
        return pass(e, BELOW(e)->ops->dispatch ? BELOW(e)->ops->dispatch(BELOW(e), fds, n) : 0);
}

static const EndpointOps areas_ops = {
        .name = "areas",
        .free = areas_op_free,
        .stop = areas_op_stop,
        .extents = areas_op_extents,
        .read = areas_op_read,
        .wait = areas_op_wait,
        .dispatch = areas_op_dispatch,
};

int endpoint_areas_new(Endpoint *below, const Areas *areas, Endpoint **ret) {
        AreasEndpoint *a = new0(AreasEndpoint, 1);
        _cleanup_endpoint_ Endpoint *e = a ? &a->endpoint : NULL;

        if (!e) {
                endpoint_free(below);
                return -ENOMEM;
        }
        *e = (Endpoint){
                .ops = &areas_ops,
                .size = below->size,
                .preferred = below->preferred,
                .alignment = below->alignment,
                .in_flight_max = below->in_flight_max,
                .stall_timeout = below->stall_timeout,
        };
        a->below = below;
        a->areas = areas;
        e->label = strdup(below->label);
        if (!e->label)
                return -ENOMEM;
        *ret = TAKE_PTR(e);
        return 0;
}
