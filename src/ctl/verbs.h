/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of hyperctl, as a table. */

#include "ctl/verb.h"

/* Ends with a NULL name. */
const Verb *verb_table(void) _pure_;
/* The verb that @words begin with, and of how many words it is (ret_n may be NULL). NULL: there is none. */
const Verb *verb_find(char *const *words, size_t *ret_n);

/* Says that @words (one at least) are not a verb, and which may have been meant. Returns EXIT_USAGE. */
int verb_unknown(char *const *words);

/* What "hyperctl help" prints: of all verbs, of those that begin with a word ("schedule"), or of one with
 * its options. */
int verb_help(Ctl *ctl, char **words);

/* Runs the verb that the command line names: without one, "list --state=active"; "submit" if the first
 * word is a path or a URI. Returns the ExitStatus. */
int verb_run(Ctl *ctl);
