/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "Did you mean …": the candidate that is most like a word that was mistyped. */

#include "basic/macro.h"

/* How many letters must be inserted, removed, replaced or swapped with their neighbour to make one word of
 * the other; SIZE_MAX for words that are longer than any of ours. */
size_t similar_distance(const char *a, const char *b) _pure_;

typedef struct Similar {
        const char *word; /* what was typed */
        const char *best; /* the candidate to suggest, or NULL: none is similar enough */
        size_t distance; /* of it */
} Similar;

/* Suggests @candidate, unless one that was offered before is at least as similar. A candidate that begins
 * with the word (three letters at least) is taken for an abbreviation. */
void similar_offer(Similar *s, const char *candidate);
