/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* Fills guest->filesystems and guest->clean. With @repair, checks the file systems and repairs what can be
 * repaired without a loss, before they are mounted; what was repaired is a change, and a damage that needs a
 * decision a warning. 0, or negative errno. */
int fs_repair(Guest *guest, bool repair);
