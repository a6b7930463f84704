/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <sys/eventfd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "engine/endpoint-layer.h"

/* A request that waits for the disk below; what was stopped is never completed, only freed. */
typedef struct Waiting {
        struct Waiting *next, **link; /* in the list, and what points here */
} Waiting;

typedef struct Layer {
        Endpoint endpoint;
        Endpoint *below;
        LayerMap *map;
        Waiting *waiting;
        int wake; /* an eventfd: something was completed at once, the engine shall not wait */
} Layer;

typedef struct LayerRead {
        Waiting waiting;
        Layer *layer;
        unsigned pending; /* requests, and one for its start */
        int error;
        EndpointDone done;
        void *userdata;
} LayerRead;

typedef struct LayerExtents {
        Waiting waiting;
        Layer *layer;
        uint64_t length; /* of the run */
        EndpointExtentsDone done;
        void *userdata;
} LayerExtents;

static void waiting_add(Layer *l, Waiting *w) {
        w->next = l->waiting;
        w->link = &l->waiting;
        if (w->next)
                w->next->link = &w->next;
        l->waiting = w;
}

/* @w is the first member of what is freed. */
static void waiting_free(Waiting *w) {
        *w->link = w->next;
        if (w->next)
                w->next->link = w->link;
        free(w);
}

static Layer *layer_of(Endpoint *e) {
        return CONTAINER_OF(e, Layer, endpoint);
}

static void wake(Layer *l) {
        (void) eventfd_write(l->wake, 1);
}

/* The first error's text is the disk's below. */
static int take_error(Layer *l, int error) {
        if (!l->endpoint.error && !isempty(endpoint_error(l->below)))
                l->endpoint.error = strdup(endpoint_error(l->below));
        return error;
}

static void read_done(void *userdata, int error) {
        LayerRead *q = userdata;

        if (error < 0 && q->error >= 0)
                q->error = take_error(q->layer, error);
        if (--q->pending > 0)
                return;
        q->done(q->userdata, q->error);
        waiting_free(&q->waiting);
}

/* The part of a run that the disk below has; behind its end are zeroes. */
static uint64_t below_part(const Layer *l, uint64_t offset, uint64_t length) {
        uint64_t size = l->below->size;

        return offset >= size ? 0 : MIN(length, size - offset);
}

static int read_run(Layer *l, LayerRead *q, char *buf, uint64_t offset, const LayerRun *run) {
        uint64_t n = run->kind == LAYER_BELOW ? below_part(l, offset, run->length) : 0;

        if (run->kind == LAYER_DATA) {
                int r = pread_full(l->map->fd, buf, run->length, run->at);
                return r < 0 ? endpoint_fail(&l->endpoint, r,
                                               "reading %" PRIu64 " bytes at %" PRIu64 " of the file of %s",
                                               run->length, run->at, l->endpoint.label)
                             : 0;
        }
        memset(buf + n, 0, run->length - n);
        if (n == 0)
                return 0;
        q->pending++;
        int r = endpoint_read(l->below, buf, n, offset, read_done, q);
        if (r < 0)
                q->pending--;
        return r < 0 ? take_error(l, r) : 0;
}

static int find(Layer *l, uint64_t offset, uint64_t max, LayerRun *ret) {
        int r = l->map->find(l->map, offset, max, ret);

        return r < 0 ? endpoint_fail(&l->endpoint, r, "reading the map of %s at %" PRIu64, l->endpoint.label,
                                       offset)
                     : 0;
}

static int layer_read(
                Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done, void *userdata) {
        Layer *l = layer_of(e);
        LayerRead *q = new0(LayerRead, 1);
        LayerRun run;

        if (!q)
                return -ENOMEM;
        *q = (LayerRead){ .layer = l, .pending = 1, .done = done, .userdata = userdata };
        waiting_add(l, &q->waiting);
        for (size_t at = 0; at < length && q->error >= 0; at += run.length) {
                int r = find(l, offset + at, length - at, &run);
                if (r >= 0)
                        r = read_run(l, q, (char *) buf + at, offset + at, &run);
                if (r < 0) {
                        q->error = r;
                        break;
                }
        }
        e->bytes_read += length;
        if (q->pending == 1)
                wake(l);
        read_done(q, 0);
        return 0;
}

