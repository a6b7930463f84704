/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyperctl vm console, vm screenshot: the displays of virtual machines. */

#include "ctl/ctl.h"

/* Verbs, as verbs.h describes them. */
int verb_vm_console(Ctl *ctl, char **words);
int verb_vm_screenshot(Ctl *ctl, char **words);
