/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The fields of an ext file system's superblock that a repair changes. */

#include "basic/macro.h"

typedef struct ExtState {
        bool not_unmounted; /* the journal is to be replayed */
        bool errors; /* found by its kernel */
        bool unclean; /* without a journal: it was not unmounted */
        bool orphans; /* files that were deleted while they were open */
        char counts[64]; /* of free blocks and inodes */
} ExtState;

/* Takes one field, as "tune2fs -l" shows it. */
void ext_state_add(ExtState *s, const char *name, const char *value);

bool ext_state_is_clean(const ExtState *s) _pure_;
bool ext_state_equal(const ExtState *a, const ExtState *b) _pure_;
/* A word or two for it: "clean". */
const char *ext_state_text(const ExtState *s) _pure_;
