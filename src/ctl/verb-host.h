/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Verbs, as verbs.h describes them. */
int verb_host_list(Ctl *ctl, char **words);
int verb_host_add(Ctl *ctl, char **words);
int verb_host_rm(Ctl *ctl, char **words);
int verb_host_show(Ctl *ctl, char **words);
int verb_host_connect(Ctl *ctl, char **words);
int verb_host_disconnect(Ctl *ctl, char **words);
int verb_host_key(Ctl *ctl, char **words);
