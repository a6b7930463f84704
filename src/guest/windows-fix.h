/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* Installs drivers and the first-boot helper in a guest that runs Windows, whose file system is mounted. 0,
 * or negative errno after guest_fail(). */
int windows_offline_fix(Guest *guest);
