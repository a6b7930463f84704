/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The text of "hyperctl help". A table of verbs ends with a NULL name. */

#include "ctl/verb.h"

/* All verbs and the options that each of them takes. */
void help_print(const Terminal *t, const Verb *verbs);

/* One verb with its options. */
void help_print_verb(const Terminal *t, const Verb *v);

/* The verbs whose first word is @group ("schedule"). False if there are none. */
bool help_print_group(const Terminal *t, const Verb *verbs, const char *group);
