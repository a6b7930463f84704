/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Verbs, as verbs.h describes them. */
int verb_inspect(Ctl *ctl, char **words);
int verb_fix(Ctl *ctl, char **words);
