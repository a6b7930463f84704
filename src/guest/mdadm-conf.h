/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* mdadm.conf(5): which devices are searched for members of arrays. */

#include "guest/changes.h"

/* Comments out DEVICE lines that name disks by hardware, so that mdadm searches all partitions, and removes
 * devices= with such names from ARRAY lines that name the array by UUID or name, too. An ARRAY line that
 * does not becomes a warning. 1 with *ret (caller frees), 0 or -ENOMEM. */
int mdadm_conf_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret);
