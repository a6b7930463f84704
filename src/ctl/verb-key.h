/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Verbs, as verbs.h describes them. */
int verb_key_list(Ctl *ctl, char **words);
int verb_key_add(Ctl *ctl, char **words);
int verb_key_rm(Ctl *ctl, char **words);
