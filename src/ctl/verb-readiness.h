/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

int verb_readiness(Ctl *ctl, char **words);
