/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* Checks the file systems and repairs what can be repaired without a loss, before they are mounted. A
 * damage that needs a decision becomes a warning. 0, or negative errno. */
int fs_repair(Guest *guest);
