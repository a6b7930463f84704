/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A verb of hyperctl. */

#include "ctl/ctl.h"

#define WORDS_ANY SIZE_MAX

typedef struct Verb {
        const char *name; /* one word, or two: "host list" */
        size_t min, max; /* words behind the verb */
        OptionSet options; /* besides options_common() */
        int (*run)(Ctl *ctl, char **words); /* returns an ExitStatus; has said what is wrong */
        const char *usage; /* what follows the verb: "ID…" */
        const char *help; /* one line */
} Verb;
