/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far a warm migration is: the file "warm" in the part directory. It is written only after the image has
 * been flushed, and replaced atomically, so it is right at any moment. Whoever may write there can change
 * it, so it is decoded as untrusted; the worst that it can do is make the image of its own job wrong. */

#include "basic/macro.h"

#define WARM_STATE_FILE "warm"

/* A disk of the VM, and which of its states the image holds. */
typedef struct WarmDisk {
        unsigned key; /* of the VM's device */
        char *uuid; /* of its backing; NULL: it has none */
        uint64_t capacity;
        char *change_id; /* the image is complete at it; NULL: the first pass is not complete */
        char *target; /* that of the pass under way; of the first one, the snapshot it has begun with */
} WarmDisk;

typedef struct WarmState {
        char *vm; /* server and UUID */
        bool verified; /* a comparison with the source has found no difference */
        bool differed; /* the last one has */
        uint64_t down_at; /* when the guest was shut down, in microseconds since 1970; 0: it was not */
        WarmDisk *disks;
        size_t n_disks;
} WarmState;

#define WARM_DISKS_MAX ((size_t) 64)

WarmState *warm_state_free(WarmState *s);
DEFINE_CLEANUP_FUNC(WarmState *, warm_state_free);
#define _cleanup_warm_state_ _cleanup_(warm_state_freep)

/* Pure. -EBADMSG for whatever is not exactly one whole state of this version. */
int warm_state_decode(const char *text, size_t size, WarmState **ret);
/* JSON text that the caller frees. NULL when out of memory. */
char *warm_state_encode(const WarmState *s);

/* -ENOENT: there is none. */
int warm_state_read(int part_fd, WarmState **ret);
int warm_state_write(int part_fd, const WarmState *s);

/* True if the first pass is complete. */
bool warm_state_is_complete(const WarmState *s) _pure_;
