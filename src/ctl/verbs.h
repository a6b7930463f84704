/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of hyperctl, as a table. */

#include "ctl/ctl.h"

#define WORDS_ANY SIZE_MAX

typedef struct Verb {
        const char *name; /* one word, or two: "host list" */
        size_t min, max; /* words behind the verb */
        uint64_t options; /* OPTION_BIT()s, besides options_common() */
        int (*run)(Ctl *ctl, char **words); /* returns an ExitStatus; has said what is wrong */
        const char *usage; /* what follows the verb: "ID…" */
        const char *help; /* one line */
} Verb;

/* Ends with a NULL name. */
const Verb *verb_table(void) _pure_;
/* The verb that @words begin with, and of how many words it is (ret_n may be NULL). NULL: there is none. */
const Verb *verb_find(char *const *words, size_t *ret_n);

/* Says that @words (one at least) are not a verb, and which may have been meant. Returns EXIT_USAGE. */
int verb_unknown(char *const *words);

/* Runs the verb that the command line names: without one, "list --state=active"; "submit" if the first word is a path or
 * a URI. Returns the ExitStatus. */
int verb_run(Ctl *ctl);
