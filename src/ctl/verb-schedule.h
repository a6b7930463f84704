/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Verbs, as verbs.h describes them. */
int verb_schedule_list(Ctl *ctl, char **words);
int verb_schedule_show(Ctl *ctl, char **words);
int verb_schedule_add(Ctl *ctl, char **words);
int verb_schedule_edit(Ctl *ctl, char **words);
int verb_schedule_rm(Ctl *ctl, char **words);
int verb_schedule_enable(Ctl *ctl, char **words);
int verb_schedule_disable(Ctl *ctl, char **words);
int verb_schedule_trigger(Ctl *ctl, char **words);
