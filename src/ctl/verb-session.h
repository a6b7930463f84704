/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Verbs, as verbs.h describes them. */
int verb_session_list(Ctl *ctl, char **words);
int verb_session_end(Ctl *ctl, char **words);
