/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the options of "hyperctl submit" to a job spec. */

#include <jansson.h>

#include "ctl/ctl.h"

/* What the words behind the verb are: the name of a spec, for *ret_spec (NULL: none), or SOURCE
 * [DESTINATION], which go into
 * @a as the options of these names do. Returns an ExitStatus and says what is wrong. */
int submit_spec_words(Arguments *a, char **words, const char **ret_spec);

/* Reads a spec from the file @name, from stdin ("-"), or (NULL) makes an empty one. EXIT_OK with a new
 * reference, or another ExitStatus after it has said what is wrong. */
int submit_spec_load(Ctl *ctl, const char *name, json_t **ret);

/* Puts what the options say into @spec (an object), over what it says already. Paths that are not absolute
 * are taken from the current directory, for a job on this machine. In a destination that is a directory the
 * file is named after the source, with @tail behind the name ("" for none). Returns an ExitStatus and says
 * what is wrong. */
int submit_spec_apply(const Arguments *a, json_t *spec, const char *tail);
