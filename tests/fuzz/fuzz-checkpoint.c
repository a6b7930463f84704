/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is decoded keeps its promises, and reads the same after it was written again. */

#include "basic/string-util.h"
#include "engine/checkpoint.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(checkpoint_freep) Checkpoint *c = NULL, *again = NULL;
        _cleanup_free_ char *text = NULL;

        if (checkpoint_decode((const char *) data, size, &c) < 0)
                return 0;
        if (c->watermark > c->size || c->size > CHECKPOINT_SIZE_MAX)
                abort();
        text = checkpoint_encode(c);
        if (!text || checkpoint_decode(text, strlen(text), &again) < 0)
                abort();
        const CheckpointIdentity id = {
                .source = c->source, .size = c->size, .destination = c->destination
        };
        if (!checkpoint_matches(again, &id, c->image_inode) || again->watermark != c->watermark ||
                        again->state[0] != c->state[0] || again->state[1] != c->state[1])
                abort();
        return 0;
}
