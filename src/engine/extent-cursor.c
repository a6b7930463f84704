/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/extent-cursor.h"

/* A question that covers much takes the server long when the disk is torn (qemu walks a VMDK grain by
 * grain), and reads queue up behind it; one that covers little costs round trips on a disk of terabytes that
 * is mostly empty. So it begins small and doubles as long as the answer is one piece. The largest is below
 * the 32 bits that NBD has for a length. */
#define ASK_FIRST (64 * 1024 * UINT64_C(1024))
#define ASK_MAX (2048 * 1024 * UINT64_C(1024))

/* Known ahead, so that readers never wait for an answer. */
#define LOOK_AHEAD (128 * 1024 * UINT64_C(1024))

void extent_cursor_init(ExtentCursor *c, Endpoint *endpoint, uint64_t position, uint64_t end) {
        *c = (ExtentCursor){
                .endpoint = endpoint,
                .end = end,
                .position = position,
                .covered = position,
                .asked = position,
                .ask_length = ASK_FIRST,
        };
}

void extent_cursor_done(ExtentCursor *c) {
        c->runs = mfree(c->runs);
        c->first = c->n = c->allocated = 0;
}

/* Makes runs reach up to @to. */
static int add_run(ExtentCursor *c, uint64_t to, bool zero) {
        if (to <= c->covered)
                return 0;
        uint64_t length = to - c->covered;

        if (c->n > 0 && c->runs[c->first + c->n - 1].zero == zero)
                c->runs[c->first + c->n - 1].length += length;
        else {
                if (c->first > 0 && c->first + c->n == c->allocated) {
                        memmove(c->runs, c->runs + c->first, c->n * sizeof(Extent));
                        c->first = 0;
                }
                if (!GREEDY_REALLOC(c->runs, c->allocated, c->first + c->n + 1))
                        return -ENOMEM;
                c->runs[c->first + c->n++] = (Extent){ .length = length, .zero = zero };
        }
        c->covered = to;
        return 0;
}

/* Takes in the next extent, which begins at c->asked. What lies between c->covered and c->asked, less than a
 * block, is known to be zero; or c->covered is ahead, where the last data was rounded up to. */
static int add_extent(ExtentCursor *c, uint64_t length, bool zero) {
        uint64_t to = c->asked + length, tail = to % EXTENT_BLOCK;

        c->asked = to;
        if (to == c->end || tail == 0)
                return add_run(c, to, zero);
        if (zero)
                return add_run(c, to - tail, true);
        return add_run(c, MIN(to - tail + EXTENT_BLOCK, c->end), false);
}

static void on_extents(void *userdata, const Extent *extents, size_t n, int error) {
        ExtentCursor *c = userdata;

        c->waiting = false;
        if (error == -EOPNOTSUPP) {
                c->no_extents = true;
                return;
        }
        for (size_t i = 0; i < n && error >= 0; i++)
                error = add_extent(c, extents[i].length, extents[i].zero);
        if (error < 0)
                c->error = error;
        if (n == 1)
                c->ask_length = MIN(c->ask_length * 2, ASK_MAX);
        else if (n > 4096)
                c->ask_length = MAX(c->ask_length / 2, ASK_FIRST);
}

int extent_cursor_prefetch(ExtentCursor *c) {
        if (c->error < 0)
                return c->error;
        if (c->asked >= c->end || c->waiting)
                return 0;
        if (c->asked >= c->endpoint->size)
                return add_extent(c, c->end - c->asked, true);
        if (c->covered > c->position && c->covered - c->position >= LOOK_AHEAD)
                return 0;

        uint64_t length = MIN(c->ask_length, MIN(c->endpoint->size, c->end) - c->asked);
        if (c->no_extents)
                return add_extent(c, length, false);
        c->waiting = true;
        int r = endpoint_extents(c->endpoint, c->asked, length, on_extents, c);
        if (r < 0)
                c->error = r;
        return c->error;
}

int extent_cursor_peek(const ExtentCursor *c, Extent *ret) {
        if (c->error < 0)
                return c->error;
        if (c->n > 0)
                *ret = c->runs[c->first];
        else if (c->position == c->end)
                *ret = (Extent){};
        else
                return 0;
        return 1;
}

void extent_cursor_advance(ExtentCursor *c, uint64_t length) {
        if (length == 0)
                return;
        assert(c->n > 0 && length <= c->runs[c->first].length);
        c->position += length;
        c->runs[c->first].length -= length;
        if (c->runs[c->first].length == 0) {
                c->n--;
                c->first = c->n > 0 ? c->first + 1 : 0;
        }
}
