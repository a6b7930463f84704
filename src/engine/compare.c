/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* As in the copy, slots form a ring in the order of the disk; here each is read from both sides, and judged
 * when both are there and all before it are equal, which makes the first difference found the first there
 * is. */

#include "engine/compare.h"
#include "basic/string-util.h"
#include "basic/zero.h"
#include "engine/extent-cursor.h"
#include "engine/rate.h"

#define SAMPLE_STRIDE ((uint64_t) 64) /* blocks */
#define SAMPLES_MAX ((uint64_t) 4096) /* about, of those between the ends of runs */
#define ZERO_MAX (UINT64_C(1) << 30)
#define PROGRESS_INTERVAL (500 * USEC_PER_MSEC)
#define STALL_TIMEOUT (300 * USEC_PER_SEC)

typedef struct Compare Compare;

typedef struct Slot {
        Compare *compare;
        uint64_t offset, length;
        unsigned pending; /* reads under way */
        char *side[2]; /* what was read; NULL: zeroes */
} Slot;

struct Compare {
        Endpoint *endpoints[2];
        const CopyOptions *options;
        const CompareMode *mode;
        CompareReport report;
        ExtentCursor cursors[2];
        uint64_t stride; /* bytes from one sample to the next */
        uint64_t run_length; /* of the first disk's run at hand, as far as it was gone through */
        bool run_is_zero;

        Slot *slots;
        size_t n_slots;
        uint64_t head, tail; /* count up; the slot is this modulo n_slots */

        char **buffers; /* two for each slot */
        size_t n_buffers, n_free;
        size_t request_size;

        CopyProgress progress;
        RateMeter rate;
        usec_t started, last_progress, last_activity;
        bool differs;
        int error;
};

static Slot *slot_at(Compare *c, uint64_t i) {
        return &c->slots[i % c->n_slots];
}

static void on_read(void *userdata, int error) {
        Slot *s = userdata;

        s->compare->last_activity = now_monotonic();
        if (error < 0 && s->compare->error == 0)
                s->compare->error = error;
        s->pending--;
}

/* What lies behind the end of the shorter disk is zero. */
static int start_read(Compare *c, Slot *s, unsigned side) {
        Endpoint *e = c->endpoints[side];
        uint64_t readable = s->offset < e->size ? MIN(s->length, e->size - s->offset) : 0;
        char *buf = s->side[side] = c->buffers[--c->n_free];

        memset(buf + readable, 0, s->length - readable);
        c->progress.bytes_read += readable;
        s->pending++;
        return endpoint_read(e, buf, readable, s->offset, on_read, s);
}

/* --- what is read ---------------------------------------------------------------------------------- */

static uint64_t sample_stride(uint64_t size) {
        uint64_t blocks = size / EXTENT_BLOCK;

        return MAX(SAMPLE_STRIDE, blocks / SAMPLES_MAX) * EXTENT_BLOCK;
}

/* How long the next piece of a run of @length bytes is, and whether it is one of the sample. */
static uint64_t sample_piece(
                const Compare *c, uint64_t position, uint64_t length, bool at_start, bool *ret_read) {
        uint64_t next = (position + c->stride - 1) / c->stride * c->stride;
        uint64_t last = position + (length - 1) / EXTENT_BLOCK * EXTENT_BLOCK;
        uint64_t sample = at_start ? position : MIN(next, last);

        *ret_read = sample == position;
        return *ret_read ? MIN(length, EXTENT_BLOCK) : sample - position;
}

typedef struct Piece {
        uint64_t length;
        bool read[2];
} Piece;

/* Both disks are known from here on, as @x says. */
static Piece next_piece(Compare *c, const Extent x[static 2]) {
        CompareDepth depth = x[0].zero ? c->mode->zeroes : c->mode->data;
        uint64_t position = c->cursors[0].position, length = x[0].length;
        bool at_start = c->run_length == 0 || c->run_is_zero != x[0].zero, chosen = depth == COMPARE_ALL;

        if (depth == COMPARE_SAMPLE)
                length = sample_piece(c, position, length, at_start, &chosen);
        else if (depth == COMPARE_TRUST && !x[0].zero)
                chosen = true;
        Piece p = { .length = MIN(length, x[1].length), .read = { chosen, chosen } };
        /* Data where there should be none is always looked at. */
        if (x[0].zero && !x[1].zero)
                p.read[1] = true;
        p.length = MIN(p.length, p.read[1] ? (uint64_t) c->request_size : ZERO_MAX);
        c->run_length = (at_start ? 0 : c->run_length) + p.length;
        c->run_is_zero = x[0].zero;
        return p;
}

