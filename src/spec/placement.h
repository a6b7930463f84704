/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which machines may carry a job out. A machine has labels, such as "vlan10" or "san-b". A job needs all of
 * some, must have none of others, and prefers machines that have still others. What files a job reads and
 * writes adds to what it needs: storage that only machines with a certain label have.
 *
 * The store has this beside the limits that the job holds (job-limits.h), as words: "+LABEL", "-LABEL" and
 * "~LABEL". A limit has a colon in it, and a label has none. */

#include "spec/job-settings.h"
#include "spec/label.h"

/* Whether a machine may have a job. */
typedef enum PlacementFit {
        PLACEMENT_REFUSED, /* the machine must not have the job */
        PLACEMENT_LEFT, /* it may, but others that there are should rather have it */
        PLACEMENT_FITS,
} PlacementFit;

/* Wrong labels are added to @errors. 0 or -ENOMEM. */
int job_placement_check(const JobSpec *s, JsonErrors *errors);
/* Adds the words of a job. @storage may be NULL. 0 or -ENOMEM. */
int job_placement_add_words(const JobSpec *s, const StorageRules *storage, char ***words);

bool placement_is_word(const char *word) _pure_;
/* Whether a machine with these labels may have a job with this word, or, if the word is a preference,
 * should. */
bool placement_is_met(const char *word, const char *labels) _pure_;
static inline bool placement_is_needed(const char *word) {
        return word[0] == '+';
}
static inline bool placement_is_preference(const char *word) {
        return word[0] == '~';
}
