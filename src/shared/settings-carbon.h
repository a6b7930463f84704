/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Types of the settings of carbon sources. All are strings that are NULL if they are not set. */

#include "shared/settings-yaml.h"

extern const SettingsKind settings_carbon_source; /* a word */
extern const SettingsKind settings_carbon_url; /* without a slash at its end */
extern const SettingsKind settings_carbon_zone;
