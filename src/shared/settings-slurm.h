/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Types of the settings of Slurm. All are strings that are NULL if they are not set, or a list of them. */

#include "shared/settings-yaml.h"

extern const SettingsKind settings_slurm_url; /* without a slash at its end */
extern const SettingsKind settings_slurm_api;
extern const SettingsKind settings_slurm_name;
extern const SettingsKind settings_slurm_names; /* separated by commas */
extern const SettingsKind settings_slurm_constraint;
extern const SettingsKind settings_slurm_licenses; /* a list */
