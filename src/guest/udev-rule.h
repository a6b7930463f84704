/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* udev rules that name network interfaces by hardware that stays behind. */

#include "guest/changes.h"

/* Comments out the rules that give an interface a name if it has a driver or a path of the source's
 * hardware. 1 with *ret (caller frees), 0 or -ENOMEM. */
int udev_rules_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);
