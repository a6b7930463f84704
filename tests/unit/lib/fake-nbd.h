/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An NBD server that lies, in a process of its own: the handshake is right, and then one thing is wrong. */

#include "unit/lib/engine-util.h"

typedef enum FakeNbd {
        FAKE_HONEST,
        FAKE_SIZE_HUGE, /* 2^63 and more */
        FAKE_EXTENT_EMPTY, /* an extent of length 0 */
        FAKE_EXTENT_LONG, /* one that goes far behind the end */
        FAKE_EXTENT_TINY, /* one sector per answer */
        FAKE_EXTENT_NONE, /* an answer without extents */
        FAKE_EXTENT_MANY, /* a hundred thousand extents of one byte */
        FAKE_EXTENT_OTHER_CONTEXT, /* extents of a context that was not asked for */
        FAKE_EXTENT_ERROR, /* block status fails */
        FAKE_READ_SHORT, /* an answer that ends too early */
        FAKE_READ_OUTSIDE, /* data for what was not asked for */
        FAKE_READ_ENDLESS, /* a chunk that claims 4 GiB */
        FAKE_READ_GARBAGE, /* no reply at all but other bytes */
        FAKE_READ_HANGUP, /* closes in the middle of data */
        FAKE_READ_END, /* says in the middle of data that it will say no more */
        FAKE_READ_END_BETWEEN, /* the same instead of an answer */
        FAKE_READ_UNASKED, /* a reply to a request that was never made */
        _FAKE_MAX,
} FakeNbd;

/* Serves @size bytes, all of value 0x55, to any number of clients one after the other. */
Server serve_fake(const char *dir, const char *name, FakeNbd what, uint64_t size);
