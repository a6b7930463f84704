/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Types of the settings of placement (spec/placement.h). */

#include "shared/settings-yaml.h"

extern const SettingsKind settings_labels; /* char **: a list of labels; NULL: none */
extern const SettingsKind settings_storage; /* StorageRules: a label for each path */
