/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What "hyperctl help" prints. */

#include "ctl/ctl.h"

/* Of all verbs, of those that begin with a word ("schedule"), or of one with its options. */
int verb_help(Ctl *ctl, char **words);