static void account(Compare *c, const Piece *p, bool zero) {
        if (!p->read[1]) {
                c->report.skipped += p->length;
                c->progress.bytes_zero += zero ? p->length : 0;
        } else if (zero)
                c->report.zeroes += p->length;
        else
                c->report.data += p->length;
}

static int fill(Compare *c) {
        for (;;) {
                Extent x[2];
                int r = 1;

                for (unsigned i = 0; i < 2; i++) {
                        int q = extent_cursor_prefetch(&c->cursors[i]);
                        if (q >= 0)
                                q = extent_cursor_peek(&c->cursors[i], &x[i]);
                        if (q < 0)
                                return q;
                        r = MIN(r, q);
                }
                if (r == 0 || x[0].length == 0 || c->tail - c->head == c->n_slots || c->n_free < 2)
                        return 0;

                Slot *s = slot_at(c, c->tail++);
                *s = (Slot){ .compare = c, .offset = c->cursors[0].position };
                Piece p = next_piece(c, x);
                s->length = p.length;
                account(c, &p, x[0].zero);
                for (unsigned i = 0; i < 2; i++) {
                        extent_cursor_advance(&c->cursors[i], s->length);
                        r = p.read[i] ? start_read(c, s, i) : 0;
                        if (r < 0)
                                return r;
                }
        }
}

/* --- what came ------------------------------------------------------------------------------------- */

/* True if both sides hold the same; else *ret_at is where they differ first. */
static bool slot_is_equal(const Slot *s, uint64_t *ret_at) {
        const char *a = s->side[0], *b = s->side[1];
        bool equal = a && b ? memcmp(a, b, s->length) == 0
                        : a ? memory_is_zero(a, s->length)
                        : b ? memory_is_zero(b, s->length)
                            : true;

        for (uint64_t i = 0; !equal && i < s->length; i++)
                if ((a ? a[i] : 0) != (b ? b[i] : 0)) {
                        *ret_at = s->offset + i;
                        break;
                }
        return equal;
}

/* Tells about each block of the slot that differs, if that is wanted: 1; 0: the comparison ends. */
static int tell_differences(Compare *c, Slot *s, uint64_t at, uint64_t *ret_offset) {
        if (!c->differs)
                *ret_offset = at;
        c->differs = true;
        if (!c->mode->difference)
                return 0;
        for (uint64_t i = 0; i < s->length; i += EXTENT_BLOCK) {
                const Slot block = {
                        .offset = s->offset + i,
                        .length = MIN(EXTENT_BLOCK, s->length - i),
                        .side = { s->side[0] ? s->side[0] + i : NULL, s->side[1] ? s->side[1] + i : NULL },
                };
                if (slot_is_equal(&block, &at))
                        continue;
                int r = c->mode->difference(block.offset, block.length, c->mode->userdata);
                if (r < 0)
                        return r;
        }
        return 1;
}

/* Judges what has come. 1: goes on; 0: *ret_offset differs, and the comparison ends. */
static int judge(Compare *c, uint64_t *ret_offset) {
        uint64_t at = 0;

        for (; c->head < c->tail && slot_at(c, c->head)->pending == 0; c->head++) {
                Slot *s = slot_at(c, c->head);

                int r = slot_is_equal(s, &at) ? 1 : tell_differences(c, s, at, ret_offset);
                if (r <= 0)
                        return r;
                for (unsigned i = 0; i < 2; i++)
                        if (s->side[i])
                                c->buffers[c->n_free++] = TAKE_PTR(s->side[i]);
                c->progress.position = s->offset + s->length;
        }
        return 1;
}

static int report(Compare *c, usec_t now) {
        c->last_progress = now;
        c->progress.elapsed = now - c->started;
        c->progress.rate = rate_meter_update(&c->rate, now, c->progress.position);
        return c->options->progress ? c->options->progress(&c->progress, c->options->userdata) : 0;
}

static bool is_stalled(const Compare *c, usec_t now) {
        usec_t stall = c->options->stall_timeout > 0 ? c->options->stall_timeout : STALL_TIMEOUT;
        usec_t last = c->last_activity;

        for (size_t i = 0; i < ELEMENTSOF(c->endpoints); i++) {
                stall = MAX(stall, c->endpoints[i]->stall_timeout);
                last = MAX(last, c->endpoints[i]->active);
        }
        return now >= last + stall;
}

