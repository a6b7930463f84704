/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* "boot": what the proof of boot of a job has seen. */
int verb_boot(Ctl *ctl, char **words);
