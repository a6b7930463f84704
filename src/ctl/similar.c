/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/similar.h"
#include "basic/string-util.h"

#define WORD_MAX 40
#define ABBREVIATION_MIN 3

/* Optimal string alignment, with the three rows of the table that it needs. */
size_t similar_distance(const char *a, const char *b) {
        size_t rows[3][WORD_MAX + 1], la = strlen(a), lb = strlen(b);

        if (la > WORD_MAX || lb > WORD_MAX)
                return SIZE_MAX;
        for (size_t j = 0; j <= lb; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= la; i++) {
                size_t *now = rows[i % 3];
                const size_t *before = rows[(i + 2) % 3], *before_that = rows[(i + 1) % 3];

                now[0] = i;
                for (size_t j = 1; j <= lb; j++) {
                        size_t d = before[j - 1] + (a[i - 1] != b[j - 1]);

                        d = MIN(d, before[j] + 1);
                        d = MIN(d, now[j - 1] + 1);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                d = MIN(d, before_that[j - 2] + 1);
                        now[j] = d;
                }
        }
        return rows[la % 3][lb];
}

/* One mistake in a short word, two in a longer one. */
static size_t tolerance(const char *word) {
        return strlen(word) < 4 ? 1 : 2;
}

void similar_offer(Similar *s, const char *candidate) {
        size_t d = similar_distance(s->word, candidate);

        if (strlen(s->word) >= ABBREVIATION_MIN && startswith(candidate, s->word))
                d = 1;
        if (d > tolerance(s->word) || d >= strlen(candidate) || (s->best && d >= s->distance))
                return;
        s->best = candidate;
        s->distance = d;
}
