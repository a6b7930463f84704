/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Verbs, as verbs.h describes them. */
int verb_queue(Ctl *ctl, char **words);
int verb_worker_list(Ctl *ctl, char **words);
int verb_worker_show(Ctl *ctl, char **words);
int verb_worker_rm(Ctl *ctl, char **words);
