/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Types of settings that several configuration files use. */

#include "shared/settings-yaml.h"

extern const SettingsKind settings_number; /* unsigned */
extern const SettingsKind settings_optional_number; /* unsigned; 0 if not set */
extern const SettingsKind settings_seconds; /* usec_t */
extern const SettingsKind settings_boolean; /* bool */
extern const SettingsKind settings_path; /* char *, absolute */
extern const SettingsKind settings_level; /* char *, a log level */
