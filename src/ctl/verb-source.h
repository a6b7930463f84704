/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

int verb_source_list(Ctl *ctl, char **words);
int verb_source_add(Ctl *ctl, char **words);
int verb_source_rm(Ctl *ctl, char **words);
int verb_source_test(Ctl *ctl, char **words);
