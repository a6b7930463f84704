/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* hyperctl cutover */
int verb_cutover(Ctl *ctl, char **words);
