/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

int verb_provider_list(Ctl *ctl, char **words);
int verb_provider_add(Ctl *ctl, char **words);
int verb_provider_rm(Ctl *ctl, char **words);
int verb_provider_test(Ctl *ctl, char **words);
