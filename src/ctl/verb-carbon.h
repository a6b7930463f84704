/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Verbs, as verbs.h describes them. */
int verb_carbon_intensity(Ctl *ctl, char **words);
int verb_carbon_windows(Ctl *ctl, char **words);
int verb_carbon_zones(Ctl *ctl, char **words);
int verb_carbon_estimate(Ctl *ctl, char **words);
int verb_carbon_report(Ctl *ctl, char **words);
