/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Verbs, as verbs.h describes them. */
int verb_webhook_list(Ctl *ctl, char **words);
int verb_webhook_add(Ctl *ctl, char **words);
int verb_webhook_rm(Ctl *ctl, char **words);
int verb_webhook_test(Ctl *ctl, char **words);
int verb_webhook_deliveries(Ctl *ctl, char **words);
