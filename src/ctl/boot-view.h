/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a proof of boot has seen, for a person: the object "boot" of a result. */

#include "ctl/view.h"

/* With at most @max of the last lines of the console. 0 or -ENOMEM. */
int boot_view(Ctl *ctl, json_t *boot, size_t max);
