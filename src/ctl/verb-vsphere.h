/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

int verb_vsphere_list(Ctl *ctl, char **words);
int verb_vsphere_show(Ctl *ctl, char **words);
int verb_vsphere_shutdown(Ctl *ctl, char **words);
int verb_vsphere_poweroff(Ctl *ctl, char **words);
int verb_vsphere_rm_cdrom(Ctl *ctl, char **words);
