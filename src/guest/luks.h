/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Encrypted devices of a guest (LUKS), and the keys of parameters.luks_keys. */

#include "guest/guest.h"

/* Opens each device with the first key that fits, and finds the volumes in it. A device that no key opens
 * becomes a warning. 0, -ENOMEM, or negative errno after guest_fail(). */
int luks_unlock(Guest *guest);
