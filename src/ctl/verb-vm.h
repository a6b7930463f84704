/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Verbs, as verbs.h describes them. */
int verb_vm_list(Ctl *ctl, char **words);
int verb_vm_show(Ctl *ctl, char **words);
int verb_vm_start(Ctl *ctl, char **words);
int verb_vm_shutdown(Ctl *ctl, char **words);
int verb_vm_reboot(Ctl *ctl, char **words);
int verb_vm_destroy(Ctl *ctl, char **words);
int verb_vm_reset(Ctl *ctl, char **words);