/* What the disk below says, without what is behind the run. */
static void extents_done(void *userdata, const Extent *extents, size_t n, int error) {
        LayerExtents *q = userdata;
        _cleanup_free_ Extent *cut = error < 0 ? NULL : new0(Extent, n);
        size_t used = 0;

        if (error >= 0 && !cut)
                error = -ENOMEM;
        for (uint64_t at = 0; error >= 0 && used < n && at < q->length; at += cut[used++].length)
                cut[used] = (Extent){ .length = MIN(extents[used].length, q->length - at),
                        .zero = extents[used].zero };
        if (error < 0)
                (void) take_error(q->layer, error);
        q->done(q->userdata, cut, used, error);
        waiting_free(&q->waiting);
}

static int layer_extents(
                Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done, void *userdata) {
        Layer *l = layer_of(e);
        LayerRun run;

        int r = find(l, offset, length, &run);
        if (r < 0)
                return r;
        uint64_t n = run.kind == LAYER_BELOW ? below_part(l, offset, run.length) : 0;
        if (n == 0) {
                const Extent all = { .length = run.length, .zero = run.kind != LAYER_DATA };
                wake(l);
                done(userdata, &all, 1, 0);
                return 0;
        }
        LayerExtents *q = new0(LayerExtents, 1);
        if (!q)
                return -ENOMEM;
        *q = (LayerExtents){ .layer = l, .length = n, .done = done, .userdata = userdata };
        waiting_add(l, &q->waiting);
        r = endpoint_extents(l->below, offset, n, extents_done, q);
        if (r < 0)
                waiting_free(&q->waiting);
        return r < 0 ? take_error(l, r) : 0;
}

static void layer_stop(Endpoint *e) {
        endpoint_stop(layer_of(e)->below);
}

static size_t layer_wait(Endpoint *e, struct pollfd *fds, size_t max) {
        Layer *l = layer_of(e);
        size_t n = l->below->ops->wait ? l->below->ops->wait(l->below, fds, max - 1) : 0;

        fds[n] = (struct pollfd){ .fd = l->wake, .events = POLLIN };
        return n + 1;
}

static int layer_dispatch(Endpoint *e, const struct pollfd *fds, size_t n) {
        Layer *l = layer_of(e);
        eventfd_t value;

        if (n > 0 && fds[n - 1].revents)
                (void) eventfd_read(l->wake, &value);
        int r = n > 0 && l->below->ops->dispatch ? l->below->ops->dispatch(l->below, fds, n - 1) : 0;

        return r < 0 ? take_error(l, r) : 0;
}

static void map_free(LayerMap *m) {
        if (!m)
                return;
        safe_close(m->fd);
        m->free(m);
}

static void layer_free(Endpoint *e) {
        Layer *l = layer_of(e);

        endpoint_free(l->below);
        map_free(l->map);
        safe_close(l->wake);
        while (l->waiting)
                waiting_free(l->waiting);
        free(l);
}

static const EndpointOps layer_ops = {
        .name = "layer",
        .free = layer_free,
        .stop = layer_stop,
        .extents = layer_extents,
        .read = layer_read,
        .wait = layer_wait,
        .dispatch = layer_dispatch,
};

int endpoint_layer_new(Endpoint *below, LayerMap *map, const char *label, Endpoint **ret) {
        Layer *l = new0(Layer, 1);
        char *copy = strdup(label);

        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), error = fd < 0 ? -errno : -ENOMEM;

        if (!l || !copy || fd < 0) {
                endpoint_free(below);
                map_free(map);
                free(l);
                free(copy);
                safe_close(fd);
                return error;
        }
        *l = (Layer){
                .endpoint = {
                        .ops = &layer_ops,
                        .size = map->size,
                        .label = copy,
                        .preferred = below->preferred,
                        .alignment = below->alignment,
                        .in_flight_max = below->in_flight_max,
                },
                .below = below,
                .map = map,
                .wake = fd,
        };
        *ret = &l->endpoint;
        return 0;
}
