/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libguestfs parses some files of each file system to find an operating system, which takes hours for some
 * MiB. */

#include "guest/guest.h"

/* Looks at the sizes of these files, before guestfs_inspect_os(). 0, or negative errno after guest_fail(). */
int config_size_check(Guest *guest);
