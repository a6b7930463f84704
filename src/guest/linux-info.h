/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a guest that runs Linux has: its network, boot loaders, tools, and the hardware that suits it. */

#include "guest/guest.h"

/* Adds it to @result, while the file systems are mounted. 0 or -ENOMEM. */
int linux_describe(Guest *guest, json_t *result);
