/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "shared/settings.h"

/* The settings of the files, or the defaults if they are invalid: see hyper-config(5). NULL when out of
 * memory; the caller frees them. */
Settings *v1_settings(void);