static int step(Compare *c, uint64_t *ret_offset) {
        usec_t interval = c->options->progress_interval > 0 ? c->options->progress_interval
                                                            : PROGRESS_INTERVAL;
        usec_t now = now_monotonic(), next = c->last_progress + interval;
        uint64_t head = c->head;
        int r = 0;

        if (now >= next) {
                r = report(c, now);
                next = now + interval;
        }
        if (r >= 0)
                r = fill(c);
        if (r >= 0)
                r = c->error;
        if (r < 0)
                return r;
        r = judge(c, ret_offset);
        if (r <= 0 || c->progress.position == c->progress.total)
                return r;
        if (is_stalled(c, now))
                return -ETIMEDOUT;
        /* Not if slots became free after fill(). */
        usec_t timeout = c->head > head ? 0 : next - now;
        r = endpoints_run(c->endpoints[0], c->endpoints[1], c->options->cancel_fd, timeout);
        return r < 0 ? r : 1;
}

static int allocate(Compare *c) {
        unsigned requests = c->options->requests > 0
                        ? c->options->requests
                        : MIN(c->endpoints[0]->in_flight_max, c->endpoints[1]->in_flight_max);

        c->request_size = c->options->request_size > 0
                        ? c->options->request_size
                        : MIN(c->endpoints[0]->preferred, c->endpoints[1]->preferred);
        c->request_size = CLAMP(c->request_size / EXTENT_BLOCK, (size_t) 1, (size_t) 512) * EXTENT_BLOCK;
        c->n_slots = CLAMP(requests, 1u, 512u);
        c->n_buffers = c->n_slots * 2;
        c->slots = new0(Slot, c->n_slots);
        c->buffers = new0(char *, c->n_buffers);
        if (!c->slots || !c->buffers)
                return -ENOMEM;
        for (; c->n_free < c->n_buffers; c->n_free++) {
                c->buffers[c->n_free] = calloc(1, c->request_size);
                if (!c->buffers[c->n_free])
                        return -ENOMEM;
        }
        return 0;
}

static void release(Compare *c) {
        for (uint64_t i = c->head; i < c->tail; i++)
                for (unsigned k = 0; k < 2; k++)
                        free(slot_at(c, i)->side[k]);
        for (size_t i = 0; i < c->n_free; i++)
                free(c->buffers[i]);
        free(c->buffers);
        free(c->slots);
        for (unsigned i = 0; i < 2; i++)
                extent_cursor_done(&c->cursors[i]);
}

static int run(Compare *c, uint64_t *ret_offset) {
        int r = allocate(c);

        if (r < 0)
                return r;
        r = report(c, c->started);
        if (r < 0)
                return r;
        do
                r = step(c, ret_offset);
        while (r > 0 && c->progress.position < c->progress.total);
        if (r <= 0) {
                /* Reads in flight would write into what release() frees. */
                endpoint_stop(c->endpoints[0]);
                endpoint_stop(c->endpoints[1]);
                return r;
        }
        r = report(c, now_monotonic());
        return r < 0 ? r : !c->differs;
}

static char *explain(const Compare *c, int error) {
        const Endpoint *a = c->endpoints[0], *b = c->endpoints[1];

        if (error != -ECANCELED && !isempty(endpoint_error(a)))
                return strdup(endpoint_error(a));
        if (error != -ECANCELED && !isempty(endpoint_error(b)))
                return strdup(endpoint_error(b));
        return strprintf("comparing %s with %s at %" PRIu64 ": %s", a->label, b->label, c->progress.position,
                        strerror(-error));
}

int compare_disks(Endpoint *a, Endpoint *b, const CopyOptions *options, const CompareMode *mode,
                CompareReport *ret_report, uint64_t *ret_offset, char **ret_error) {
        usec_t now = now_monotonic();
        Compare c = {
                .endpoints = { a, b },
                .options = options,
                .mode = mode,
                .progress.total = mode->end > 0 ? mode->end : MAX(a->size, b->size),
                .started = now,
                .last_activity = now,
        };
        uint64_t offset = 0;

        c.stride = sample_stride(c.progress.total);
        for (unsigned i = 0; i < 2; i++)
                extent_cursor_init(&c.cursors[i], c.endpoints[i], 0, c.progress.total);
        int r = run(&c, &offset);
        release(&c);
        if (r < 0)
                *ret_error = explain(&c, r);
        if (r == 0)
                *ret_offset = offset;
        if (ret_report)
                *ret_report = c.report;
        return r;
}

int compare_run(Endpoint *a, Endpoint *b, const CopyOptions *options, uint64_t *ret_offset,
                char **ret_error) {
        static const CompareMode mode = { .data = COMPARE_ALL, .zeroes = COMPARE_TRUST };

        return compare_disks(a, b, options, &mode, NULL, ret_offset, ret_error);
}
